resource "streamchat_user_erasure" "dsr_1042" {
  user_id    = "waters-malone"
  request_id = "DSR-1042"

  delete {
    user = "hard"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

# For the answer to the person, and for whoever audits it.
output "dsr_1042" {
  value = provider::streamchat::receipt_text(streamchat_user_erasure.dsr_1042.receipt)
}

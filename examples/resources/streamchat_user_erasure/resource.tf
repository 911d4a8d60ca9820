# Erase for good
resource "streamchat_user_erasure" "dsr_1042" {
  user_id    = "waters-malone"
  request_id = "DSR-1042"
  labels = {
    legal_basis  = "GDPR Art. 17(1)(b)"
    pull_request = "https://git.example.com/privacy/erasures/pull/87"
  }

  delete {
    user = "hard" # messages, conversations, files and polls follow
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

output "receipt" {
  value = streamchat_user_erasure.dsr_1042.receipt
}

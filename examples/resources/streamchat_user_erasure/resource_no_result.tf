# Record a search without result
resource "streamchat_user_erasure" "dsr_1046" {
  user_id    = "nobody-here"
  request_id = "DSR-1046"
  on_missing = "record" # nothing is sent; outcome = "not_found"

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

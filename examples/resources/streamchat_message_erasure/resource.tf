# Erase a message with its reactions and replies
resource "streamchat_message_erasure" "leaked_address" {
  message_id  = "7d2f4c0e-5d4e-4f2b-9a51-1c1f6f0b6d11"
  hard_delete = true
  request_id  = "DSR-1044"

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

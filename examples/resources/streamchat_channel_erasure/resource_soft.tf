# Hidden now, erased later
# Stream keeps the messages: raise it to true later, in place.
resource "streamchat_channel_erasure" "support_4712" {
  cid         = "messaging:support-4712"
  hard_delete = false
  request_id  = "DSR-1043"

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

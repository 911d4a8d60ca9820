resource "streamchat_channel_erasure" "room" {
  cid         = provider::streamchat::cid("messaging", "support-4711")
  hard_delete = true

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

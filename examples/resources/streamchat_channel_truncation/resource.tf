# Erase what was written before this year
# The channel, its members and later messages stay.
resource "streamchat_channel_truncation" "lobby_until_2026" {
  cid              = "livestream:lobby"
  hard_delete      = true
  truncated_before = "2026-01-01T00:00:00Z"
  skip_push        = true
  request_id       = "retention-2026"

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

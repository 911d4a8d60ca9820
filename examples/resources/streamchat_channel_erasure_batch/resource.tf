# Several channels, one record
resource "streamchat_channel_erasure_batch" "closed_projects" {
  cids        = ["messaging:project-17", "messaging:project-21"]
  hard_delete = true
  request_id  = "RETENTION-2026-11"

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not all erased yet: run apply again."
    }
  }
}

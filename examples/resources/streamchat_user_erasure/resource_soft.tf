# Soft now, hard later
# Restorable for now. Raise it to "pruning" or "hard" later, in place.
resource "streamchat_user_erasure" "dsr_1043" {
  user_id    = "grace-period"
  request_id = "DSR-1043"
  on_destroy = "restore"

  delete {
    user = "soft"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

# Accounts that nobody uses
data "streamchat_users" "stale" {
  filter = jsonencode({
    role        = "user"
    last_active = { "$lt" = "2023-01-01T00:00:00Z" }
  })
  include_deactivated = true
}

resource "streamchat_user_erasure_batch" "stale" {
  user_ids         = data.streamchat_users.stale.user_ids
  not_active_since = "2023-01-01T00:00:00Z" # refuses whoever comes back before the apply
  request_id       = "CAMPAIGN-2026"

  delete {
    user = "hard"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not all erased yet: run apply again."
    }
  }
}

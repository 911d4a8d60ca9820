# Erase a channel for good
resource "streamchat_channel_erasure" "support_4711" {
  cid         = "messaging:support-4711"
  hard_delete = true
  request_id  = "DSR-1042"
  labels = {
    legal_basis  = "GDPR Art. 17(1)(a)"
    pull_request = "https://git.example.com/privacy/erasures/pull/88"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

# For good: the user, their messages, two-member conversations, files and polls.
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

# Restorable for now: raise it to "pruning" or "hard" later, in place.
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

output "receipt" {
  value = streamchat_user_erasure.dsr_1042.receipt
}

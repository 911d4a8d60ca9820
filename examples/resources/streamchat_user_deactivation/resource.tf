# The user contests their data: restrict its processing until that is settled.
resource "streamchat_user_deactivation" "dsr_1044" {
  user_id       = "waters-malone"
  revoke_tokens = true
  request_id    = "DSR-1044"
  labels = {
    legal_basis = "GDPR Art. 18(1)(a)"
  }

  lifecycle {
    postcondition {
      condition     = self.status != "reverted"
      error_message = "The restriction was lifted outside of Terraform: run apply again."
    }
  }
}

# On the way to an erasure: once the user is erased, this record is final.
# Taking it off the configuration never brings the user back.
resource "streamchat_user_deactivation" "dsr_1045" {
  user_id               = "grace-period"
  mark_messages_deleted = true
  on_destroy            = "forget"
  request_id            = "DSR-1045"

  lifecycle {
    postcondition {
      condition     = self.status != "reverted"
      error_message = "The restriction was lifted outside of Terraform: run apply again."
    }
  }
}

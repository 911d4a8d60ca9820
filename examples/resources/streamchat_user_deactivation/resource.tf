# Restrict while something is settled
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

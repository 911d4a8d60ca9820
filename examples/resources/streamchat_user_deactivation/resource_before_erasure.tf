# On the way to an erasure
# Once the user is erased, this record is final. Destroying it brings nobody back.
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

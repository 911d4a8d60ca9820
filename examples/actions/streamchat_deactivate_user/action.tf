# When a ticket is opened
action "streamchat_deactivate_user" "leaver" {
  config {
    user_id       = "waters-malone"
    revoke_tokens = true
  }
}

# The user is locked out at once.
resource "terraform_data" "ticket" {
  input = "DSR-1048"

  lifecycle {
    action_trigger {
      events  = [after_create]
      actions = [action.streamchat_deactivate_user.leaver]
    }
  }
}

import {
  to = streamchat_user_deactivation.dsr_0008
  identity = {
    user_id = "waters-malone"
  }
}

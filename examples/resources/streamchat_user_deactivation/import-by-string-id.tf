import {
  to = streamchat_user_deactivation.dsr_0008
  id = "waters-malone"
}

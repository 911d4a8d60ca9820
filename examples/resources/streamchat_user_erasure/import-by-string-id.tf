import {
  to = streamchat_user_erasure.dsr_0007
  id = "waters-malone"
}

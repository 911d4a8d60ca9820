import {
  to = streamchat_user_erasure.dsr_0007
  identity = {
    user_id = "waters-malone"
  }
}

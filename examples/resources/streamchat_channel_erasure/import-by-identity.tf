import {
  to = streamchat_channel_erasure.support_4001
  identity = {
    cid = "messaging:support-4001"
  }
}

import {
  to = streamchat_channel_erasure.support_4001
  id = "messaging:support-4001"
}

import {
  to = streamchat_retention_policy.messages
  identity = {
    policy = "old-messages"
  }
}

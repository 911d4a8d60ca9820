import {
  to = streamchat_retention_policy.messages
  id = "old-messages"
}

import {
  to = streamchat_message_erasure.posted_by_mistake
  identity = {
    message_id = "0b3f6f8e-2f0c-4a0e-8a39-0f5f4a1f3c55"
  }
}

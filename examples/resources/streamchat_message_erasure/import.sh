# Adopts the erasure of a message that was deleted by other means. Sends no
# deletion; refuses a message that is still there. Of a tombstone it records
# hard_delete = false, since Stream still has the text.
terraform import streamchat_message_erasure.posted_by_mistake 0b3f6f8e-2f0c-4a0e-8a39-0f5f4a1f3c55

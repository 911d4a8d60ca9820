# Adopts the erasure of a channel that was deleted by other means. Sends no
# deletion; refuses a channel that is still there. Stream does not say how it was
# deleted, or that it ever existed: the mode in the block is your claim.
terraform import streamchat_channel_erasure.support_4001 messaging:support-4001

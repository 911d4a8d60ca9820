# Adopts the erasure of a user who was deleted by other means. Sends no deletion;
# refuses a user who is still there. The modes in the block are your claim.
terraform import streamchat_user_erasure.dsr_0007 waters-malone

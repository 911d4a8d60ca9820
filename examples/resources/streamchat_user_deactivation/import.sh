# Adopts the restriction of a user who was deactivated by other means, or the
# record of one who was erased since. Refuses a user who is active.
terraform import streamchat_user_deactivation.dsr_0008 waters-malone

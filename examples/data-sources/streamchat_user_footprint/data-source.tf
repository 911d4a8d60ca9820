# The size of an erasure, for the reviewer
data "streamchat_user_footprint" "dsr_1042" {
  user_id = "waters-malone"
}

# For the reviewer of the plan.
output "size" {
  value = {
    channels      = length(data.streamchat_user_footprint.dsr_1042.channels)
    conversations = length(data.streamchat_user_footprint.dsr_1042.conversations)
    messages      = data.streamchat_user_footprint.dsr_1042.message_count
    or_more       = data.streamchat_user_footprint.dsr_1042.message_count_is_lower_bound
  }
}

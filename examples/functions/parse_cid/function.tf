output "channel_type" {
  value = provider::streamchat::parse_cid("messaging:support-4711").type
}

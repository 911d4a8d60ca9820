# Guests who were not seen since 2023
data "streamchat_users" "stale_guests" {
  filter = jsonencode({
    role        = "guest"
    last_active = { "$lt" = "2023-01-01T00:00:00Z" }
  })
  include_deactivated = true
}

output "stale_guests" {
  value = length(data.streamchat_users.stale_guests.user_ids)
}

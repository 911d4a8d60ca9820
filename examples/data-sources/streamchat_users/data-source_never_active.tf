# The same, and those who were never active
data "streamchat_users" "unused" {
  filter = jsonencode({
    "$or" = [
      { last_active = { "$lt" = "2023-01-01T00:00:00Z" } },
      { last_active = { "$exists" = false }, created_at = { "$lt" = "2023-01-01T00:00:00Z" } },
    ]
  })
  include_deactivated = true
}

# Channels without activity for five years
resource "streamchat_retention_policy" "channels" {
  policy        = "inactive-channels"
  max_age_hours = 43800
}

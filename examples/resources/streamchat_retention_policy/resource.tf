# Messages of more than three years go, for everybody and for good.
resource "streamchat_retention_policy" "messages" {
  policy        = "old-messages"
  max_age_hours = 3 * 365 * 24

  lifecycle {
    prevent_destroy = true
  }
}

# Channels without activity for five years go with all their messages.
resource "streamchat_retention_policy" "channels" {
  policy        = "inactive-channels"
  max_age_hours = 43800
}

# Messages of more than three years
# They go, for everybody and for good.
resource "streamchat_retention_policy" "messages" {
  policy        = "old-messages"
  max_age_hours = 3 * 365 * 24

  lifecycle {
    prevent_destroy = true
  }
}

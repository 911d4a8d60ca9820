# Deactivated guests
# terraform query -generate-config-out=restrictions.tf
list "streamchat_user_deactivation" "guests" {
  provider = streamchat
  limit    = 500

  config {
    filter = jsonencode({ role = "guest" })
  }
}

data "streamchat_user_export" "request" {
  user_id = "waters-malone"
}

# Only counts and dates, so that it may be shown; null once the user is gone.
output "summary" {
  value = nonsensitive(provider::streamchat::export_summary(data.streamchat_user_export.request.json))
}

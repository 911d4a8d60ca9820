# Beware: the content lands in the state. See the warning above.
data "streamchat_user_export" "request" {
  user_id = "waters-malone"
}

output "messages" {
  value = data.streamchat_user_export.request.message_count
}

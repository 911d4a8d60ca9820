# The content lands in the state
data "streamchat_user_export" "request" {
  user_id = "waters-malone"
}

output "messages" {
  value = data.streamchat_user_export.request.message_count
}

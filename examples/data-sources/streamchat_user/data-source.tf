# Is somebody there?
data "streamchat_user" "subject" {
  user_id = "waters-malone"
  probe   = true # tells a deleted user from one who never existed
}

output "status" {
  value = data.streamchat_user.subject.status
}

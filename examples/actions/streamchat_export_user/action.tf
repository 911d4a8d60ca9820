# By hand
# terraform apply -invoke=action.streamchat_export_user.dsr_1047
action "streamchat_export_user" "dsr_1047" {
  config {
    user_id        = "waters-malone"
    path           = "exports/DSR-1047.json.age"
    age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  }
}

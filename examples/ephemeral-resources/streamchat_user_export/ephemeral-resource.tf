# Handed over, and kept nowhere
# TF_VAR_user_id=… terraform apply
variable "user_id" {
  type      = string
  ephemeral = true
}

ephemeral "streamchat_user_export" "request" {
  user_id = var.user_id
}

# Any write-only argument takes it as well, such as data_json_wo of
# vault_kv_secret_v2. Neither plan nor state holds the id or the export.
resource "terraform_data" "hand_over" {
  provisioner "local-exec" {
    command = "printf %s \"$EXPORT\" | age -r \"$RECIPIENT\" | curl -fsS -T - \"$INBOX\""
    environment = {
      EXPORT    = ephemeral.streamchat_user_export.request.json
      RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
      INBOX     = "https://inbox.example.com/DSR-1046"
    }
  }
}

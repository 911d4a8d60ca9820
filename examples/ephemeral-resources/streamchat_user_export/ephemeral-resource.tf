# Into a secret store
# TF_VAR_user_id=… terraform apply
variable "user_id" {
  type      = string
  ephemeral = true
}

ephemeral "streamchat_user_export" "request" {
  user_id = var.user_id
}

# Any write-only argument takes it: here a secret store, where only the person's
# case worker reads it. Neither plan nor state holds the id or the export.
resource "vault_kv_secret_v2" "request" {
  mount = "privacy"
  name  = "DSR-1046"
  data_json_wo = jsonencode({
    export = ephemeral.streamchat_user_export.request.json
  })
  data_json_wo_version = 1
}

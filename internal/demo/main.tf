terraform {
  required_providers {
    streamchat = {
      source = "streamchat-gdpr/streamchat"
    }
  }
}

# The address and the credentials of the emulator are in the environment.
provider "streamchat" {
  expected_app_name = "Demo Chat"
  protected_roles   = ["admin"]
}

# Right of access: what Stream holds, encrypted to the data protection officer.
resource "streamchat_user_export" "dsr_1042" {
  user_id        = "waters-malone"
  path           = "${path.module}/dsr-1042.json.age"
  age_recipients = [var.officer]
}

# Right to erasure: only after the export was taken.
resource "streamchat_user_erasure" "dsr_1042" {
  user_id    = "waters-malone"
  delete     = { user = "hard" } # messages, conversations, files and polls follow
  request_id = "DSR-1042"
  labels     = { legal_basis = "GDPR Art. 17(1)(b)", approver = "dpo" }
  depends_on = [streamchat_user_export.dsr_1042]

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

variable "officer" {
  type = string
}

output "receipt" {
  value     = streamchat_user_erasure.dsr_1042.receipt
  sensitive = true # only to keep it out of the apply's output: it names nobody
}

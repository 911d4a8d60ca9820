# One data-subject request from restriction to proof, ordered by dependencies:
# restrict, footprint, export, object store, erase, prove.

terraform {
  required_version = ">= 1.11"

  required_providers {
    streamchat = {
      source  = "streamchat-gdpr/streamchat"
      version = "~> 0.1"
    }
  }
}

# Credentials come from STREAM_API_KEY and STREAM_API_SECRET.
provider "streamchat" {
  expected_app_name = var.app_name
  protected_roles   = ["admin"]
}

variable "app_name" {
  description = "The Stream app that is meant."
  type        = string
}

variable "user_id" {
  description = "Whom the request is about."
  type        = string
}

variable "request_id" {
  description = "The number of the request in the ticket system."
  type        = string
}

variable "officer" {
  description = "The data protection officer's age key: nobody else can read the export."
  type        = string
}

variable "exports_dir" {
  description = "Where the export is written first: outside of the repository's working tree."
  type        = string
}

variable "store" {
  description = "Where exports are kept. A directory stands in for your object store."
  type        = string
}

# 1. Restriction of processing (Art. 18): nobody writes while the rest is done.
resource "streamchat_user_deactivation" "restriction" {
  user_id    = var.user_id
  request_id = var.request_id
  on_destroy = "forget"

  lifecycle {
    postcondition {
      condition     = self.status != "reverted"
      error_message = "The restriction was lifted elsewhere: run apply again."
    }
  }
}

# 2. What an erasure would touch, for the reviewer. Kept as it was found: when the
# user is gone, there is nothing to count any more.
data "streamchat_user_footprint" "subject" {
  user_id = var.user_id
}

resource "terraform_data" "footprint" {
  input = {
    messages      = data.streamchat_user_footprint.subject.message_count
    channels      = length(data.streamchat_user_footprint.subject.channels)
    conversations = length(data.streamchat_user_footprint.subject.conversations)
    owned         = length(data.streamchat_user_footprint.subject.owned_channels)
    polls         = try(length(data.streamchat_user_footprint.subject.polls), null) # not listed once deactivated
  }

  lifecycle {
    ignore_changes = [input]
  }
}

# 3. Right of access (Art. 15 and 20): pages, JSON and files for the person, in a ZIP
#    that only the officer can open.
resource "streamchat_user_export" "subject" {
  user_id        = var.user_id
  request_id     = var.request_id
  path           = "${var.exports_dir}/${var.request_id}.zip.age"
  age_recipients = [var.officer]
  format         = "bundle"
  audience       = "subject"
  attachments    = true

  depends_on = [streamchat_user_deactivation.restriction, terraform_data.footprint]
}

# 4. Durable storage. In your project: aws_s3_object, azurerm_storage_blob, …
resource "terraform_data" "stored" {
  input = {
    sha256      = streamchat_user_export.subject.sha256
    file_sha256 = streamchat_user_export.subject.file_sha256
  }
  triggers_replace = streamchat_user_export.subject.file_sha256

  provisioner "local-exec" {
    command = "mkdir -p \"$STORE\" && cp \"$FILE\" \"$STORE/\""
    quiet   = true
    environment = {
      STORE = var.store
      FILE  = streamchat_user_export.subject.path
    }
  }
}

# 5. Right to erasure (Art. 17), only after the export is safe.
resource "streamchat_user_erasure" "subject" {
  user_id    = var.user_id
  request_id = var.request_id
  labels     = { legal_basis = "GDPR Art. 17(1)(b)" }
  exports    = [terraform_data.stored.output.sha256] # the export goes first

  delete {
    user = "hard" # messages, conversations, files and polls follow
  }

  lifecycle {
    precondition {
      condition     = streamchat_user_export.subject.complete
      error_message = "The export may miss something: read what, then decide."
    }

    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

# 6. Proof, asked of Stream once more and in every later plan.
data "streamchat_user" "proof" {
  user_id    = var.user_id
  probe      = true
  depends_on = [streamchat_user_erasure.subject]

  lifecycle {
    postcondition {
      condition     = self.status == "deleted"
      error_message = "Stream still has this user."
    }
  }
}

output "receipt" {
  description = "For the auditor's archive. It names nobody."
  value       = streamchat_user_erasure.subject.receipt
}

# One request. It has no provider block, so that it can be called with for_each.
# The stages are apart because there are people between them.

terraform {
  required_version = ">= 1.11"

  required_providers {
    streamchat = {
      source  = "streamchat-gdpr/streamchat"
      version = "~> 0.1"
    }
  }
}

locals {
  labels = {
    for name, value in { legal_basis = try(var.request.legal_basis, null), received = try(var.request.received, null) } :
    name => tostring(value) if value != null
  }
}

# Restriction of processing (Art. 18). Taking the stage back before the erasure lifts it.
resource "streamchat_user_deactivation" "this" {
  count = contains(var.request.stages, "restrict") ? 1 : 0

  user_id    = var.user_id
  request_id = var.request_id
  labels     = local.labels

  lifecycle {
    postcondition {
      condition     = self.status != "reverted"
      error_message = "The restriction was lifted elsewhere: plan and apply again."
    }
  }
}

# Right of access (Art. 15 and 20): a file that only the officer can open.
resource "streamchat_user_export" "this" {
  count = contains(var.request.stages, "export") ? 1 : 0

  user_id        = var.user_id
  request_id     = var.request_id
  labels         = local.labels
  path           = "${var.exports_dir}/${var.request_id}.json.age"
  age_recipients = [var.officer]

  depends_on = [streamchat_user_deactivation.this]
}

# Right to erasure (Art. 17).
resource "streamchat_user_erasure" "this" {
  count = contains(var.request.stages, "erase") ? 1 : 0

  user_id    = var.user_id
  request_id = var.request_id
  labels     = local.labels
  exports    = contains(var.request.stages, "export") ? streamchat_user_export.this[*].sha256 : null # it goes first

  delete {
    user = "hard" # messages, conversations, files and polls follow
  }

  timeouts = {
    create = var.timeout
    update = var.timeout
  }

  lifecycle {
    precondition {
      condition     = alltrue(streamchat_user_export.this[*].complete)
      error_message = "The export may miss something: read what, then decide."
    }

    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: plan and apply again, which asks for the result."
    }
  }

  depends_on = [streamchat_user_deactivation.this]
}

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
  # In the request's file or in the variable, never in both. Only from a file it may go
  # where plan and state keep it: a value that was ephemeral once stays so.
  user_id    = var.request.user_id
  user_id_wo = local.user_id == null ? var.user_id_wo : null

  labels = {
    for name, value in { legal_basis = var.request.legal_basis, received = var.request.received } : name => value if value != null
  }
  bundle = var.request.export.format == "bundle"
}

# Restriction of processing (Art. 18). Taking the stage back before the erasure lifts it,
# if the request's file has the id: a destroy reads no configuration.
resource "streamchat_user_deactivation" "this" {
  count = contains(var.request.stages, "restrict") ? 1 : 0

  user_id    = local.user_id
  user_id_wo = local.user_id_wo
  request_id = var.request_id
  labels     = local.labels
  on_destroy = local.user_id == null ? "forget" : "reactivate"

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

  user_id        = local.user_id
  user_id_wo     = local.user_id_wo
  request_id     = var.request_id
  labels         = local.labels
  path           = "${var.exports_dir}/${var.request_id}.${local.bundle ? "zip" : "json"}.age"
  age_recipients = [var.officer]
  format         = var.request.export.format
  audience       = var.request.export.audience
  attachments    = coalesce(var.request.export.attachments, local.bundle)

  depends_on = [streamchat_user_deactivation.this]
}

# Right to erasure (Art. 17), at once or in two stages.
resource "streamchat_user_erasure" "this" {
  count = contains(var.request.stages, "erase") ? 1 : 0

  user_id      = local.user_id
  user_id_wo   = local.user_id_wo
  request_id   = var.request_id
  labels       = local.labels
  received_at  = var.request.received
  grace_period = var.request.grace_period
  exports      = contains(var.request.stages, "export") ? streamchat_user_export.this[*].sha256 : null # it goes first

  delete {
    user = "hard" # messages, conversations, files and polls follow
  }

  timeouts = {
    create = var.timeout
    update = var.timeout
  }

  lifecycle {
    precondition {
      condition     = alltrue(streamchat_user_export.this[*].complete) || var.request.accept_incomplete
      error_message = "${var.request_id}: the export may miss something. Read what, then say accept_incomplete."
    }

    postcondition {
      condition     = contains(["scheduled", "completed"], self.status)
      error_message = "${var.request_id}: not erased yet. Plan and apply again, which asks for the result."
    }
  }

  depends_on = [streamchat_user_deactivation.this]
}

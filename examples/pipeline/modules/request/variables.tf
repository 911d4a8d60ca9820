variable "request_id" {
  description = "The number of the request in the ticket system."
  type        = string
}

variable "user_id_wo" {
  description = "Whom the request is about, unless its file says so. It reaches neither plan nor state."
  type        = string
  ephemeral   = true
  default     = null
}

variable "request" {
  description = "The request's file: stages, and what is known of it."
  type        = any

  validation {
    condition     = alltrue([for stage in var.request.stages : contains(["restrict", "export", "erase"], stage)])
    error_message = "${var.request_id}: the stages are restrict, export and erase."
  }

  validation {
    condition = length(setsubtract(keys(var.request), [
      "accept_incomplete", "app", "export", "grace_period", "legal_basis", "received", "stages", "user_id",
    ])) == 0
    error_message = "${var.request_id}: a request has app, stages, user_id, received, legal_basis, export, accept_incomplete and grace_period, and nothing else."
  }

  validation {
    condition     = length(setsubtract(keys(try(var.request.export, {})), ["attachments", "audience", "format"])) == 0
    error_message = "${var.request_id}: an export has format, audience and attachments, and nothing else."
  }
}

variable "officer" {
  description = "The age key to which the export is encrypted."
  type        = string
}

variable "exports_dir" {
  description = "Where the export is written."
  type        = string
}

variable "timeout" {
  description = "How long an apply waits for Stream."
  type        = string
  default     = "30m"
}

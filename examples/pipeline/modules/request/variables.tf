variable "request_id" {
  description = "The number of the request in the ticket system."
  type        = string
}

variable "user_id" {
  description = "Whom the request is about."
  type        = string
}

variable "request" {
  description = "The request's file: stages, and what is known of it."
  type        = any

  validation {
    condition     = alltrue([for stage in var.request.stages : contains(["restrict", "export", "erase"], stage)])
    error_message = "The stages are restrict, export and erase."
  }

  validation {
    condition     = length(setsubtract(keys(var.request), ["app", "legal_basis", "received", "stages", "user_id"])) == 0
    error_message = "A request has app, user_id, received, legal_basis and stages, and nothing else."
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

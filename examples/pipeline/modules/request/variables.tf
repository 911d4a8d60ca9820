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
  description = "The request's file, as main.tf has checked it."

  type = object({
    stages            = set(string)
    user_id           = optional(string)
    received          = optional(string)
    legal_basis       = optional(string)
    grace_period      = optional(string)
    accept_incomplete = optional(bool, false)

    # An answer that a person can read, unless the file wants something else.
    export = optional(object({
      format      = optional(string, "bundle")
      audience    = optional(string, "subject")
      attachments = optional(bool)
    }), {})
  })
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

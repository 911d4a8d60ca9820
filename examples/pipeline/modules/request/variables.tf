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
  type        = any
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

variable "production" {
  description = "The app that is live: TF_VAR_production, as an object in JSON or HCL."
  ephemeral   = true

  type = object({
    app_name   = string
    api_key    = string
    api_secret = string
    base_url   = optional(string) # e.g. of an emulator
  })
}

variable "staging" {
  description = "The app for tests: TF_VAR_staging."
  ephemeral   = true

  type = object({
    app_name   = string
    api_key    = string
    api_secret = string
    base_url   = optional(string) # e.g. of an emulator
  })
}

# A text, and taken apart in main.tf: Terraform would make "7" of 7, "100000" of 1e5, and one
# of two equal numbers.
variable "user_ids" {
  description = "Who is meant, by request number, for requests whose file does not say so: TF_VAR_user_ids, as JSON, from a store of secrets."
  type        = string
  ephemeral   = true # in no plan and no state: the apply needs it again
  sensitive   = true
  default     = "{}"
}

variable "officer" {
  description = "The data protection officer's age key (age-keygen makes one): nobody else can read the exports."
  type        = string
}

variable "exports_dir" {
  description = "Where exports are written: a directory that git ignores, or one outside of the checkout."
  type        = string
}

variable "timeout" {
  description = "How long an apply waits for Stream before it leaves the rest to the next run."
  type        = string
  default     = "30m"
}

# An access request
variable "exports_dir" {
  description = "Outside of the repository's working tree."
  type        = string
  default     = "/tmp/exports"
}

resource "streamchat_user_export" "dsr_1041" {
  user_id        = "waters-malone"
  request_id     = "DSR-1041"
  path           = "${var.exports_dir}/DSR-1041.zip.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"] # the officer's

  # What the person gets: pages to read, their data as JSON and their files, without what
  # belongs to others.
  format      = "bundle"
  audience    = "subject"
  attachments = true
}

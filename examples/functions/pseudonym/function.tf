variable "pseudonym_key" {
  type      = string
  sensitive = true
}

# Finds the receipt of a person in the archive: it names them by this.
output "subject" {
  value     = provider::streamchat::pseudonym("waters-malone", var.pseudonym_key)
  sensitive = true
}

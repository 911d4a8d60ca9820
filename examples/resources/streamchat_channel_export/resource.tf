# An archive of two channels before they are erased: what everybody wrote in
# them, encrypted, as Stream exports it.
resource "streamchat_channel_export" "project" {
  cids           = ["team:project-42", "messaging:project-42-announcements"]
  path           = "${path.module}/exports/project-42.json.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]

  # Everything Stream still has: truncated messages too, and soft-deleted
  # messages with their text.
  include_truncated_messages = true
}

# More than 25 channels: one export for each 25.
variable "closed_channels" {
  type    = list(string)
  default = []
}

resource "streamchat_channel_export" "closed" {
  for_each = { for i, cids in chunklist(var.closed_channels, 25) : i => cids }

  cids    = each.value
  version = "v2"
  path    = "${path.module}/exports/closed-${each.key}.jsonl"
}

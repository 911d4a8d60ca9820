# An encrypted archive before channels are erased
resource "streamchat_channel_export" "project" {
  cids           = ["team:project-42", "messaging:project-42-announcements"]
  path           = "/tmp/exports/project-42.json.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]

  # Everything Stream still has: truncated messages too, and soft-deleted
  # messages with their text.
  include_truncated_messages = true
}

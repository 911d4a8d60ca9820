# The export is taken before the erasure, encrypted to the data protection officer.
resource "streamchat_user_export" "dsr_1042" {
  user_id        = "waters-malone"
  path           = "${path.module}/exports/dsr-1042.json.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]

  # Beyond 10,000 messages Stream refuses its own export, and this one is
  # assembled from the user's channels: large, but not provably everything.
  # Remove this once you have reviewed what an assembled export can miss.
  lifecycle {
    postcondition {
      condition     = self.complete
      error_message = "The export was assembled and may miss something: see the documentation of complete."
    }
  }
}

resource "streamchat_user_erasure" "dsr_1042" {
  user_id    = "waters-malone"
  delete     = { user = "hard" }
  request_id = "DSR-1042"

  # Put the copy to durable storage in between: an object store resource that
  # depends on the export, and that this erasure depends on.
  depends_on = [streamchat_user_export.dsr_1042]

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

# An export, then the erasure
resource "streamchat_user_export" "dsr_1042" {
  user_id        = "waters-malone"
  path           = "/tmp/exports/dsr-1042.zip.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  format         = "bundle"
  attachments    = true # the erasure destroys the originals
}

resource "streamchat_user_erasure" "dsr_1042" {
  user_id    = "waters-malone"
  request_id = "DSR-1042"

  # The export goes first, and its hash into the receipt.
  exports = [streamchat_user_export.dsr_1042.sha256]

  # Put the copy to durable storage in between: an object store resource that
  # depends on the export, and that this erasure depends on.
  # depends_on = [aws_s3_object.dsr_1042]

  delete {
    user = "hard"
  }

  lifecycle {
    # Beyond 10,000 messages an export is assembled and not provably everything, and
    # files may be missing: take this out once you have reviewed what it can miss.
    precondition {
      condition     = streamchat_user_export.dsr_1042.complete
      error_message = "The export may miss something: review it before erasing."
    }

    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

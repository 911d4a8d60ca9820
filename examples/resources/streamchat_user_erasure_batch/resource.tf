# Several people, one record
resource "streamchat_user_erasure_batch" "q3" {
  user_ids   = ["waters-malone", "ruiz-dana", "okafor-sam"]
  request_id = "CAMPAIGN-2026-Q3"

  delete {
    user = "hard"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not all erased yet: run apply again."
    }
  }
}

output "not_erased" {
  description = "Why, by user id, where a deletion failed. Empty when all is well."
  value       = streamchat_user_erasure_batch.q3.failures
}

# Everybody who asked this quarter, in one record.
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

# Any number: batches of 1,000. Let the file only grow at its end.
locals {
  leavers = chunklist(compact([for id in split("\n", file("${path.module}/leavers.txt")) : trimspace(id)]), 1000)
}

resource "streamchat_user_erasure_batch" "leavers" {
  for_each = { for i, ids in local.leavers : format("leavers-%03d", i) => ids }

  user_ids = each.value

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

# Any number, from a file
# Batches of 1,000. Let the file only grow at its end.
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

# Without the id in plan and state
# TF_VAR_subjects='{"DSR-1044":{"user_id":"…","name":"…"}}' for the plan and for the apply.
variable "subjects" {
  type      = map(object({ user_id = string, name = string }))
  ephemeral = true
  default   = {}
}

# One number for each request: these are in the plan.
variable "requests" {
  type    = set(string)
  default = []
}

resource "streamchat_user_erasure" "request" {
  for_each = var.requests

  user_id_wo  = var.subjects[each.key].user_id
  expected_wo = { name = var.subjects[each.key].name } # is this the person who asked?
  request_id  = each.key

  delete {
    user = "hard"
  }

  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }
}

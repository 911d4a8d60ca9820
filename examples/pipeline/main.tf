# Requests of data subjects, one YAML file each, for two apps.

terraform {
  required_version = ">= 1.11"

  required_providers {
    streamchat = {
      source  = "streamchat-gdpr/streamchat"
      version = "~> 0.1"
    }
  }

  # State and plans hold requests, dates and hashes, and the ids that a request's file has.
  # Keep them where few can read, encrypted, with a lock, and say how long, e.g.:
  #
  # backend "s3" {
  #   bucket       = "BUCKET"
  #   key          = "erasures/terraform.tfstate"
  #   region       = "REGION"
  #   encrypt      = true
  #   use_lockfile = true
  # }
}

locals {
  requests = {
    for file in fileset("${path.module}/requests", "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${path.module}/requests/${file}"))
  }
}

# A request for another app than these two is nobody's: it must not pass unseen.
locals {
  strays = [for number, request in local.requests : number if !contains(["production", "staging"], request.app)]
}

resource "terraform_data" "apps" {
  lifecycle {
    precondition {
      condition     = length(local.strays) == 0
      error_message = "${join(", ", local.strays)}: the app is production or staging."
    }
  }
}

module "production" {
  source    = "./modules/request"
  for_each  = { for number, request in local.requests : number => request if request.app == "production" }
  providers = { streamchat = streamchat.production }

  request_id  = each.key
  request     = each.value
  user_id_wo  = lookup(var.user_ids, each.key, null)
  officer     = var.officer
  exports_dir = var.exports_dir
  timeout     = var.timeout
}

module "staging" {
  source    = "./modules/request"
  for_each  = { for number, request in local.requests : number => request if request.app == "staging" }
  providers = { streamchat = streamchat.staging }

  request_id  = each.key
  request     = each.value
  user_id_wo  = lookup(var.user_ids, each.key, null)
  officer     = var.officer
  exports_dir = var.exports_dir
  timeout     = var.timeout
}

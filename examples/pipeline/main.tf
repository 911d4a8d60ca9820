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
  folder = "${path.module}/requests"
  files = {
    for file in fileset(local.folder, "*.yaml") :
    trimsuffix(file, ".yaml") => try(yamldecode(file("${local.folder}/${file}")), null)
  }
  readable = { for number, file in local.files : number => file if can(keys(file)) }

  # What may be wrong, and the requests that have it.
  mistakes = {
    "requests/ has nothing but files NUMBER.yaml" = [
      for file in setsubtract(fileset(local.folder, "**"), fileset(local.folder, "*.yaml")) : file if !startswith(file, ".")
    ]
    "the file is empty or broken" = setsubtract(keys(local.files), keys(local.readable))
    "the app is production or staging" = [
      for number, file in local.readable : number if !try(contains(["production", "staging"], file.app), false)
    ]
    "the stages are some of restrict, export and erase" = [
      for number, file in local.readable : number
      if !try(length(file.stages) > 0 && length(setsubtract(file.stages, ["restrict", "export", "erase"])) == 0, false)
    ]
    "a request has app, stages, user_id, received, legal_basis, export, accept_incomplete and grace_period, and nothing else" = [
      for number, file in local.readable : number if length(setsubtract(keys(file), [
        "accept_incomplete", "app", "export", "grace_period", "legal_basis", "received", "stages", "user_id",
      ])) > 0
    ]
    "an export has format, audience and attachments, and nothing else" = [
      for number, file in local.readable : number
      if !try(length(setsubtract(keys(try(file.export, {})), ["attachments", "audience", "format"])) == 0, false)
    ]
  }

  requests = { for number, file in local.readable : number => file if !contains(flatten(values(local.mistakes)), number) }
}

# A request that nobody understands must not pass unseen.
resource "terraform_data" "requests" {
  lifecycle {
    precondition {
      condition     = length(flatten(values(local.mistakes))) == 0
      error_message = join("\n", [for mistake, numbers in local.mistakes : "${join(", ", numbers)}: ${mistake}." if length(numbers) > 0])
    }
  }
}

# Only a warning: an id is in the store of secrets before its file is merged.
check "user_ids" {
  assert {
    condition     = length(setsubtract(nonsensitive(keys(var.user_ids)), keys(local.files))) == 0
    error_message = "TF_VAR_user_ids has a number that no file in requests/ has."
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

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

  # A file is read twice, as YAML and as the lines that people review: YAML makes 7 of 007,
  # and of two equal keys it takes the last. Only where both say the same it is a request.
  lines = {
    for file in fileset(local.folder, "*.yaml") : trimsuffix(file, ".yaml") =>
    try(split("\n", replace(file("${local.folder}/${file}"), "/\\r\\n|[\\r\\x{85}\\x{2028}\\x{2029}]/", "\n")), [])
  }
  files    = { for number, lines in local.lines : number => try(yamldecode(join("\n", lines)), null) }
  readable = { for number, file in local.files : number => file if can(keys(file)) }

  comment = "(?:[ \\t]+#.*)?[ \\t]*$"
  pair    = "^(?P<key>[a-z_]+):(?:[ \\t]+(?:\"(?P<double>[^\"\\\\]*)\"|'(?P<single>[^']*)'|(?P<plain>[^\\s\"'#].*?)))?${local.comment}"
  inside  = "[][{}a-z_:,\"' \\t-]*" # of stages and export: no anchor, alias, tag or escape
  texts   = ["app", "grace_period", "legal_basis", "received", "user_id"]

  # The keys of each file, with the line and the text that stands there.
  pairs = { for number, lines in local.lines : number => flatten([
    for i, line in lines : [
      for found in regexall(local.pair, line) :
      { line = i + 1, key = found.key, text = try(coalesce(found.double, found.single, found.plain), ""), bare = found.plain != null }
    ]
  ]) }

  # What may be wrong in a line, and where it is.
  slips = {
    "a line has a key and its value, belongs to stages or export, or is a comment" = flatten([
      for number, lines in local.lines : [
        for i, line in lines : "${number}.yaml line ${i + 1}"
        if !can(regex(local.pair, line)) && !can(regex("^(---)?[ \\t]*(#.*)?$", line)) && !can(regex("^[ \\t-]${local.inside}${local.comment}", line))
      ]
    ])
    "a key stands once" = flatten([
      for number, pairs in local.pairs : [
        for i, pair in pairs : "${number}.yaml line ${pair.line}" if contains(slice(pairs[*].key, 0, i), pair.key)
      ]
    ])
    "a text is one line, and in quotes if YAML takes it for something else, e.g. \"007\"" = flatten([
      for number, file in local.readable : [
        for pair in local.pairs[number] : "${number}.yaml line ${pair.line}"
        if contains(local.texts, pair.key) && (pair.text == "" || !contains(
          [jsonencode(pair.text), jsonencode(pair.key == "received" ? "${pair.text}T00:00:00Z" : pair.text)], # a date is a time to YAML
          try(jsonencode(file[pair.key]), "")
        ))
      ]
    ])
    "accept_incomplete is true or false" = flatten([
      for number, file in local.readable : [
        for pair in local.pairs[number] : "${number}.yaml line ${pair.line}"
        if pair.key == "accept_incomplete" && !contains(["true", "false"], pair.bare ? pair.text : "")
      ]
    ])
    "stages and export have words and brackets, and nothing else" = flatten([
      for number, pairs in local.pairs : [
        for pair in pairs : "${number}.yaml line ${pair.line}"
        if contains(["stages", "export"], pair.key) && !can(regex("^${local.inside}$", pair.text))
      ]
    ])
  }

  # What may be wrong in a file, and the requests that have it.
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
    "each key stands at the beginning of a line" = [
      for number, file in local.readable : number if length(setsubtract(keys(file), local.pairs[number][*].key)) > 0
    ]
    "an export has format (bundle or json), audience (subject or controller) and attachments (true or false), each once, and nothing else" = [
      for number, file in local.readable : number
      if !try(alltrue([for key, value in try(file.export, {}) : contains(local.export[key], jsonencode(value))]), false) || anytrue([
        for key in keys(local.export) :
        length(regexall("\\b${key}\\b[\"']?[ \\t]*:", join("\n", [for line in local.lines[number] : line if can(regex("^(export:|[ \\t])", line))]))) > 1
      ])
    ]
  }
  export = {
    attachments = ["true", "false"]
    audience    = ["\"controller\"", "\"subject\""]
    format      = ["\"bundle\"", "\"json\""]
  }

  refused = concat(flatten(values(local.mistakes)), [for slip in flatten(values(local.slips)) : regex("^(.*)\\.yaml line", slip)[0]])
  requests = {
    for number, file in local.readable : number => merge(file, {
      received = one([for pair in local.pairs[number] : pair.text if pair.key == "received"])
    }) if !contains(local.refused, number)
  }

  entry    = "\"([^\"\\\\]+)\"\\s*:\\s*\"([^\"\\\\]+)\""
  user_ids = { for entry in regexall(local.entry, var.user_ids) : entry[0] => entry[1]... }
}

# A request that nobody understands must not pass unseen.
resource "terraform_data" "requests" {
  lifecycle {
    precondition {
      condition = length(local.refused) == 0
      error_message = join("\n", [
        for mistake, places in merge(local.mistakes, local.slips) : "${join(", ", places)}: ${mistake}." if length(places) > 0
      ])
    }
    precondition {
      condition     = can(regex("^\\s*\\{\\s*(${local.entry}(\\s*,\\s*${local.entry})*)?\\s*\\}\\s*$", var.user_ids)) && alltrue([for ids in values(local.user_ids) : length(ids) == 1])
      error_message = "TF_VAR_user_ids is a JSON object, {\"NUMBER\": \"ID\"}, each number once, each id in quotes as it is: no number, no true, no escape."
    }
  }
}

# Only a warning: an id is in the store of secrets before its file is merged.
check "user_ids" {
  assert {
    condition     = length(setsubtract(nonsensitive(keys(local.user_ids)), keys(local.files))) == 0
    error_message = "TF_VAR_user_ids has a number that no file in requests/ has."
  }
}

module "production" {
  source    = "./modules/request"
  for_each  = { for number, request in local.requests : number => request if request.app == "production" }
  providers = { streamchat = streamchat.production }

  request_id  = each.key
  request     = each.value
  user_id_wo  = lookup(local.user_ids, each.key, [null])[0]
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
  user_id_wo  = lookup(local.user_ids, each.key, [null])[0]
  officer     = var.officer
  exports_dir = var.exports_dir
  timeout     = var.timeout
}

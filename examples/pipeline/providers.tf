# One alias for each app: two of them cannot both read STREAM_API_SECRET. Ephemeral
# variables reach neither plan nor state; the apply needs them again.

provider "streamchat" {
  alias             = "production"
  api_key           = var.production.api_key
  api_secret        = var.production.api_secret
  base_url          = var.production.base_url
  expected_app_name = var.production.app_name
  hold_field        = "legal_hold"
  protected_roles   = ["admin"]
  max_erasures      = 10
}

provider "streamchat" {
  alias             = "staging"
  api_key           = var.staging.api_key
  api_secret        = var.staging.api_secret
  base_url          = var.staging.base_url
  expected_app_name = var.staging.app_name
  hold_field        = "legal_hold"
  protected_roles   = ["admin"]
  max_erasures      = 10
}

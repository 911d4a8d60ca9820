terraform {
  required_version = ">= 1.11"

  required_providers {
    streamchat = {
      source  = "streamchat-gdpr/streamchat"
      version = "~> 0.1"
    }
  }
}

# Credentials come from STREAM_API_KEY and STREAM_API_SECRET, the key for the
# pseudonyms in receipts from STREAMCHAT_PSEUDONYM_KEY.
provider "streamchat" {
  expected_app_name     = "Example Chat (production)"
  protected_user_ids    = ["support-bot"]
  protected_roles       = ["admin"]
  hold_field            = "legal_hold"
  max_erasures          = 20
  retention_floor_hours = 365 * 24
}

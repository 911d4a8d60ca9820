# A policy that the app has already must be imported: it is never taken over.
terraform import streamchat_retention_policy.messages old-messages

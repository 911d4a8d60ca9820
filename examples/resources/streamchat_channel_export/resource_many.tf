# More than 25 channels
variable "closed_channels" {
  type    = list(string)
  default = []
}

resource "streamchat_channel_export" "closed" {
  for_each = { for i, cids in chunklist(var.closed_channels, 25) : i => cids }

  cids    = each.value
  version = "v2"
  path    = "/tmp/exports/closed-${each.key}.jsonl"
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"maps"
	"slices"
)

// appSettings are the settings of the app that something here depends on.
type appSettings struct {
	id           int
	name         string
	uniqueName   string // no, app, team
	revokeBefore stamp
	hooks        map[string]string // by the names of hookSettings
}

// hookSettings say where Stream sends events. They are kept and shown; nothing
// is sent.
var hookSettings = []string{
	"webhook_url", "sqs_url", "sqs_key", "sqs_secret", "sns_topic_arn", "sns_key", "sns_secret",
}

func (a *appSettings) uniqueNames() bool { return a.uniqueName == "app" }

func appRoutes() []route {
	return []route{
		newRoute("GET /app", opGetApp, anyone, (*Emulator).getApp),
		newRoute("PATCH /app", opUpdateApp, serverOnly, (*Emulator).updateApp),
		newRoute("GET /rate_limits", opGetRateLimits, serverOnly, (*Emulator).getRateLimits),
	}
}

// getApp is GET /app.
func (e *Emulator) getApp(c *call) error {
	out := &c.out
	out.key("app").open('{')
	out.kint("id", e.app.id)
	out.kstr("name", e.app.name)
	out.kstr("organization", "Emulator")
	out.kbool("suspended", false)
	out.kstr("suspended_explanation", "")
	out.kbool("disable_auth_checks", false)
	out.kbool("disable_permissions_checks", false)
	out.kbool("multi_tenant_enabled", false)
	unique := e.app.uniqueName
	if unique == "" {
		unique = "no"
	}
	out.kstr("enforce_unique_usernames", unique)
	out.kstr("permission_version", "v2")
	for _, k := range hookSettings {
		if c.server { // unproven: what an end user gets of them
			out.kstr(k, e.app.hooks[k])
		}
	}
	out.key("webhook_events").raw([]byte("[]"))
	out.ktimeOrNull("revoke_tokens_issued_before", e.app.revokeBefore)
	out.key("channel_configs").open('{')
	for _, typ := range []string{"commerce", "gaming", "livestream", "messaging", "team"} {
		out.key(typ).open('{')
		out.kstr("name", typ)
		out.kint("max_message_length", maxText)
		out.kbool("search", true)
		out.kbool("reactions", true)
		out.kbool("replies", true)
		out.key("commands").raw([]byte("[]"))
		out.shut('}')
	}
	out.shut('}')
	for _, k := range []string{"policies", "grants"} {
		out.key(k).raw([]byte("{}"))
	}
	out.key("push_notifications").raw([]byte(`{"version":"v2","offline_only":false}`))
	out.shut('}')
	return nil
}

// updateApp is PATCH /app, for the settings that have an effect here.
func (e *Emulator) updateApp(c *call) error {
	o, err := parseObject(c.body)
	if err != nil {
		return errBadJSON()
	}
	next := e.app
	next.hooks = maps.Clone(next.hooks)
	for _, f := range o {
		var err error
		switch f.key {
		case "name":
			err = decode(f.raw, &next.name)
		case "enforce_unique_usernames":
			err = decode(f.raw, &next.uniqueName)
		case "revoke_tokens_issued_before":
			next.revokeBefore, err = parseStamp(f.raw)
		default:
			if slices.Contains(hookSettings, f.key) {
				var s string
				err = decode(f.raw, &s)
				next.hooks[f.key] = s
			}
		}
		if err != nil {
			return err
		}
	}
	e.app = next
	return nil
}

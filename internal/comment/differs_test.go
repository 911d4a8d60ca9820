// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
	own "github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

const same = "Nothing has changed since the last comment."

// since is the comment of a plan after that of another.
func since(t *testing.T, before, now []byte) string {
	t.Helper()
	return read(t, now, nil).Markdown(comment.Options{Previous: read(t, before, nil).Markdown(comment.Options{})})
}

// configured are all resources of the provider, with the attributes and blocks that somebody
// writes and the plan can have.
func configured(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, create := range own.New("test", clock.Real{})().Resources(t.Context()) {
		r := create()
		var meta resource.MetadataResponse
		r.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "streamchat"}, &meta)
		var s resource.SchemaResponse
		r.Schema(t.Context(), resource.SchemaRequest{}, &s)
		names := slices.Collect(maps.Keys(s.Schema.Blocks))
		for name, a := range s.Schema.Attributes {
			if (a.IsOptional() || a.IsRequired()) && !strings.HasSuffix(name, "_wo") {
				names = append(names, name)
			}
		}
		all[meta.TypeName] = names
	}
	return all
}

// Whatever somebody changes in whatever resource is a change since the last comment, be it
// planned or on record.
func TestEveryChangeIsSeen(t *testing.T) {
	t.Parallel()
	seen := 0
	for typeName, names := range configured(t) {
		for _, name := range names {
			of := func(before, after string) []byte {
				c := change(typeName+".x", "update", values{"request_id": "DSR-1", name: before}, values{"request_id": "DSR-1", name: after})
				return plan(t, opened(c, "status", true))
			}
			if got := since(t, of("a", "b"), of("a", "b")); !strings.Contains(got, same) {
				t.Errorf("%s.%s: the same is not the same: %s", typeName, name, got)
			}
			for what, other := range map[string][]byte{
				"planned": of("a", "c"), "on record": of("c", "b"),
				"unknown": plan(t, opened(opened(change(typeName+".x", "update", values{"request_id": "DSR-1", name: "a"}, values{"request_id": "DSR-1", name: "b"}), "status", true), name, true)),
			} {
				seen++
				if got := since(t, of("a", "b"), other); !strings.Contains(got, "- changed: 1 (") {
					t.Errorf("%s.%s, %s: %s", typeName, name, what, got)
				}
			}
		}
	}
	if seen < 250 {
		t.Errorf("%d changes", seen)
	}
}

// Instances whose keys are ids are shown alike and are not one: who comes, goes, or takes
// another's place is said.
func TestInstancesAreNotOne(t *testing.T) {
	t.Parallel()
	of := func(ids ...string) []byte {
		var acts []any
		for _, id := range ids {
			acts = append(acts, change(`streamchat_user_erasure.a["`+id+`"]`, "create", nil, values{"user_id": id, "irreversible": true}))
		}
		return plan(t, acts...)
	}
	const shown = "(`streamchat_user_erasure.a[\"‹id›\"]`)"
	for name, tt := range map[string]struct {
		before, now []byte
		says        []string
	}{
		"the same":         {of("bob", "zed"), of("zed", "bob"), []string{same}},
		"another":          {of("bob", "zed"), of("ann", "zed"), []string{"- new: 1 " + shown, "- no longer there: 1 " + shown}},
		"one more":         {of("bob", "zed"), of("ann", "bob", "zed"), []string{"- new: 1 " + shown}},
		"one less":         {of("bob", "zed"), of("zed"), []string{"- no longer there: 1 " + shown}},
		"all are others":   {of("bob", "zed"), of("ann", "joe"), []string{"- new: 2 (", "- no longer there: 2 ("}},
		"in a batch":       {plan(t, change("streamchat_user_erasure_batch.x", "create", nil, values{"user_ids": []any{"bob"}})), plan(t, change("streamchat_user_erasure_batch.x", "create", nil, values{"user_ids": []any{"ann"}})), []string{"- changed: 1 ("}},
		"in a veiled one":  {plan(t, opened(change("streamchat_user_erasure_batch.x", "create", nil, values{"user_count": 1}), "results", map[string]any{"a": true})), plan(t, opened(change("streamchat_user_erasure_batch.x", "create", nil, values{"user_count": 1}), "results", map[string]any{"b": true})), []string{"- changed: 1 ("}},
		"only their state": {plan(t, change("streamchat_user_erasure.x", "update", values{"verified_at": "a"}, values{"labels": map[string]any{"a": "b"}})), plan(t, change("streamchat_user_erasure.x", "update", values{"verified_at": "b"}, values{"labels": map[string]any{"a": "b"}})), []string{same}},
	} {
		got := since(t, tt.before, tt.now)
		for _, says := range tt.says {
			if !strings.Contains(got, says) {
				t.Errorf("%s lacks %q: %s", name, says, got)
			}
		}
		if strings.Contains(plainer(got), "bob") || strings.Contains(plainer(got), "zed") {
			t.Errorf("%s: an id: %s", name, got)
		}
	}
}

// Whatever is configured is shown, or is of those that a reviewer need not see.
func TestSettingsAreShown(t *testing.T) {
	t.Parallel()
	unseen := []string{
		"age_recipients", "attachment_hosts", "attachment_max_bytes", "drop_removed_records", "exports", "path", "timeouts", "version", // said when they do something, or of files
		"delete", "grace_period", "on_destroy", "received_at", "undo", // in words of their own
		"user_id", "user_ids", "cid", "cids", "message_id", // with -ids
		"hard_delete", "max_age_hours", "policy", // always
	}
	for typeName, names := range configured(t) {
		for _, name := range names {
			if slices.Contains(unseen, name) {
				continue
			}
			value := any("canary")
			if name == "labels" {
				value = map[string]any{"a": "canary"}
			}
			got := read(t, plan(t, change(typeName+".x", "create", nil, values{name: value})), nil).Markdown(comment.Options{})
			if hidden := strings.HasSuffix(name, "owner_id"); !strings.Contains(got, name) && !strings.Contains(got, "canary") || hidden && strings.Contains(got, "canary") {
				t.Errorf("%s.%s: %s", typeName, name, got)
			}
		}
	}
	for name, usual := range map[string]any{"on_missing": "fail", "revoke_tokens": false, "overwrite": false, "audience": "controller"} {
		if got := read(t, plan(t, change("streamchat_user_erasure.x", "create", nil, values{name: usual})), nil).Markdown(comment.Options{}); strings.Contains(got, name) {
			t.Errorf("%s as usual: %s", name, got)
		}
	}
}

func withParts(t *testing.T, parts map[string]any, changes ...any) []byte {
	t.Helper()
	var shown map[string]any
	if err := json.Unmarshal(plan(t, changes...), &shown); err != nil {
		t.Fatal(err)
	}
	maps.Copy(shown, parts)
	return []byte(jsonOf(shown))
}

func invocation(typeName string, config values) any {
	return map[string]any{"address": "action." + typeName + `.x["anna"]`, "type": typeName, "name": "x", "config_values": config, "lifecycle_action_trigger": map[string]any{"triggering_resource_address": "terraform_data.x"}}
}

// What this provider's actions do is said and judged like what its resources do.
func TestActions(t *testing.T) {
	t.Parallel()
	p, ok := own.New("test", clock.Real{})().(provider.ProviderWithActions)
	if !ok {
		t.Fatal("the provider has no actions")
	}
	var names []string
	for _, create := range p.Actions(t.Context()) {
		var meta action.MetadataResponse
		create().Metadata(t.Context(), action.MetadataRequest{ProviderTypeName: "streamchat"}, &meta)
		names = append(names, meta.TypeName)
	}
	slices.Sort(names)
	if !slices.Equal(names, comment.Actions()) {
		t.Errorf("the provider has %v, the comment knows %v", names, comment.Actions())
	}
	for name, says := range map[string]string{
		"streamchat_deactivate_user": "### Restricted\n", "streamchat_export_user": "### Exported\n", "streamchat_mystery": "### Not known to this comment\n",
	} {
		raw := withParts(t, map[string]any{"action_invocations": []any{invocation(name, values{"user_id": "anna", "mark_messages_deleted": true})}})
		p := read(t, raw, said())
		got := p.Markdown(comment.Options{})
		final := name == "streamchat_mystery"
		if !strings.Contains(got, says) || strings.Contains(got, "no changes") || strings.Contains(got, "other providers") || (p.Irreversible() == 1) != final || p.OnlyApproved() {
			t.Errorf("%s: %s", name, got)
		}
		if !final && (strings.Contains(got, "anna") || !strings.Contains(got, "‹id›") || !strings.Contains(got, "leaves no record") || !strings.Contains(plainer(got), "mark_messages_deleted")) {
			t.Errorf("%s: %s", name, got)
		}
		other := withParts(t, map[string]any{"action_invocations": []any{invocation(name, values{"user_id": "bert", "mark_messages_deleted": true})}})
		if got := since(t, raw, other); strings.Contains(got, same) {
			t.Errorf("%s of somebody else: %s", name, got)
		}
	}
}

// What is put off is said, and is no plan without changes.
func TestPutOff(t *testing.T) {
	t.Parallel()
	act := change("streamchat_user_erasure.x", "create", nil, values{"user_id": "anna"})
	for name, parts := range map[string]map[string]any{
		"a resource": {"deferred_changes": []any{map[string]any{"reason": "x", "resource_change": act}}},
		"an action":  {"deferred_action_invocations": []any{map[string]any{"reason": "x", "action_invocation": invocation("streamchat_deactivate_user", nil)}}},
	} {
		p := read(t, withParts(t, parts), said())
		if got := p.Markdown(comment.Options{}); p.OnlyApproved() || strings.Contains(got, "no changes") || !strings.Contains(got, "### Put off") || !strings.Contains(got, "not complete") {
			t.Errorf("%s: %s", name, got)
		}
	}
	targeted := read(t, plan(t), []byte(logged("warning", "Resource targeting is in effect", "x", "")))
	if got := targeted.Markdown(comment.Options{}); targeted.OnlyApproved() || !strings.Contains(got, "not complete") {
		t.Error(got)
	}
	silent := read(t, withParts(t, map[string]any{"complete": nil}), nil) // as OpenTofu writes it
	if why := strings.Join(silent.Unapproved(), ", "); !strings.Contains(why, "without the log") {
		t.Error(why)
	}
	if !read(t, withParts(t, map[string]any{"complete": nil}), said()).OnlyApproved() {
		t.Error("with its log an empty plan does nothing")
	}
}

// Records that a list drops are a group of their own, beside whatever else the change does.
func TestRecordsDropped(t *testing.T) {
	t.Parallel()
	before := dueMany.with(values{"results": map[string]any{"anna": "erased", "bert": "erased", "carl": "pending"}, "status": "completed", "drop_removed_records": true})
	dropping := func(after values) map[string]any {
		return change("streamchat_user_erasure_batch.x", "update", before, before.with(values{"user_ids": []any{}, "results": map[string]any{}}).with(after))
	}
	for name, tt := range map[string]struct {
		act  map[string]any
		says []string
		not  []string
	}{
		"only that":     {dropping(nil), []string{"nothing that cannot be undone", "| Records dropped | 2 users (erasure) |", "### Records dropped"}, []string{"### Bookkeeping"}},
		"and more":      {opened(dropping(values{"user_ids": []any{"dora"}, "new_user_count": 1.0}), "status", true), []string{"1 change that cannot be undone", "| Records dropped | 2 users (erasure) |", "### Goes for good"}, []string{"### Bookkeeping"}},
		"one stays":     {dropping(values{"results": map[string]any{"anna": "erased"}}), []string{"| Records dropped | 1 user (erasure) |"}, nil},
		"kept":          {dropping(values{"drop_removed_records": false, "results": map[string]any{"anna": "erased", "bert": "erased"}}), []string{"### Bookkeeping"}, []string{"dropped"}},
		"all are there": {dropping(values{"results": before["results"]}), []string{"### Bookkeeping"}, []string{"dropped"}},
	} {
		p := read(t, plan(t, tt.act), said())
		got := p.Markdown(comment.Options{})
		for _, says := range tt.says {
			if !strings.Contains(got, says) {
				t.Errorf("%s lacks %q: %s", name, says, got)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(got, not) {
				t.Errorf("%s says %q: %s", name, not, got)
			}
		}
		if p.OnlyApproved() {
			t.Errorf("%s is approved", name)
		}
	}
}

// A plan that failed before it knew any id shows no key that may be one.
func TestKeysOfErrors(t *testing.T) {
	t.Parallel()
	log := []byte(logged("error", "Held user", "no", `module.production["CANARYID"].streamchat_user_erasure.this["DSR-7"]`))
	raw := plan(t, change(`streamchat_user_erasure.y["DSR-7"]`, "create", nil, values{"user_id": "anna"}))
	for name, tt := range map[string]struct {
		plan     []byte
		options  comment.Options
		has, not string
	}{
		"no plan":               {nil, comment.Options{}, `module.production["‹key›"].streamchat_user_erasure.this["‹key›"]`, "CANARYID"},
		"a key of the plan":     {raw, comment.Options{}, `module.production["‹key›"].streamchat_user_erasure.this["DSR-7"]`, "CANARYID"},
		"keys that name nobody": {nil, comment.Options{ShowKeys: true}, `module.production["CANARYID"].streamchat_user_erasure.this["DSR-7"]`, "‹key›"},
	} {
		if got := read(t, tt.plan, log).Markdown(tt.options); !strings.Contains(got, tt.has) || strings.Contains(got, tt.not) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// An age that the plan does not know is said to be unknown, not to be none.
func TestUnknownAge(t *testing.T) {
	t.Parallel()
	act := opened(change("streamchat_retention_policy.x", "update", values{"policy": "old-messages", "max_age_hours": 8760.0}, values{"policy": "old-messages"}), "max_age_hours", true)
	if got := read(t, plan(t, act), nil).Markdown(comment.Options{}); strings.Contains(got, "nil") || !strings.Contains(got, "after an age that is not known yet (before: 8760)") {
		t.Error(got)
	}
}

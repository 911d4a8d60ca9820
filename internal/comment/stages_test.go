// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// values are those of a record, with some set; a nil takes one away.
type values map[string]any

func (v values) with(more values) values {
	all := maps.Clone(v)
	if all == nil {
		all = values{}
	}
	maps.Copy(all, more)
	return all
}

// The plans that the helpers make are of the first of January 2026.
var (
	dueOne = values{
		"user_id": "anna", "request_id": "DSR-1", "app_name": "Acme", "status": "scheduled", "found": "present", "irreversible": true, "grace_period": "720h",
		"erase_at": "2025-12-31T23:00:00Z", "delete": map[string]any{"user": "hard", "messages": "hard"}, "receipt": "{}", "labels": map[string]any{"a": "b"},
	}
	dueMany = values{
		"user_ids": []any{"anna", "bert", "carl"}, "user_count": 3.0, "new_user_count": 0.0, "status": "scheduled", "irreversible": true, "grace_period": "720h",
		"erase_at": "2025-12-31T23:00:00Z", "delete": map[string]any{"user": "hard"}, "results": map[string]any{"anna": "scheduled", "bert": "scheduled", "carl": "erased"},
	}
	dueVeiled = dueMany.with(values{"user_ids": nil})
	veiledOne = dueOne.with(values{"user_id": nil, "subject": strings.Repeat("0123456789abcdef", 4)})
	submitted = dueOne.with(values{"status": "submitted", "grace_period": nil, "erase_at": nil})
)

// results are what the provider plans as unknown of a record that is due.
var results = []string{"status", "receipt", "erase_at", "found", "outcome", "task_id", "submitted_at", "completed_at", "verified_at"}

// then is the update of a record, as planned by the provider, with some values set.
func then(kind string, before, more values) map[string]any {
	after, open := before.with(nil), map[string]any{}
	for _, name := range results {
		delete(after, name)
		open[name] = true
	}
	if many, ok := before["results"].(map[string]any); ok {
		kept, unknown := map[string]any{}, map[string]any{}
		for key, word := range many {
			if word == "scheduled" {
				unknown[key] = true
			} else {
				kept[key] = word
			}
		}
		after["results"], open["results"], open["new_user_count"], open["failures"] = kept, unknown, true, true
		delete(after, "new_user_count")
	}
	c := change("streamchat_"+kind+".x", "update", before, after.with(more))
	c["change"].(map[string]any)["after_unknown"] = open
	return c
}

func opened(c map[string]any, name string, value any) map[string]any {
	c["change"].(map[string]any)["after_unknown"].(map[string]any)[name] = value
	return c
}

func but(c map[string]any, name string, value any) map[string]any {
	c[name] = value
	return c
}

func changed(c map[string]any, name string, value any) map[string]any {
	c["change"].(map[string]any)[name] = value
	return c
}

func said(titles ...string) []byte {
	var log strings.Builder
	for _, title := range titles {
		log.WriteString(logged("warning", title, "", "streamchat_user_erasure_batch.x"))
	}
	return []byte(log.String() + "\n")
}

// A record that is due and stays as it is stands in nobody's way, and the comment says so.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	quiet := change("streamchat_user_erasure.held", "no-op", dueOne, dueOne)
	log := []byte(logged("warning", "Not erased: Held user", "The data is on hold.", "streamchat_user_erasure.held"))
	p := read(t, plan(t, then("user_erasure", dueOne, nil), quiet), log)
	if got := plainer(p.Markdown(comment.Options{})); !p.OnlyApproved() || !strings.Contains(got, "**Not erased: Held user**, at `streamchat_user_erasure.held`: The data is on hold.") {
		t.Errorf("%v %s", p.Unapproved(), got)
	}
}

func TestOnlyApproved(t *testing.T) {
	t.Parallel()
	weakerSaid := []byte(logged("warning", "Guards are weaker than those that were approved", "", "streamchat_user_erasure.x"))
	const one, many = "user_erasure", "user_erasure_batch"
	restriction := values{"status": "deactivated", "on_destroy": "forget", "labels": map[string]any{"a": "b"}}
	restricted := func(after values) map[string]any {
		return change("streamchat_user_deactivation.x", "update", restriction, after)
	}
	for name, c := range map[string]struct {
		acts []any
		want bool
		log  []byte
	}{
		"a restriction outlived":             {[]any{then(one, submitted, nil), restricted(restriction.with(values{"status": "erased"}))}, true, said()},
		"a restriction outlived, and no log": {[]any{restricted(restriction.with(values{"status": "erased"}))}, false, nil},
		"a restriction outlived, and labels": {[]any{restricted(restriction.with(values{"status": "erased", "labels": nil}))}, false, nil},
		"a restriction lifted elsewhere":     {[]any{opened(restricted(restriction.with(values{"status": nil})), "status", true)}, false, nil},
		"a restriction outlived, open":       {[]any{opened(restricted(restriction.with(values{"status": "erased"})), "labels", true)}, false, nil},
		"a restriction outlived, moved":      {[]any{but(restricted(restriction.with(values{"status": "erased"})), "previous_address", "streamchat_user_deactivation.y")}, false, nil},

		"nothing":                              {nil, true, nil},
		"fewer guards, and a title":            {[]any{then(one, dueOne, nil)}, false, weakerSaid},
		"fewer guards, in the values":          {[]any{then(one, dueOne.with(values{"guards": map[string]any{"hold_field": "hold"}}), values{"guards": map[string]any{}})}, false, said()},
		"fewer guards, submitted":              {[]any{then(one, submitted, nil)}, false, weakerSaid},
		"the same guards":                      {[]any{then(one, dueOne.with(values{"guards": map[string]any{"hold_field": "hold"}}), nil)}, true, said()},
		"of a batch, fewer guards":             {[]any{then(many, dueMany.with(values{"guards": map[string]any{"hold_field": "hold"}}), values{"guards": map[string]any{}})}, false, said()},
		"submitted":                            {[]any{then(one, submitted, nil)}, true, nil},
		"submitted, and the period taken away": {[]any{then(one, dueOne.with(values{"status": "submitted"}), values{"grace_period": nil})}, false, nil},
		"submitted, raised":                    {[]any{then(one, submitted, values{"delete": map[string]any{"user": "pruning"}})}, false, nil},
		"submitted, in the log as well":        {[]any{then(many, dueMany.with(values{"status": "submitted", "results": nil}), nil)}, true, said("Deletions under way")},
		"submitted, others scheduled":          {[]any{then(many, dueMany.with(values{"status": "submitted"}), nil)}, false, nil},
		"failed":                               {[]any{then(one, submitted.with(values{"status": "failed"}), nil)}, false, nil},
		"reverted":                             {[]any{then(one, dueOne.with(values{"status": "reverted"}), nil)}, false, nil},
		"new":                                  {erasures(1), false, nil},
		"forgotten":                            {[]any{change("streamchat_user_erasure.x", "delete", submitted, nil)}, false, nil},
		"somebody else's":                      {[]any{then(one, dueOne, nil), change("terraform_data.x", "create", nil, map[string]any{})}, false, nil},
		"not known":                            {[]any{change("streamchat_mystery.x", "update", map[string]any{}, map[string]any{})}, false, nil},

		"due":                         {[]any{then(one, dueOne, nil)}, true, nil},
		"due and submitted":           {[]any{then(one, dueOne, nil), then(one, submitted, nil)}, true, nil},
		"due and new":                 {append(erasures(1), then(one, dueOne, nil)), false, nil},
		"due and called off":          {[]any{then(one, dueOne, nil), change("streamchat_user_erasure.y", "delete", dueOne, nil)}, false, nil},
		"due, and marked only":        {[]any{then(one, dueOne.with(values{"irreversible": false}), nil)}, true, nil},
		"due this second":             {[]any{then(one, dueOne.with(values{"erase_at": "2026-01-01T00:00:00Z"}), nil)}, true, nil},
		"not due yet":                 {[]any{then(one, dueOne.with(values{"erase_at": "2026-01-01T00:00:01Z"}), nil)}, false, nil},
		"nobody knows when":           {[]any{then(one, dueOne.with(values{"erase_at": nil}), nil)}, false, nil},
		"created":                     {[]any{changed(then(one, dueOne, nil), "actions", []string{"create"})}, false, nil},
		"replaced":                    {[]any{changed(then(one, dueOne, nil), "actions", []string{"delete", "create"})}, false, nil},
		"imported":                    {[]any{changed(then(one, dueOne, nil), "importing", map[string]any{"id": "anna"})}, false, nil},
		"moved":                       {[]any{but(then(one, dueOne, nil), "previous_address", "streamchat_user_erasure.y")}, false, nil},
		"restricted again":            {[]any{then(one, dueOne, nil)}, false, []byte(logged("warning", "Restricted again", "", "streamchat_user_erasure.x"))},
		"an attribute of the future":  {[]any{then(one, dueOne.with(values{"twice": false}), nil)}, false, nil},
		"that nobody uses":            {[]any{then(one, dueOne.with(values{"twice": nil}), nil)}, true, nil},
		"an unknown label":            {[]any{opened(then(one, dueOne, nil), "labels", map[string]any{"a": true})}, false, nil},
		"an unknown mode":             {[]any{opened(then(one, dueOne, nil), "delete", map[string]any{"messages": true})}, false, nil},
		"nothing unknown in the mode": {[]any{opened(then(one, dueOne, nil), "delete", map[string]any{"messages": false})}, true, nil},

		// A plan says its second without the fraction.
		"due in the plan's second": {[]any{then(one, dueOne.with(values{"erase_at": "2026-01-01T00:00:00.999Z"}), nil)}, true, nil},
		"due in the next":          {[]any{then(one, dueOne.with(values{"erase_at": "2026-01-01T00:00:01Z"}), nil)}, false, nil},

		"a batch":                  {[]any{then(many, dueMany, nil)}, true, nil},
		"one is new":               {[]any{then(many, dueMany, values{"user_ids": []any{"anna", "bert", "carl", "dora"}})}, false, nil},
		"one left":                 {[]any{then(many, dueMany, values{"user_ids": []any{"anna", "carl"}})}, false, nil},
		"one was never sent":       {[]any{then(many, dueMany.with(values{"results": map[string]any{"anna": "scheduled", "bert": "pending"}}), values{"results": map[string]any{}})}, false, nil},
		"one is active again":      {[]any{then(many, dueMany.with(values{"status": "reverted", "results": map[string]any{"anna": "scheduled", "bert": "reverted"}}), nil)}, false, nil},
		"veiled":                   {[]any{then(many, dueVeiled, nil)}, true, said("Irreversible deletions")},
		"veiled, and no log":       {[]any{then(many, dueVeiled, nil)}, false, nil},
		"veiled, and one left":     {[]any{then(many, dueVeiled, nil)}, false, said("Irreversible deletions", "Scheduled erasures called off")},
		"veiled, one is new":       {[]any{opened(then(many, dueVeiled, values{"user_count": 4.0}), "results", map[string]any{"anna": true, "bert": true, "dora": true})}, false, said("Irreversible deletions")},
		"veiled, a stranger":       {[]any{opened(then(many, dueVeiled, nil), "results", map[string]any{"anna": true, "bert": true, "dora": true})}, false, said("Irreversible deletions")},
		"veiled, one":              {[]any{then(one, veiledOne, nil)}, true, said("Irreversible deletions")},
		"veiled, one, and no log":  {[]any{then(one, veiledOne, nil)}, false, nil},
		"veiled, one, again":       {[]any{then(one, veiledOne, nil)}, false, []byte(logged("warning", "Restricted again", "", "streamchat_user_erasure.x"))},
		"a hold lets the rest go":  {[]any{then(many, dueMany, nil)}, true, said("Irreversible deletions", "Not erased: Held user")},
		"a list that is not known": {[]any{opened(then(many, dueMany, values{"user_ids": nil}), "user_ids", true)}, false, nil},
	} {
		p := read(t, plan(t, c.acts...), c.log)
		if got := p.OnlyApproved(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Every attribute that the provider has: those that it alone writes may change, any other
// change has to be seen, and so has every one that is not known when planned.
func TestOnlyApprovedAttributes(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, create := range provider.New("test", clock.Real{})().Resources(t.Context()) {
		r := create()
		var meta resource.MetadataResponse
		r.Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "streamchat"}, &meta)
		if !strings.Contains(meta.TypeName, "_erasure") && meta.TypeName != "streamchat_channel_truncation" {
			continue
		}
		var s resource.SchemaResponse
		r.Schema(t.Context(), resource.SchemaRequest{}, &s)
		names := slices.Collect(maps.Keys(s.Schema.Blocks))
		for name := range s.Schema.Attributes {
			names = append(names, name)
		}
		kind := strings.TrimPrefix(meta.TypeName, "streamchat_")
		approved := func(before, after values, open map[string]any) bool {
			c := change("streamchat_"+kind+".x", "update", before, after)
			c["change"].(map[string]any)["after_unknown"] = open
			return read(t, plan(t, c), said()).OnlyApproved()
		}
		base := values{"status": "submitted", "irreversible": true}
		open := map[string]any{"status": true}
		if !approved(base, values{"irreversible": true}, open) {
			t.Fatalf("%s: what was submitted is not approved", kind)
		}
		for _, name := range names {
			if name == "status" || name == "irreversible" {
				continue
			}
			seen++
			a, is := s.Schema.Attributes[name]
			written := is && a.IsComputed() && !a.IsOptional()
			fact := written && slices.Contains([]string{"app_id", "app_name", "due_at", "guards", "not_covered", "subject", "user_count", "channel_count"}, name)
			same := base.with(values{name: "same"})
			if !approved(same, values{"irreversible": true, name: "same"}, open) {
				t.Errorf("%s.%s is not known to the comment", kind, name)
			}
			want := written && !fact
			if got := approved(same, values{"irreversible": true, name: "other"}, open); got != want {
				t.Errorf("%s.%s changes: %v, want %v", kind, name, got, want)
			}
			unknown := maps.Clone(open)
			unknown[name] = true
			if got := approved(same, values{"irreversible": true}, unknown); got != want && !strings.HasPrefix(name, "new_") {
				t.Errorf("%s.%s is unknown: %v, want %v", kind, name, got, want)
			}
		}
	}
	if seen < 100 {
		t.Errorf("%d attributes", seen)
	}
}

// What is said of each moment of an erasure in two stages.
func TestStagesSaid(t *testing.T) {
	t.Parallel()
	const one, many = "user_erasure", "user_erasure_batch"
	created := dueOne.with(values{"status": nil, "erase_at": nil, "received_at": "2025-12-15", "due_at": "2026-01-15T23:59:59Z"})
	withoutID := values{"user_id": nil, "request_id": nil, "subject": strings.Repeat("0123456789abcdef", 4)}
	const reactivates, stays, nothing = "whoever it deactivated is reactivated", "the user stays deactivated", "only the record goes"
	for name, tt := range map[string]struct {
		act  any
		log  []byte
		says []string
		not  []string
	}{
		"created":           {change("streamchat_user_erasure.x", "create", nil, created), nil, []string{"### Restricted now", "720h after this one", "answer due by 2026-01-15: LATE", reactivates}, nil},
		"in good time":      {change("streamchat_user_erasure.x", "create", nil, created.with(values{"due_at": "2026-02-15T23:59:59Z"})), nil, []string{"answer due by 2026-02-15"}, []string{"LATE"}},
		"without an id":     {change("streamchat_user_erasure.x", "create", nil, created.with(withoutID)), nil, []string{"subject `0123456789ab…` \\(no request\\_id\\)", stays}, []string{"0123456789abcd"}},
		"with its request":  {change("streamchat_user_erasure.x", "create", nil, created.with(withoutID).with(values{"request_id": "DSR-1"})), nil, []string{"`DSR-1`, subject `0123456789ab…`"}, nil},
		"due":               {then(one, dueOne, nil), nil, []string{"### Erased now, as scheduled", "was to be erased by the first apply after 2025-12-31T23:00:00Z", "1 user", nothing}, []string{"LATE", reactivates, "### Goes for good"}},
		"due, too late":     {then(one, dueOne.with(values{"due_at": "2025-12-31T23:59:59Z"}), nil), nil, []string{"answer due by 2025-12-31: LATE"}, nil},
		"due, of three two": {then(many, dueMany, nil), nil, []string{"### Erased now, as scheduled", "| 2 users"}, nil},
		"due, and changed":  {then(one, dueOne, values{"request_id": "DSR-2"}), nil, []string{"### Goes for good"}, []string{"### Erased now"}},
		"longer":            {then(one, dueOne, values{"grace_period": "1440h"}), nil, []string{"### Restricted now", "after 2026-01-30T23:00:00Z", reactivates}, []string{"### Goes for good"}},
		"shorter":           {then(one, dueOne.with(values{"erase_at": "2026-01-02T00:00:00Z"}), values{"grace_period": "1h"}), nil, []string{"### Goes for good"}, nil},
		"taken away":        {then(one, dueOne.with(values{"erase_at": "2026-01-02T00:00:00Z"}), values{"grace_period": nil}), nil, []string{"### Goes for good"}, nil},
		"again":             {then(one, dueOne.with(values{"status": "reverted"}), nil), []byte(logged("warning", "Restricted again", "Subject: state present.", "streamchat_user_erasure.x")), []string{"### Restricted now", "Restricted again", "720h after this one"}, nil},
		"some left":         {then(many, dueMany.with(values{"erase_at": "2026-02-01T00:00:00Z"}), values{"user_ids": []any{"anna", "carl"}}), said("Scheduled erasures called off"), []string{"### Calls scheduled erasures off"}, []string{"### Goes for good"}},
		"marked later":      {change("streamchat_user_erasure.x", "create", nil, created.with(values{"irreversible": false})), said("Restricted now, erased later"), []string{"### Marked as deleted", "720h after this one", reactivates}, []string{"### Restricted now"}},
		"called off":        {change("streamchat_user_erasure.x", "delete", dueOne, nil), nil, []string{"### Calls scheduled erasures off", "the scheduled erasure is called off"}, []string{"stays"}},
		"off, without id":   {change("streamchat_user_erasure.x", "delete", dueOne.with(withoutID), nil), nil, []string{"### Forgotten", "called off, and the user stays deactivated"}, nil},
		"let go":            {change("streamchat_user_erasure.x", "forget", dueOne, nil), nil, []string{"### Forgotten", "nobody erases them"}, nil},
		"some left, no log": {then(many, dueMany, values{"user_ids": []any{"anna", "carl"}}), nil, []string{"### Goes for good"}, nil},
	} {
		got := read(t, plan(t, tt.act), tt.log).Markdown(comment.Options{})
		for _, says := range tt.says {
			if !strings.Contains(plainer(got), plainer(says)) {
				t.Errorf("%s lacks %q: %s", name, says, got)
			}
		}
		for _, not := range tt.not {
			if strings.Contains(plainer(got), plainer(not)) {
				t.Errorf("%s says %q: %s", name, not, got)
			}
		}
	}
}

// What goes before an erasure, said from the plan alone: exports, and the record that it
// replaces, of which the CLIs drop the provider's warnings.
func TestBefores(t *testing.T) {
	t.Parallel()
	created := submitted.with(values{"status": nil})
	replaced := func(status string, after values, actions ...string) map[string]any {
		return changed(change("streamchat_user_erasure.x", "", submitted.with(values{"status": status}), created.with(after)), "actions", actions)
	}
	const none, unseen, again = "no export goes before", "taken by the same apply", "the provider looks again"
	for name, tt := range map[string]struct {
		act  any
		says []string
		not  []string
	}{
		"no export":        {change("streamchat_user_erasure.x", "create", nil, created), []string{none}, []string{unseen, "replaces"}},
		"an empty list":    {change("streamchat_user_erasure.x", "create", nil, created.with(values{"exports": []any{}})), []string{none}, nil},
		"two exports":      {change("streamchat_user_erasure.x", "create", nil, created.with(values{"exports": []any{"a", "b"}})), []string{"goes after 2 exports"}, []string{none, unseen}},
		"unknown exports":  {opened(change("streamchat_user_erasure.x", "create", nil, created), "exports", true), []string{unseen}, []string{none}},
		"one is unknown":   {opened(change("streamchat_user_erasure.x", "create", nil, created.with(values{"exports": []any{"a", nil}})), "exports", []any{false, true}), []string{unseen}, []string{none, "goes after"}},
		"in two stages":    {change("streamchat_user_erasure.x", "create", nil, created.with(values{"grace_period": "1h"})), []string{none}, nil},
		"marked":           {change("streamchat_user_erasure.x", "create", nil, created.with(values{"irreversible": false})), []string{"### Marked"}, []string{none}},
		"resumed":          {then("user_erasure", submitted, nil), []string{"### Resumed"}, []string{none}},
		"completed":        {replaced("completed", nil, "delete", "create"), []string{"### Goes for good", "replaces a record that was completed", again}, nil},
		"a channel":        {replaced("completed", values{"user_id": nil, "cid": "messaging:a"}, "delete", "create"), []string{again}, nil},
		"made first":       {replaced("completed", nil, "create", "delete"), []string{"sent again in any case"}, []string{again}},
		"then forgotten":   {replaced("completed", nil, "create", "forget"), []string{"## Stream: 1 change that cannot", "### Goes for good", "sent again in any case"}, []string{again, "Forgotten"}},
		"forgotten first":  {replaced("completed", nil, "forget", "create"), []string{"## Stream: 1 change that cannot", "### Goes for good", "sent again in any case"}, []string{again, "Forgotten"}},
		"only forgotten":   {replaced("completed", nil, "forget"), []string{"### Forgotten"}, []string{"### Goes for good"}},
		"failed":           {replaced("failed", nil, "delete", "create"), []string{"was failed, from which the provider goes on"}, []string{again}},
		"of somebody else": {replaced("completed", values{"user_id": "bert"}, "delete", "create"), []string{"another subject", "forgotten"}, []string{again}},
		"of another hash":  {changed(change("streamchat_user_erasure.x", "", values{"status": "completed", "subject": "a"}, values{"subject": "b", "irreversible": true}), "actions", []string{"delete", "create"}), []string{"another subject"}, nil},
	} {
		got := plainer(read(t, plan(t, tt.act), nil).Markdown(comment.Options{}))
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
	}
}

// Acts on one record are not one with acts on another: a row says which it is.
func TestRowsSayWhich(t *testing.T) {
	t.Parallel()
	labels := func(kind string, v values) any {
		return change("streamchat_"+kind+".x", "update", v, v.with(values{"labels": map[string]any{"a": "c"}}))
	}
	got := read(t, plan(t, labels("user_erasure", dueOne.with(values{"status": "completed"})), labels("user_deactivation", values{"user_id": "anna", "app_name": "Acme"}), labels("user_export", values{"user_id": "anna", "app_name": "Acme"})), nil).Markdown(comment.Options{})
	for _, row := range []string{"1 user (erasure)", "1 user (restriction) |", "1 user (export) |"} {
		if !strings.Contains(got, "| `Acme` | Bookkeeping | "+row) {
			t.Errorf("lacks %q: %s", row, got)
		}
	}
	restricted := change("streamchat_user_deactivation.x", "create", nil, values{"user_id": "anna", "request_id": "DSR-1"})
	restricted["change"].(map[string]any)["after_unknown"] = map[string]any{"status": true}
	got = read(t, plan(t, restricted), []byte(logged("warning", "Restriction of processing",
		"The user is deactivated: they can no longer connect, and queries leave them out.\nSubject: state present, role user.", "streamchat_user_deactivation.x"))).Markdown(comment.Options{})
	if strings.Count(got, "connect") != 1 || strings.Contains(got, "Restriction of processing") || !strings.Contains(got, "`DSR-1` at `streamchat_user_deactivation.x`; state present, role user") {
		t.Error(got)
	}
}

// plainer is a text without what Markdown escapes.
func plainer(text string) string { return strings.ReplaceAll(text, `\`, "") }

// The facts of two stages fit as well.
func TestStagesFit(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 30, 250} {
		acts := make([]any, n)
		for i := range acts {
			at := fmt.Sprintf("2025-12-%02dT11:%02d:00Z", i%28+1, i%60)
			v := dueOne.with(values{"user_id": nil, "request_id": fmt.Sprintf("DSR-%04d", i), "subject": fmt.Sprintf("%064x", i), "erase_at": at, "due_at": at})
			acts[i] = but(then("user_erasure", v, nil), "address", fmt.Sprintf(`streamchat_user_erasure.dsr["DSR-%04d"]`, i))
		}
		p := read(t, plan(t, acts...), many(n))
		got := p.Markdown(comment.Options{Limit: comment.Limit})
		if late := strings.Count(got, ": LATE"); len(got) > comment.Limit || strings.Count(got, "`DSR-") < n || late < n {
			t.Errorf("%d subjects: %d bytes, %d are late", n, len(got), late)
		}
		if !p.OnlyApproved() || p.Irreversible() != n {
			t.Errorf("%d subjects: approved %v, %d irreversible", n, p.OnlyApproved(), p.Irreversible())
		}
	}
}

// The recorded plans of real runs: what is due is approved, with its log, and nothing else.
func TestOnlyApprovedRecorded(t *testing.T) {
	t.Parallel()
	for _, flavor := range flavors(t) {
		for step, want := range map[string]bool{"first": false, "second": false, "staged": false, "due": true, "changed": false} {
			raw := file(t, flavor, step+".json")
			var shown struct {
				Changes []struct{ Change struct{ Actions []string } } `json:"resource_changes"`
			}
			if err := json.Unmarshal(raw, &shown); err != nil || len(shown.Changes) < 3 {
				t.Fatalf("%d changes: %v", len(shown.Changes), err)
			}
			if got := read(t, raw, file(t, flavor, step+".jsonl")).OnlyApproved(); got != want {
				t.Errorf("%s %s: %v", flavor, step, got)
			}
			if read(t, raw, nil).OnlyApproved() {
				t.Errorf("%s %s is approved without its log", flavor, step)
			}
		}
	}
}

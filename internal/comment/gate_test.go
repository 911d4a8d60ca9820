// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// passes reports that the gate lets a plan through.
func passes(raw, log []byte) bool {
	p, err := comment.Read(reader(raw), reader(log))
	return err == nil && p.Judged() == nil && p.OnlyApproved()
}

// written are the attributes of an erasure that the provider alone writes and that an apply may
// change, and with them the types of erasures.
var written = sync.OnceValue(func() map[string]bool {
	facts := []string{"app_id", "app_name", "channel_count", "due_at", "effect", "guards", "irreversible", "not_covered", "subject", "undoable", "user_count"}
	all := map[string]bool{}
	for _, create := range provider.New("test", clock.Real{})().Resources(nil) { //nolint:staticcheck // It is a list.
		var meta resource.MetadataResponse
		var s resource.SchemaResponse
		r := create()
		r.Metadata(nil, resource.MetadataRequest{ProviderTypeName: "streamchat"}, &meta) //nolint:staticcheck // as above
		if !strings.Contains(meta.TypeName, "_erasure") && meta.TypeName != "streamchat_channel_truncation" {
			continue
		}
		r.Schema(nil, resource.SchemaRequest{}, &s) //nolint:staticcheck // as above
		all[meta.TypeName] = true
		for name, a := range s.Schema.Attributes {
			all[name] = a.IsComputed() && !a.IsOptional() && !slices.Contains(facts, name)
		}
	}
	return all
})

// finishes says the same by what a plan is, in its own way: of each change that there is,
// nothing was decided since an apply began it.
func finishes(raw []byte) bool {
	var shown map[string]any
	if json.Unmarshal(raw, &shown) != nil || shown["complete"] == false || shown["errored"] == true {
		return false
	}
	for _, name := range []string{"action_invocations", "deferred_changes", "deferred_action_invocations"} {
		if more, _ := shown[name].([]any); len(more) > 0 {
			return false
		}
	}
	made, err := time.Parse(time.RFC3339, word(shown["timestamp"]))
	changes, listed := shown["resource_changes"].([]any)
	return err == nil && listed && !slices.ContainsFunc(changes, func(rc any) bool { return !finished(rc, made) })
}

func word(v any) string {
	s, _ := v.(string)
	return s
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

func finished(change any, made time.Time) bool {
	rc := object(change)
	c := object(rc["change"])
	actions, before, after, open := c["actions"], object(c["before"]), object(c["after"]), object(c["after_unknown"])
	quiet := reflect.DeepEqual(actions, []any{"no-op"}) || reflect.DeepEqual(actions, []any{"read"})
	if rc["mode"] == "data" || rc["mode"] == "managed" && quiet && c["importing"] == nil {
		return true
	}
	if rc["mode"] != "managed" || !reflect.DeepEqual(actions, []any{"update"}) || c["importing"] != nil || word(rc["previous_address"]) != "" {
		return false
	}
	if rc["type"] == "streamchat_user_deactivation" {
		if before["status"] != "deactivated" {
			return false
		}
		then := maps.Clone(before)
		then["status"] = "erased"
		return reflect.DeepEqual(then, after) && !strings.Contains(jsonOf(open), "true")
	}
	writes := written()
	if !writes[word(rc["type"])] || open["status"] != true {
		return false
	}
	for _, values := range []map[string]any{before, after, open} {
		for name := range values {
			if !writes[name] && (!reflect.DeepEqual(before[name], after[name]) || strings.Contains(jsonOf(open[name]), "true")) {
				return false
			}
		}
	}
	switch before["status"] {
	case "submitted":
		return true
	case "scheduled":
		at, err := time.Parse(time.RFC3339, word(before["erase_at"]))
		for key := range object(open["results"]) { // nobody is new
			if word(object(before["results"])[key]) == "" {
				return false
			}
		}
		return err == nil && at.Before(made.Add(time.Second))
	}
	return false
}

func jsonOf(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// approvedPlans are plans that the gate lets through, with their logs.
func approvedPlans(t testing.TB) (plans, logs [][]byte) {
	t.Helper()
	raw := func(changes ...any) []byte {
		return []byte(jsonOf(map[string]any{"format_version": "1.2", "terraform_version": "1.11.4", "timestamp": "2026-01-01T00:00:00Z", "complete": true, "resource_changes": changes}))
	}
	restriction := values{"status": "deactivated", "on_destroy": "forget", "labels": map[string]any{"a": "b"}}
	idle := change("streamchat_user_erasure.y", "no-op", submitted, submitted)
	plans = [][]byte{
		raw(then("user_erasure", dueOne, nil), idle), raw(then("user_erasure_batch", dueMany, nil)), raw(then("user_erasure", submitted, nil), then("user_erasure", veiledOne, nil)),
		raw(then("user_erasure_batch", dueVeiled, nil)), raw(change("streamchat_user_deactivation.x", "update", restriction, restriction.with(values{"status": "erased"}))),
	}
	for range plans {
		logs = append(logs, said("Irreversible deletions"))
	}
	for _, flavor := range []string{"terraform", "opentofu"} {
		plans, logs = append(plans, fileOf(t, "testdata/"+flavor+"/due.json")), append(logs, fileOf(t, "testdata/"+flavor+"/due.jsonl"))
	}
	return plans, logs
}

// Whatever is changed in a plan that goes on unseen: it goes on only while it does nothing but
// finish what was approved.
func TestGateOfChangedPlans(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(18, 13))
	plans, logs := approvedPlans(t)
	through, stopped := 0, 0
	for n := range 4000 {
		i := n % len(plans)
		if n < len(plans) && (!passes(plans[i], logs[i]) || !finishes(plans[i])) {
			t.Fatalf("plan %d: passes %v, finishes %v", i, passes(plans[i], logs[i]), finishes(plans[i]))
		}
		var shown any
		if err := json.Unmarshal(plans[i], &shown); err != nil {
			t.Fatal(err)
		}
		for range 1 + random.IntN(2) {
			shown = mutated(random, shown)
		}
		raw := []byte(jsonOf(shown))
		switch passes, finishes := passes(raw, logs[i]), finishes(raw); {
		case passes && !finishes:
			t.Fatalf("change %d of plan %d goes on unseen: %s", n, i, raw)
		case passes:
			through++
		default:
			stopped++
		}
	}
	if t.Logf("%d went on, %d did not", through, stopped); through < 400 || stopped < 400 {
		t.Error("the changes are all alike")
	}
}

// mutated changes one value of a document, anywhere.
func mutated(random *rand.Rand, v any) any {
	switch v := v.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		if len(names) == 0 || random.IntN(12) == 0 {
			more := []string{"status", "user_id", "complete", "errored", "importing", "previous_address", "results", "labels", "deposed", "action_invocations", "deferred_changes", "Resource_changes", "x"}
			v[more[random.IntN(len(more))]] = chosen(random)
			return v
		}
		name := names[random.IntN(len(names))]
		if random.IntN(12) == 0 {
			delete(v, name)
		} else {
			v[name] = mutated(random, v[name])
		}
		return v
	case []any:
		switch n := len(v); {
		case n == 0 || random.IntN(12) == 0:
			return append(v, chosen(random))
		case random.IntN(12) == 0:
			return slices.Delete(v, n-1, n)
		default:
			i := random.IntN(n)
			v[i] = mutated(random, v[i])
			return v
		}
	}
	return chosen(random)
}

func chosen(random *rand.Rand) any {
	all := []any{
		nil, true, false, "", "x", "anna", "dora", 0.0, 7.0, "create", "delete", "update", "no-op", "forget", "submitted", "scheduled", "completed", "failed", "reverted", "soft", "hard", "1h", "720h",
		"2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z", map[string]any{}, []any{}, []any{"create"}, []any{"delete", "create"}, []any{nil}, []any{"no-op"}, map[string]any{"id": "anna"}, map[string]any{"dora": true},
		"managed", "data", "streamchat_user_erasure", "streamchat_retention_policy", "aws_instance",
	}
	return all[random.IntN(len(all))]
}

// FuzzOnlyApproved: whatever is given, nothing goes on unseen that does more.
func FuzzOnlyApproved(f *testing.F) {
	plans, logs := approvedPlans(f)
	for i := range plans {
		f.Add(plans[i], logs[i])
	}
	for _, raw := range []string{`null`, `{"format_version":"1.2","timestamp":"2026-01-01T00:00:00Z","resource_changes":null,"complete":true}`, `{"resource_changes":[],"Resource_changes":[]}`} {
		f.Add([]byte(raw), []byte("\n"))
	}
	f.Fuzz(func(t *testing.T, raw, log []byte) {
		if len(raw) > 0 && passes(raw, log) && !finishes(raw) {
			t.Errorf("goes on unseen: %s", raw)
		}
		if p, err := comment.Read(reader(raw), reader(log)); err == nil {
			p.Markdown(comment.Options{Limit: comment.Limit})
		}
	})
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
)

// description is Stream's own of a user's export: the types that it reaches, by name, with
// the types of their fields; a list and a map are a pair.
type description map[string]map[string]any

// fill makes a value of a type with every field of it. What it says is somebody else's.
func (d description) fill(field string, typ any, depth int) any {
	if pair, ok := typ.([]any); ok {
		if pair[0] == "map" {
			return map[string]any{"like": d.fill(field, pair[1], depth)}
		}
		return []any{d.fill(field, pair[1], depth)}
	}
	switch name := typ.(string); {
	case len(d[name]) > 0:
		if depth == 0 {
			return nil
		}
		object := map[string]any{}
		if d[name]["custom"] != nil {
			object["custom_field"] = "CANARY"
		}
		for field, typ := range d[name] {
			object[field] = d.fill(field, typ, depth-1)
		}
		return object
	case name == "boolean":
		return true
	case name == "number" || name == "integer":
		return 1
	case strings.HasSuffix(field, "id") || strings.HasSuffix(field, "ids") || strings.HasSuffix(field, "by") || field == "restricted_visibility":
		return "bob" // the id of somebody may stay
	}
	return "CANARY"
}

// Of a message with everything that Stream can put into it, all of it somebody else's, what
// the subject wrote is kept and nothing else; the same in what is theirs.
func TestAssembledCanary(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../fields/testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var described description
	if err := json.Unmarshal(raw, &described); err != nil {
		t.Fatal(err)
	}
	words := map[string]any{
		"id": "m1", "user_id": "alice", "user": map[string]any{"id": "alice", "name": "x"}, "text": "KEEP", "html": "KEEP", "cid": "messaging:a",
		"type": "regular", "command": "KEEP", "mml": "KEEP", "custom": map[string]any{"a": "KEEP"}, "custom_field": "KEEP",
		"attachments": []any{map[string]any{"title": "KEEP"}}, "i18n": map[string]any{"de_text": "KEEP"}, "moderation": map[string]any{"original_text": "KEEP"},
		"image_labels": map[string]any{"a": []any{"KEEP"}}, "mentioned_roles": []any{"admin"}, "created_at": "2026-01-01T00:00:00Z",
	}
	for field := range described["MessageResponse"] {
		if strings.HasSuffix(field, "_at") || field == "pin_expires" {
			words[field] = "2026-01-01T00:00:00Z"
		}
	}
	full, ok := described.fill("", "MessageResponse", 4).(map[string]any)
	if !ok || len(full) < 40 {
		t.Fatalf("%d fields", len(full))
	}
	maps.Copy(full, words)
	full["member"].(map[string]any)["user_id"] = "bob"
	mine := maps.Clone(full) // with what is hers of what may be somebody else's
	for _, field := range []string{"reminder", "shared_location", "member"} {
		own := maps.Clone(full[field].(map[string]any))
		own["user_id"], own["note"], own["custom"], own["custom_field"] = "alice", "KEEP", "KEEP", "KEEP"
		for name, value := range own {
			if value == "CANARY" {
				own[name] = "KEEP"
			}
		}
		mine[field] = own
	}
	for _, message := range []map[string]any{full, mine} {
		line, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{v1("[" + string(line) + "]"), `{"type":"message","data":` + string(line) + "}"} {
			var out bytes.Buffer
			if _, _, err := assemble(t, &out, "", nil, strings.Replace(file, `"reaction_counts":{"like":1}`, `"reaction_counts":{}`, 1)); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); strings.Contains(got, "CANARY") || !json.Valid(out.Bytes()) || strings.Count(got, "KEEP") < 10 {
				t.Errorf("%s\nbecame\n%s", file, got)
			}
			if own := strings.Contains(out.String(), `"reminder"`); own != (message["reminder"].(map[string]any)["user_id"] == "alice") {
				t.Errorf("a reminder: %v: %s", own, out.String())
			}
		}
	}
}

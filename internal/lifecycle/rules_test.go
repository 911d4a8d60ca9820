// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

func long(n int) string { return strings.Repeat("x", n) }

// The ids that each kind takes, and those that it refuses before anything is sent: in
// a block, in a list, in an import.
func TestIDs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind        string
		of          []noun
		good, wrong []string
	}{
		{
			"user", []noun{users, userBatch},
			[]string{"a", "A-b_9@x", "@", "-", "_", "0", long(255)},
			[]string{"", " ", ".", "..", "a b", " ab", "ab ", "a/b", "a.b", "a:b", "a,b", "a%b", "a\nb", "ab\n", "ab\r", "a\tb", "ü", "a!b", "a\u200bb", "a\x00b", long(256)},
		},
		{
			"channel", []noun{channels, channelBatch, truncations},
			[]string{"a:b", "messaging:general-1_X", "messaging:!members-4711", long(64) + ":" + long(64)},
			[]string{
				"", "messaging", ":room", "messaging:", ":", "messaging:a:b", "messaging:a/b", "messaging:.", "messaging:..", "..:room", "messaging:a b", " messaging:room", "messaging:room ",
				"messaging:room\n", "messaging:a!b", "messaging:!", "messaging:!!a", "!messaging:room", "messaging:a%2Fb", "messaging:ü", "messaging:a@b", long(65) + ":a", "a:" + long(65),
			},
		},
		{
			"message", []noun{messageNoun},
			[]string{"a", "a/b c?d#e&ü", "...", "\u00fc", long(255), strings.Repeat("ü", 255)},
			[]string{"", ".", "..", "a,b", "a%b", ",", long(256), strings.Repeat("ü", 256)},
		},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			each(t, tt.of, func(w *world) {
				for _, id := range tt.good {
					if d := w.Validate(w.address, w.block(w.hard, id)); len(d) > 0 {
						w.t.Errorf("%q is refused: %s", id, d)
					}
				}
				for _, id := range tt.wrong {
					d := w.Validate(w.address, w.block(w.hard, id))
					if len(d) != 1 || !d[0].Error || !d.Say("Invalid") || !strings.HasPrefix(d[0].Path, w.subject) {
						w.t.Errorf("%q: %s", id, d)
					}
					if id == "" || w.list || w.op == truncations.op {
						continue
					}
					w.refused("Invalid", w.block(w.hard), acctest.ImportID(id))
				}
				if w.list {
					d := w.Validate(w.address, w.block(w.hard, tt.good[0], tt.wrong[1], tt.good[1], tt.wrong[2]))
					if len(d) != 1 || d[0].Path != w.subject+"[1]" || !d.Say("2 of 4: "+w.subject+"[1], "+w.subject+"[3]") {
						w.t.Errorf("two of four: %s", d)
					}
					d = w.Validate(w.address, w.block(w.hard, tt.good[0], " "+tt.good[1]))
					if !d.Say("use trimspace") {
						w.t.Errorf("white space: %s", d)
					}
				}
				w.quiet("a validation")
			}, nil)
		})
	}
}

// What every record's schema refuses, told at the attribute.
func TestSchemaRules(t *testing.T) {
	each(t, nouns, func(w *world) {
		c := w.block(w.hard)
		if d := w.Validate(w.address, with(c, config{
			"request_id": "DSR-1", "labels": config{"a": "b"}, "on_missing": "record", "on_destroy": "forget", "timeouts": config{"create": "45m", "update": "1h30m"},
		})); len(d) > 0 {
			w.t.Errorf("a good block: %s", d)
		}
		for name, tt := range map[string]struct {
			block config
			says  string
		}{
			"empty request_id":  {config{"request_id": ""}, "request_id"},
			"null label":        {config{"labels": map[string]any{"a": nil}}, "labels"},
			"on_missing":        {config{"on_missing": "ignore"}, "value must be one of"},
			"on_destroy":        {config{"on_destroy": "keep"}, "value must be one of"},
			"timeout in words":  {config{"timeouts": config{"create": "soon"}}, "must be a string"},
			"status is ours":    {config{"status": "completed"}, "status"},
			"receipt is ours":   {config{"receipt": "{}"}, "receipt"},
			"outcome is ours":   {config{"irreversible": false}, "irreversible"},
			"unknown argument":  {config{"user": "hard"}, "not expected here"},
			"no subject":        {config{w.subject: nil}, w.subject},
			"labels of numbers": {config{"labels": []string{"a"}}, "labels"},
		} {
			if name == "no subject" && w.call == users.call {
				w.refused("Nobody named", with(c, tt.block)) // valid for a record that is completed
				continue
			}
			if d := w.Validate(w.address, with(c, tt.block)); !d.Say(tt.says) && !d.At(tt.says) {
				w.t.Errorf("%s: %s", name, d)
			}
		}
		for mode := range w.hard {
			if d := w.Validate(w.address, with(c, config{mode: nil})); len(d) == 0 {
				w.t.Errorf("without %s it is valid", mode)
			}
		}
		if w.op != users.op {
			if d := w.Validate(w.address, with(c, config{"on_destroy": "restore"})); !d.Say("value must be one of") {
				w.t.Errorf("restore: %s", d)
			}
		}
		w.quiet("a validation")
	}, nil)
}

// The modes of a user's erasure.
func TestUserModes(t *testing.T) {
	each(t, []noun{users, userBatch}, func(w *world) {
		for name, tt := range map[string]struct {
			modes config
			says  string // empty: valid
		}{
			"soft":                       {config{"user": "soft"}, ""},
			"pruning":                    {config{"user": "pruning"}, ""},
			"hard":                       {config{"user": "hard"}, ""},
			"hard, spelled out":          {config{"user": "hard", "messages": "hard", "conversations": "hard", "files": true, "polls": true, "calls": "hard"}, ""},
			"hard without files":         {config{"user": "hard", "files": false, "polls": false}, ""},
			"soft with hard messages":    {config{"user": "soft", "messages": "hard"}, ""},
			"hard with soft messages":    {config{"user": "hard", "messages": "soft"}, "Hard deletion needs hard messages"},
			"hard with pruned messages":  {config{"user": "hard", "messages": "pruning"}, "Hard deletion needs hard messages"},
			"hard, soft conversations":   {config{"user": "hard", "conversations": "soft"}, "Hard deletion needs hard conversations"},
			"no user":                    {config{"messages": "hard"}, "delete.user"},
			"another word":               {config{"user": "gone"}, "value must be one of"},
			"capitals":                   {config{"user": "Hard"}, "value must be one of"},
			"pruned conversations":       {config{"user": "soft", "conversations": "pruning"}, "value must be one of"},
			"pruned calls":               {config{"user": "soft", "calls": "pruning"}, "value must be one of"},
			"files is no bool":           {config{"user": "soft", "files": "some"}, "is not a"},
			"an unknown mode is allowed": {config{"user": acctest.Unknown}, ""},
		} {
			d := w.Validate(w.address, with(w.block(w.hard), config{"delete": tt.modes}))
			if tt.says == "" && len(d) > 0 || tt.says != "" && !d.Say(tt.says) && !d.At(tt.says) {
				w.t.Errorf("%s: %s", name, d)
			}
		}
		for _, id := range []string{"", "a b", "..", long(256)} {
			for _, name := range []string{"new_channel_owner_id", "new_call_owner_id"} {
				if d := w.Validate(w.address, with(w.block(w.hard), config{name: id})); !d.Say("Invalid user id") || d[0].Path != name {
					w.t.Errorf("%s = %q: %s", name, id, d)
				}
			}
		}
	}, nil)
}

// Times of a truncation.
func TestTruncationTimes(t *testing.T) {
	t.Parallel()
	acctest.Bubble(t, func(t *testing.T) {
		w := newWorld(t, truncations, nil)
		for value, says := range map[string]string{
			"yesterday": "RFC3339", "2026-01-15": "RFC3339", "2026-01-15T00:00:00": "RFC3339", "": "RFC3339",
		} {
			if d := w.Validate(w.address, with(w.block(w.hard), config{"truncated_before": value})); !d.Say(says) {
				t.Errorf("%q: %s", value, d)
			}
		}
		w.refused("Truncation reaches into the future", with(w.block(w.hard), config{"truncated_before": "2999-01-01T00:00:00Z"}))
		w.refused("Mode not known in the plan", with(w.block(w.hard), config{"truncated_before": acctest.Unknown}))
		w.refused("Mode not known in the plan", with(w.block(w.hard), config{"skip_push": acctest.Unknown}))
		c := with(w.block(w.hard), config{"truncated_before": "2026-06-01T00:00:00Z"})
		w.apply(c)
		w.is("completed", false)
		w.apply(with(c, config{"truncated_before": "2026-06-01T02:00:00.000+02:00"})) // the same moment
		w.once(1)
		w.address += "2"
		w.refused("Channel was truncated further already", with(c, config{"truncated_before": "2026-05-01T00:00:00Z"}))
	})
}

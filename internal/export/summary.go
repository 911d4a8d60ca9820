// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Summary says what an export holds, and nothing of whom it is about.
type Summary struct {
	Counts
	Channels int64 // that the messages are in
	// FirstMessage and LastMessage are when the oldest and the newest message were
	// written; zero where no message says it.
	FirstMessage, LastMessage time.Time
}

// Describe is [Summarize] with what the messages themselves say.
func Describe(text string) (Summary, error) {
	counts, err := Summarize(text)
	if err != nil {
		return Summary{}, err
	}
	s, channels := Summary{Counts: counts}, map[string]bool{}
	members, _ := stream.Members(text)
	for _, m := range members {
		if m.Name != "messages" || !m.Value.IsArray() {
			continue
		}
		for _, message := range m.Value.ForEach {
			s.note(message, channels)
		}
	}
	s.Channels = int64(len(channels))
	return s, nil
}

// note takes one message into account. A time that is none is left out.
func (s *Summary) note(message gjson.Result, channels map[string]bool) {
	if !message.IsObject() {
		return
	}
	if cid := message.Get("cid").Str; cid != "" {
		channels[cid] = true
	}
	at, err := time.Parse(time.RFC3339Nano, message.Get("created_at").Str)
	if err != nil {
		return
	}
	if s.FirstMessage.IsZero() || at.Before(s.FirstMessage) {
		s.FirstMessage = at
	}
	if at.After(s.LastMessage) {
		s.LastMessage = at
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/export"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// Gap is something that is not in the bundle, and why.
type Gap struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// gaps are what a bundle lacks, in words for the person.
func (m *maker) gaps() []Gap {
	gaps := []Gap{{
		"Other people's messages.", "This is about you, so what others wrote to you is not in it.",
	}}
	add := func(yes bool, title, text string) {
		if yes {
			gaps = append(gaps, Gap{title, text})
		}
	}
	r := m.result
	add(m.redact != nil, "Names of other people.",
		"Their names, pictures, words and ids belong to them. They are called participant 1, participant 2 and so on, the same person always by the same number; "+
			"conversations that others named are numbered too. What you wrote yourself is as you wrote it, also where it names somebody; "+
			"your own fields stay as well, but for another person's profile or id in them.")
	add(m.Fetcher == nil && r.Attachments > 0, "Files.", "The files that you attached were not asked for; export.json has their links, which expire after 14 days.")
	add(r.Missing > 0, "Missing files.", fmt.Sprintf("%s could not be saved. Each is marked beside its message, and MANIFEST.json says why.", many(r.Missing, "file")))
	add(r.Method == export.Assembled, "What could not be found.",
		"You have so many messages that they were put together from your conversations. What you wrote in conversations that you have left or that were deleted, "+
			"reactions there, and reactions to messages with more than 1,300 of them may be missing.")
	add(r.Gaps.Lists, "Messages or reactions.", "The chat service did not say whether there are any: a list is missing from its export.")
	add(r.Gaps.Limit, "What is beyond 10,000.", "The chat service exports at most 10,000 messages and 10,000 reactions in one piece, and this has exactly as many: there may be more.")
	add(r.Gaps.Reactions > 0, "Reactions.", fmt.Sprintf("Of %s not all reactions could be read; yours may be among the missing.", many(r.Gaps.Reactions, "message")))
	add(r.Gaps.Search, "Conversations that you left.", "The search for them did not come to its end.")
	add(r.Unnamed, "Names of conversations.", "They could not be read, so the conversations are called by their ids, and who was in them is not said.")
	add(true, "What the chat service does not export.",
		"Earlier versions of edited messages, drafts, reminders, live locations, votes in other people's polls, the record of moderators' decisions, and its backups.")
	add(true, "What this service stores elsewhere.", "This is the chat alone. Ask for the rest of what is stored about you where you asked for this.")
	return gaps
}

// manifest writes MANIFEST.json, which can be long: its lists come from where they wait.
func (m *maker) manifest() error {
	r := m.result
	head := struct {
		Format    string    `json:"format"`
		TakenAt   time.Time `json:"taken_at"`
		App       string    `json:"app,omitempty"`
		Audience  Audience  `json:"audience"`
		Method    string    `json:"method"`
		Complete  bool      `json:"complete"`
		Messages  int64     `json:"message_count"`
		Reactions int64     `json:"reaction_count"`
		Attached  int64     `json:"attachment_count"`
		Asked     bool      `json:"attachments_asked_for"`
		Saved     int64     `json:"attachments_saved"`
		Missing   int64     `json:"attachments_missing"`
		NoFiles   int64     `json:"attachments_without_file"`
		Talks     int       `json:"conversation_count"`
		Gaps      []Gap     `json:"gaps"`
		Version   string    `json:"provider_version"`
	}{
		"streamchat-user-export-bundle/1", m.At.UTC(), m.App, m.audience(), r.Method, r.Complete(), r.Messages, r.Reactions, r.Attachments,
		m.Fetcher != nil, r.Saved, r.Missing, r.NoFiles, r.Conversations, m.gaps(), m.Version,
	}
	text, err := json.MarshalIndent(head, "", "  ")
	if err != nil {
		return err
	}
	w, err := m.zip.zip.CreateHeader(m.zip.header("MANIFEST.json", 8)) // it does not list itself
	if err != nil {
		return err
	}
	out := newPiped(w)
	write := func(texts ...string) {
		for _, text := range texts {
			_, _ = out.WriteString(text) // Flush tells
		}
	}
	write(string(text[:len(text)-2]))
	for _, list := range []struct {
		name string
		from *privatefile.Spool
	}{{"parts", m.zip.parts}, {"attachments", m.zip.attachments}, {"missing", m.zip.missing}} {
		write(",\n  \"", list.name, "\": [")
		between := "\n    "
		if list.from != nil {
			if err := list.from.Each(func(_ byte, record []byte) error {
				write(between, string(record))
				between = ",\n    "
				return nil
			}); err != nil {
				return err
			}
		}
		write("\n  ]")
	}
	write("\n}\n")
	return out.Flush()
}

func (m *maker) audience() Audience {
	if m.Audience == "" {
		return Controller
	}
	return m.Audience
}

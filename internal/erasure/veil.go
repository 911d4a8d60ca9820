// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// veil begins the key of a record whose id is not known: no id of Stream's users holds a
// space.
const veil = "subject "

// Veil is the key under which a record lies whose id the run does not know, only its
// pseudonym.
func Veil(subject string) string { return veil + subject }

// Unveil gives the pseudonym in the key of a record; veiled is false for an id.
func Unveil(key string) (subject string, veiled bool) { return strings.CutPrefix(key, veil) }

// Pseudonyms is the operator's key of the HMAC that stands for subjects. Without a key
// there are none.
type Pseudonyms string

// Of is the pseudonym of a subject: HMAC-SHA-256 of the id under the key, in hex.
func (p Pseudonyms) Of(key string) string {
	if subject, veiled := Unveil(key); veiled {
		return subject
	}
	return Pseudonym(string(p), key)
}

// OfAll is the pseudonym of a list of subjects, in whatever order. No id is a list.
func (p Pseudonyms) OfAll(keys []string) string {
	of := make([]string, len(keys))
	for i, key := range keys {
		of[i] = p.Of(key)
	}
	slices.Sort(of)
	return Pseudonym(string(p), "["+strings.Join(slices.Compact(of), ",")+"]")
}

// Key is the key that a subject has whether its id is known or not; without pseudonyms the
// id.
func (p Pseudonyms) Key(key string) string {
	if p == "" {
		return key
	}
	return Veil(p.Of(key))
}

// Check tells two keys apart, so that a rotated key is not taken for another person: it is
// the pseudonym of no id at all.
func (p Pseudonyms) Check() string {
	const length = 16
	check := Pseudonym(string(p), "")
	return check[:min(len(check), length)]
}

// Known renames the records of subjects whose ids are given, as far as they lie under
// their pseudonyms.
func (b Batch[S]) Known(ids []string, pseudonyms Pseudonyms) Batch[S] {
	known := maps.Clone(b)
	for _, id := range ids {
		key := pseudonyms.Key(id)
		if record, ok := known[key]; ok && key != id {
			delete(known, key)
			known[id] = record
		}
	}
	return known
}

// Veiled are the subjects on record whose ids are not known, sorted.
func (b Batch[S]) Veiled() (keys []string) {
	for key := range b {
		if _, veiled := Unveil(key); veiled {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Cover puts all records under the pseudonyms of their subjects.
func (b Batch[S]) Cover(pseudonyms Pseudonyms) Batch[S] {
	covered := make(Batch[S], len(b))
	for key, record := range b {
		covered[pseudonyms.Key(key)] = record
	}
	return covered
}

// Shown is how a key stands in state.
func Shown(key string) string {
	subject, _ := Unveil(key)
	return subject
}

// faces remember, while a process lives, which id a pseudonym stands for, as Stream's
// tasks told. They are never written anywhere.
type faces struct {
	mu    sync.Mutex
	known map[string]string
	tasks map[string]bool
}

// id is the id behind a key. A veiled one is found among the results of a task, which
// Stream keys by ids; "" where it is not there.
func (f *faces) id(key string, task string, results map[string]stream.TaskResult, pseudonyms Pseudonyms) string {
	if _, veiled := Unveil(key); !veiled {
		return key
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.tasks[task] {
		if f.known == nil {
			f.known, f.tasks = map[string]string{}, map[string]bool{}
		}
		for id := range results {
			if _, veiled := Unveil(id); veiled {
				continue
			}
			f.known[pseudonyms.Key(id)] = id
		}
		f.tasks[task] = len(results) > 0
	}
	return f.known[key]
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"sync"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// company is whom the calls were about that tasks carry out: those that this process has
// sent, and those on the records that it has seen.
type company struct {
	mu    sync.Mutex
	tasks map[string]map[string]bool
}

func (c *company) add(task string, keys ...string) {
	if task == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tasks[task] == nil {
		if c.tasks == nil {
			c.tasks = map[string]map[string]bool{}
		}
		c.tasks[task] = map[string]bool{}
	}
	for _, key := range keys {
		c.tasks[task][key] = true
	}
}

// told reports that the result of a task is what the API promises, as far as anybody can
// tell: entries of those whom its call was about, or nothing at all. What else it may say,
// and of whom, nobody knows.
func (c *company) told(task stream.Task, id string, pseudonyms Pseudonyms) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.tasks[task.ID]
	for subject := range task.Results {
		if subject != id && !known[subject] && !known[pseudonyms.Key(subject)] {
			return false
		}
	}
	return !task.Odd
}

// meet adds the subjects of records.
func meet[S Scope[S]](c *company, batch Batch[S]) {
	for id, record := range batch {
		for _, a := range record.Attempts {
			c.add(a.TaskID, id)
		}
	}
}

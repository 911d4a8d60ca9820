// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import "sync"

// Crowd sees whether the plans of a run come one at a time, as under -parallelism=1: then
// the applies will too, and no two of them can share a call.
type Crowd struct {
	mu               sync.Mutex
	now, most, plans int
	announced        bool
}

// Enter notes that a plan has begun, and Leave that it has ended.
func (c *Crowd) Enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.most = max(c.most, c.now)
}

// Leave notes that a plan has ended.
func (c *Crowd) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
}

// Alone notes that a plan sends something, and reports, once, that more than limit plans
// do and that they come one at a time.
func (c *Crowd) Alone(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plans++
	if c.announced || c.most > 1 || c.plans <= limit {
		return false
	}
	c.announced = true
	return true
}

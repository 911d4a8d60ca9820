// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import (
	"context"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// Crowd sees whether the plans of a run come one at a time, as under -parallelism=1: then
// the applies will too, and no two of them can share a call.
type Crowd struct {
	mu               sync.Mutex
	now, most, plans int
	begun, settling  int
	announced        bool
}

// Enter notes that a refresh or a plan has begun, and Leave that it has ended.
func (c *Crowd) Enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.begun++
	c.most = max(c.most, c.now)
}

// Leave notes that it has ended.
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

const (
	settlePause = 50 * time.Millisecond
	settleQuiet = 6 // pauses in which nothing begins
	settleMost  = 30 * time.Second
)

// Settle lets a plan wait until the others of the run have said what they are about: until
// nobody else is at work, and nobody begins. Whoever settles has entered.
func (c *Crowd) Settle(ctx context.Context, clock clock.Clock) {
	c.mu.Lock()
	c.settling++
	begun := c.begun
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.settling--
		c.mu.Unlock()
	}()
	quiet := 0
	for range settleMost / settlePause {
		if quiet == settleQuiet || clock.Sleep(ctx, settlePause) != nil {
			return
		}
		c.mu.Lock()
		if quiet++; c.begun != begun || c.now > c.settling {
			quiet, begun = 0, c.begun
		}
		c.mu.Unlock()
	}
}

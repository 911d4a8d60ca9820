// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package session is what the provider hands to its resources: the engines, the
// guards' ledger and the memory of one run of Terraform. A process that is
// configured again starts a new one.
package session

import (
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Session is one configured provider.
type Session struct {
	// API talks to Stream. Nil when the configuration does not allow it yet; ask
	// [Session.Ready] first.
	API *stream.Client
	// App is the wrong-app guard, and the app's name for records.
	App *erasure.AppGate
	// Users erases users.
	Users *erasure.Engine[erasure.UserScope]
	// Channels, Messages and Truncations do the same for theirs.
	Channels    *erasure.Engine[erasure.ChannelScope]
	Messages    *erasure.Engine[erasure.MessageScope]
	Truncations *erasure.Engine[erasure.TruncationScope]
	// Ledger counts what this run is about to do.
	Ledger *erasure.Ledger

	Clock        clock.Clock
	Version      string
	PseudonymKey string
	// DeleteCallsPerMinute is what may be used of Stream's limit for deletions.
	DeleteCallsPerMinute int
	// AllowUnknownSubjects lets a plan pass whose subjects are only known at apply.
	AllowUnknownSubjects bool
	// Undetermined: the provider's configuration has unknown values, as it may in
	// a plan. What needs Stream is left to the apply.
	Undetermined bool
	// NotReady says why there is no API.
	NotReady diag.Diagnostics

	// Handoff carries records from a Delete to the Create of a replacement.
	Handoff Handoff
}

// From reads the session from what the framework passes to Configure; nil before
// the provider is configured (validate).
func From(providerData any, diags *diag.Diagnostics) *Session {
	if providerData == nil {
		return nil
	}
	s, ok := providerData.(*Session)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("The provider passed %T. This is a defect of the provider; please report it.", providerData))
	}
	return s
}

// Ready gives the errors that stand in the way of talking to Stream.
func (s *Session) Ready() diag.Diagnostics {
	switch {
	case s == nil:
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider is not configured", "The provider was asked to work before it was configured. This is a defect of Terraform or of the provider; please report it.")}
	case s.Undetermined:
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider configuration is not known", "The provider's configuration still holds unknown values, so nothing can be sent to Stream.")}
	default:
		return s.NotReady
	}
}

// Handoff keeps the records of deleted resources for a Create of the same
// subject in the same process: a replacement, or a tainted record.
type Handoff struct {
	mu      sync.Mutex
	records map[string]any
	seen    map[string]any
}

// Note remembers that this run has seen the record of a subject.
func (h *Handoff) Note(resource, subject string, record any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen == nil {
		h.seen = map[string]any{}
	}
	h.seen[resource+"\x00"+subject] = record
}

// Seen gives the record of a subject if this run has seen it.
func (h *Handoff) Seen(resource, subject string) (record any, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	record, ok = h.seen[resource+"\x00"+subject]
	return record, ok
}

// Create remembers that this run has created the record of a subject, so that a
// destroy of an older one (create_before_destroy, a renamed block) does not undo
// what the newer one stands for.
func (h *Handoff) Create(resource, subject string) { h.Note(resource+" created", subject, true) }

// Created reports that this run has created the record of a subject.
func (h *Handoff) Created(resource, subject string) bool {
	_, ok := h.Seen(resource+" created", subject)
	return ok
}

// Put leaves a record behind.
func (h *Handoff) Put(resource, subject string, record any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.records == nil {
		h.records = map[string]any{}
	}
	h.records[resource+"\x00"+subject] = record
}

// Waits reports that a record was left behind for a Create of the subject: then the
// run is past the Delete of a replacement, and an error before that Create would
// lose the record.
func (h *Handoff) Waits(resource, subject string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.records[resource+"\x00"+subject]
	return ok
}

// Take picks a record up, once.
func (h *Handoff) Take(resource, subject string) (any, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := resource + "\x00" + subject
	record, ok := h.records[key]
	delete(h.records, key)
	return record, ok
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package session is what the provider hands to its resources: the engines, the
// guards' ledger and the memory of one run of Terraform. A process that is
// configured again starts a new one.
package session

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
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

	// Receipts is where records write their receipts; nil where nobody asks for them.
	Receipts *receipt.Dir

	Clock   clock.Clock
	Version string
	// Pseudonyms stand for subjects in receipts, and in records that do not hold the id.
	Pseudonyms erasure.Pseudonyms
	// KeyOpen: the key of the pseudonyms is only known at apply.
	KeyOpen bool
	// DeleteCallsPerMinute is what may be used of Stream's limit for deletions.
	DeleteCallsPerMinute int
	// AllowUnknownSubjects lets a plan pass whose subjects are only known at apply.
	AllowUnknownSubjects bool
	// Undetermined: the provider's configuration has unknown values, as it may in
	// a plan. What needs Stream is left to the apply.
	Undetermined bool
	// NotReady says why there is no API.
	NotReady diag.Diagnostics

	// RetentionFloorHours is the shortest age that a retention policy may have.
	RetentionFloorHours int64
	// VerifyCompleted: every refresh looks completed user records up.
	VerifyCompleted bool

	// Claims, Stakes and Locks keep the resources of one run apart, Order its exports and deletions.
	Claims Claims
	Stakes Stakes
	Order  *erasure.Order
	Locks  Locks
	Crowd  Crowd
	// HoldField is the name of the field that holds somebody; HoldSeen is set once
	// anybody has it.
	HoldField string
	HoldSeen  *atomic.Bool
	holdSaid  atomic.Bool
	// Restrictions, Policies and Exports remember what a run has seen of records that are
	// no erasures.
	Restrictions Notes
	Policies     Notes
	Exports      Notes
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

// unknownConfiguration names the ways out of what needs Stream while Terraform plans.
const unknownConfiguration = `The provider's configuration holds values that are only known after an apply, such as credentials from a resource that this plan creates. Resources wait for the apply, but what is read while Terraform plans (a data source, an ephemeral resource, a query, an import) needs them now. Nothing was sent to Stream. One of these helps:

  * Give the data source a depends_on with the resource that the credentials come from: it is then read at apply.
  * Apply in two steps: first terraform apply -target=ADDRESS with the address of that resource, then all.
  * Take the credentials from the environment (STREAM_API_KEY and STREAM_API_SECRET), which is known in every plan, and leave them out of the provider block.`

// Ready gives the errors that stand in the way of talking to Stream.
func (s *Session) Ready() diag.Diagnostics {
	switch {
	case s == nil:
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider is not configured", "The provider was asked to work before it was configured. This is a defect of Terraform or of the provider; please report it.")}
	case s.Undetermined:
		return diag.Diagnostics{diag.NewErrorDiagnostic("Provider configuration is not known", unknownConfiguration)}
	default:
		return s.NotReady
	}
}

// Open gives the app that the credentials open, past the wrong-app guard, or the errors
// that stand in the way of talking to it. at is the attribute that asks.
func (s *Session) Open(ctx context.Context, at path.Path) (stream.App, diag.Diagnostics) {
	return s.OpenFor(ctx, at, stream.App{})
}

// OpenFor is Open for a record that belongs to an app: another one is an error.
func (s *Session) OpenFor(ctx context.Context, at path.Path, recorded stream.App) (stream.App, diag.Diagnostics) {
	if diags := s.Ready(); diags.HasError() {
		return stream.App{}, diags
	}
	app, err := s.App.Open(ctx)
	if err == nil {
		err = s.App.Holds(ctx, recorded)
	}
	if err != nil {
		return stream.App{}, diag.Diagnostics{report.Error(at, err)}
	}
	return app, nil
}

// HoldUnseen reports, once, that nobody in the app has the hold field. Where Stream does not
// say, nothing is claimed.
func (s *Session) HoldUnseen(ctx context.Context) bool {
	if s.HoldField == "" || s.HoldSeen.Load() || !s.holdSaid.CompareAndSwap(false, true) {
		return false
	}
	filter, _ := json.Marshal(map[string]any{s.HoldField: map[string]bool{"$exists": true}}) // a map of texts
	for page, err := range s.API.UserPages(ctx, stream.UserQuery{Filter: filter, IncludeDeactivated: true, Limit: 1}) {
		return err == nil && len(page) == 0
	}
	return true
}

// HasKey reports that it is known whether there is a key of pseudonyms, and which.
func (s *Session) HasKey() bool { return s != nil && !s.KeyOpen }

// Blind reports that the provider's configuration is not known yet, so that a plan cannot
// look at Stream.
func (s *Session) Blind() bool { return s == nil || s.Undetermined }

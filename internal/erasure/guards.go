// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Guards are the provider's refusals. They run in plan and again right before
// the call, and fail closed.
type Guards struct {
	ProtectedIDs   []string
	ProtectedRoles []string
	HoldField      string
}

// Identity refuses what needs no look-up.
func (g Guards) Identity(id string) error {
	if slices.Contains(g.ProtectedIDs, id) {
		return &Refusal{
			Summary: "Protected user",
			Detail: "The provider's protected_user_ids lists this user, so it cannot be erased. Nothing was sent. " +
				"Remove the block, or take the user off the list in a reviewed change.",
		}
	}
	return nil
}

// Finding refuses by what was found.
func (g Guards) Finding(f Finding) error {
	if f.Bare && (len(g.ProtectedRoles) > 0 || g.HoldField != "") {
		return &Refusal{
			Summary: "Guards cannot be checked",
			Detail: "Stream says that this user exists, but its query does not list the user, so that protected_roles and hold_field cannot be checked. Nothing was sent. " +
				"Plan again in a moment; if it stays so, ask Stream's support.",
		}
	}
	if f.Role != "" && slices.Contains(g.ProtectedRoles, f.Role) {
		return &Refusal{
			Summary: "Protected role",
			Detail: "This user has a role that the provider's protected_roles lists, so it cannot be erased. Nothing was sent. " +
				"Remove the block, change the user's role at Stream, or take the role off the list in a reviewed change.",
		}
	}
	if g.HoldField != "" && truthy(f.Custom[g.HoldField]) {
		return &Refusal{
			Summary: "Held user",
			Detail: fmt.Sprintf("The user's custom field %q (the provider's hold_field) says that this user's data is on hold. Nothing was sent. "+
				"Lift the hold at Stream when the law allows, then plan again.", g.HoldField),
		}
	}
	return nil
}

// truthy reads a JSON value as a yes or no: absent, null, false, 0 and "" are no,
// anything else holds.
func truthy(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return false
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return true
	}
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0
	case string:
		return v != ""
	default:
		return true
	}
}

// Ledger counts what one run of Terraform is about to erase. Terraform plans in
// one process and applies in another, and plans again inside apply, so it counts
// distinct subjects of one process.
type Ledger struct {
	// MaxErasures is the limit of distinct subjects; 0 is none.
	MaxErasures int
	// Probes is how many subjects a plan may probe one by one.
	Probes int

	mu      sync.Mutex
	erasing map[string]bool
	created map[string]bool
	probed  int
}

func subjectKey(kind, id string) string { return kind + "\x00" + id }

// Erase counts a subject that is to be erased and refuses the one too many.
func (l *Ledger) Erase(kind, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, id)
	if l.erasing[key] {
		return nil
	}
	if l.MaxErasures > 0 && len(l.erasing) >= l.MaxErasures {
		return &Refusal{
			Field: "max_erasures", Provider: true,
			Summary: "Too many erasures in one run",
			Detail: fmt.Sprintf("This run would newly erase more than %d distinct subjects, the provider's max_erasures. Nothing beyond that number is sent. "+
				"If the number is meant, raise max_erasures in a reviewed change; if not, look for a runaway for_each.", l.MaxErasures),
		}
	}
	if l.erasing == nil {
		l.erasing = map[string]bool{}
	}
	l.erasing[key] = true
	return nil
}

// First notes that a resource is to be created for something (a subject, a file)
// and reports whether it is the first of this run.
func (l *Ledger) First(kind, id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := subjectKey(kind, id)
	if l.created[key] {
		return false
	}
	if l.created == nil {
		l.created = map[string]bool{}
	}
	l.created[key] = true
	return true
}

func (l *Ledger) spendProbe() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.probed >= l.Probes {
		return false
	}
	l.probed++
	return true
}

// AppGate is the wrong-app guard: the app's name is read once a run, and so is the
// reason why it cannot be read, so that a thousand subjects do not ask in turn.
type AppGate struct {
	// Expected is the name the app must have; empty accepts any.
	Expected string
	API      AppAPI

	once sync.Once
	done chan struct{}
	name string
	err  error
}

// AppAPI is what the wrong-app guard needs of Stream's API.
type AppAPI interface {
	App(ctx context.Context) (stream.App, error)
}

// Name gives the app's name, or a refusal when it is not the expected one.
func (g *AppGate) Name(ctx context.Context) (string, error) {
	name, err := g.read(ctx)
	if err != nil {
		return "", err
	}
	if g.Expected != "" && name != g.Expected {
		return "", &Refusal{
			Field: "expected_app_name", Provider: true,
			Summary: "Wrong app",
			Detail: fmt.Sprintf("The credentials open the Stream app %q, but the provider's expected_app_name is %q. Nothing was sent. "+
				"Use the credentials of the right app, or correct expected_app_name.", strings.TrimSpace(name), g.Expected),
		}
	}
	return name, nil
}

// read shares one reading, which outlives its caller: a context only ends the
// wait of its own.
func (g *AppGate) read(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", at(StageApp, err)
	}
	g.once.Do(func() {
		g.done = make(chan struct{})
		go func() {
			defer close(g.done)
			app, err := g.API.App(context.WithoutCancel(ctx))
			g.name, g.err = app.Name, at(StageApp, err)
		}()
	})
	select {
	case <-g.done:
		return g.name, g.err
	case <-ctx.Done():
		return "", at(StageApp, ctx.Err())
	}
}

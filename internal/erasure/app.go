// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// AppGate is the wrong-app guard: the app is read once a run, and so is the reason
// why it cannot be read, so that a thousand subjects do not ask in turn.
type AppGate struct {
	// Expected is the name the app must have; empty accepts any.
	Expected string
	API      interface {
		App(context.Context) (stream.App, error)
	}

	mu      sync.Mutex
	reading *reading
	read    bool
	app     stream.App
	err     error
}

// reading is a request that is under way, for all who wait for it.
type reading struct {
	done    chan struct{}
	waiters int
	cancel  context.CancelFunc // when nobody waits any more
}

// Open gives the app that the credentials open, or a refusal when it is not the
// expected one.
func (g *AppGate) Open(ctx context.Context) (stream.App, error) {
	app, err := g.once(ctx)
	if err != nil {
		return stream.App{}, err
	}
	if g.Expected != "" && norm.NFC.String(app.Name) != norm.NFC.String(g.Expected) {
		return stream.App{}, &Refusal{
			Field: "expected_app_name", Provider: true,
			Summary: "Wrong app",
			Detail: fmt.Sprintf("The credentials open the Stream app %q, but the provider's expected_app_name is %q. Nothing was sent. "+
				"Use the credentials of the right app, or correct expected_app_name.", strings.TrimSpace(app.Name), g.Expected),
		}
	}
	return app, nil
}

// Holds refuses when the credentials open another app than the one that a record
// belongs to; a record without an app belongs to any. Apps are told apart by their
// names and, where both are known, by their ids.
func (g *AppGate) Holds(ctx context.Context, recorded stream.App) error {
	app, err := g.Open(ctx)
	if err != nil || recorded == (stream.App{}) {
		return err
	}
	if app.Name == recorded.Name && (app.ID == "" || recorded.ID == "" || app.ID == recorded.ID) {
		return nil
	}
	return &Refusal{
		Field:   "app_name",
		Summary: "Record of another app",
		Detail: fmt.Sprintf("This record belongs to the Stream app %s, but the credentials open %s. A namesake there is somebody else. Nothing was sent and nothing was asked. "+
			"Use the credentials of the app that the record belongs to; to erase in the other app as well, add another block with a provider alias of its own. If the app was renamed, give it its old name until this record is completed.", label(recorded), label(app)),
	}
}

func label(app stream.App) string {
	if app.ID == "" {
		return fmt.Sprintf("%q", app.Name)
	}
	return fmt.Sprintf("%q (id %s)", app.Name, app.ID)
}

// once shares one reading. Only a caller's own context ends its wait, and the request
// ends when nobody waits.
func (g *AppGate) once(ctx context.Context) (stream.App, error) {
	if err := ctx.Err(); err != nil {
		return stream.App{}, at(StageApp, err)
	}
	g.mu.Lock()
	if g.read {
		defer g.mu.Unlock()
		return g.app, g.err
	}
	r := g.reading
	if r == nil {
		r = &reading{done: make(chan struct{})}
		var request context.Context
		request, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
		g.reading = r
		go g.ask(request, r)
	}
	r.waiters++
	g.mu.Unlock()
	select {
	case <-ctx.Done():
		g.mu.Lock()
		defer g.mu.Unlock()
		if r.waiters--; r.waiters == 0 {
			r.cancel()
			if g.reading == r {
				g.reading = nil
			}
		}
		return stream.App{}, at(StageApp, ctx.Err())
	case <-r.done:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.app, g.err
	}
}

func (g *AppGate) ask(ctx context.Context, r *reading) {
	defer r.cancel()
	app, err := g.API.App(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reading == r { // else nobody waits for it
		g.reading, g.read, g.app, g.err = nil, true, app, at(StageApp, err)
	}
	close(r.done)
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// slowApp takes a minute to say its name.
type slowApp struct{ asked int }

func (a *slowApp) App(ctx context.Context) (stream.App, error) {
	a.asked++
	time.Sleep(time.Minute)
	return stream.App{Name: "App"}, ctx.Err()
}

func TestTheAppIsReadOnceWhoeverLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &slowApp{}
		gate := &AppGate{API: api}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := gate.Open(ended); !errors.Is(err, context.Canceled) || api.asked != 0 {
			t.Errorf("asked %d times for nobody: %v", api.asked, err)
		}
		first, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := gate.Open(first); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 10 {
			group.Go(func() {
				if app, err := gate.Open(t.Context()); app.Name != "App" || err != nil {
					t.Error(app, err)
				}
			})
		}
		group.Wait()
		if api.asked != 1 {
			t.Errorf("asked %d times", api.asked)
		}
	})
}

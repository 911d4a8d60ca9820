// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/terraform-plugin-framework/action"
)

// A Terraform that went away does not hold an action up in its middle.
func TestProgressWithoutListener(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		nobody := make(chan string)
		ctx, cancel := context.WithCancel(t.Context())
		resp := &action.InvokeResponse{SendProgress: func(event action.InvokeProgressEvent) { nobody <- event.Message }}
		told := false
		go func() {
			progress(ctx, resp)("Deactivating the user.")
			told = true
		}()
		synctest.Wait()
		if told {
			t.Error("it did not wait for a listener")
		}
		cancel()
		synctest.Wait()
		if !told {
			t.Error("it still waits")
		}
		<-nobody
	})
}

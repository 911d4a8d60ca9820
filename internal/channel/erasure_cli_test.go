// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package channel_test

import (
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

// Stream does not show what was deleted, so that only the record that is replaced
// knows that it was there.
func TestCLIChannelErasureReplaced(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase(room, false, ""))
	acctest.Expect(t, w.Run("plan"), 0, "Warning: Deletion that keeps the data at Stream", "not an erasure in the sense of the GDPR")
	w.Write("", erase(room, true, ""))
	acctest.Expect(t, w.Run("plan"), 0, "Warning: Irreversible deletion", "state present, created", "2 members", "for everybody who was in it")
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	before, _ := w.Record(dsr)
	acctest.Expect(t, w.Run("apply", "-auto-approve", "-replace="+dsr), 0)
	acctest.Expect(t, w.Run("taint", dsr), 0)
	acctest.Expect(t, w.Run("plan", "-out=saved"), 0, "Warning: Replacing the record of an erasure", "its evidence is kept")
	acctest.Expect(t, w.Run("apply", "saved"), 0)
	if after, tainted := w.Record(dsr); tainted || after["receipt"] != before["receipt"] {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if n := s.Count("DeleteChannels"); n != 1 {
		t.Errorf("%d delete calls", n)
	}
	acctest.Expect(t, w.Run("destroy", "-auto-approve"), 0, "Record removed, data not restored")
}

// A failed erasure of which only the record knows: it is kept, said, and repeated.
func TestCLIChannelErasureFailed(t *testing.T) {
	t.Parallel()
	s := start(t)
	w := s.Workspace(t, "", erase(room, true, acctest.UntilCompleted))
	s.AddFault(emulator.Fault{Op: "DeleteChannels", Kind: emulator.FaultFailUser, Error: "canary-4711"})
	r := w.Run("apply", "-auto-approve")
	acctest.Expect(t, r, 1, "Deletion failed at Stream", "The failed deletion is kept on record")
	if strings.Contains(acctest.Output(r), "canary") {
		t.Errorf("Stream's own words are in the output: %s", acctest.Output(r))
	}
	if values, tainted := w.Record(dsr); values["status"] != "failed" || values["outcome"] != nil || !tainted {
		t.Errorf("state: %v, tainted %v", values, tainted)
	}
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 2, "must be replaced", "the deletion is sent again")
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	values, _ := w.Record(dsr)
	if receipt, _ := values["receipt"].(string); values["status"] != "completed" || values["found"] != "deleted" || strings.Count(receipt, `"task_id"`) != 3 {
		t.Errorf("state: %v", values)
	}
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
}

// A batch in which one channel fails is tainted; its replacement knows of those that
// Stream hides by now, and sends only the one that failed.
func TestCLIChannelErasureBatchFailed(t *testing.T) {
	t.Parallel()
	const batch = "streamchat_channel_erasure_batch.all"
	s := start(t)
	w := s.Workspace(t, "", "resource \"streamchat_channel_erasure_batch\" \"all\" {\n  cids = [\""+room+"\", \""+other+"\"]\n  hard_delete = true\n"+acctest.UntilCompleted+"\n}\n")
	s.AddFault(emulator.Fault{Op: "DeleteChannels", Kind: emulator.FaultFailUser, UserID: other})
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 1, "Deletion failed at Stream", "cids[1]")
	if values, tainted := w.Record(batch); values["status"] != "failed" || !tainted {
		t.Errorf("state: %v, tainted %v", values, tainted)
	}
	acctest.Expect(t, w.Run("apply", "-auto-approve"), 0)
	acctest.Expect(t, w.Run("plan", "-detailed-exitcode"), 0)
	sent := s.Requests("DeleteChannels")
	if len(sent) != 2 || strings.Contains(string(sent[1].Body), room) {
		t.Errorf("%d delete calls, the last %s", len(sent), sent[len(sent)-1].Body)
	}
	for _, cid := range []string{room, other} {
		if _, ok := s.Channel(cid); ok {
			t.Errorf("%s is still there", cid)
		}
	}
}

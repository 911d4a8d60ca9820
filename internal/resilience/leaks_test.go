// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

func TestLeaksWatchesAllThatTheProviderHas(t *testing.T) {
	var names []string
	for _, name := range resourceTypes(t) {
		names = append(names, "resource \""+name+"\"")
	}
	p := provider.New("test", clock.Real{})()
	for _, factory := range p.DataSources(t.Context()) {
		var m datasource.MetadataResponse
		factory().Metadata(t.Context(), datasource.MetadataRequest{ProviderTypeName: "streamchat"}, &m)
		names = append(names, "data \""+m.TypeName+"\"")
	}
	for _, name := range names {
		if !strings.Contains(watched, name) {
			t.Errorf("no %s in the configuration of the leak suite", name)
		}
	}
}

// From validate to import: nothing is printed, and plan files and the state hold
// no more than the interface names.
func TestLeaksInALife(t *testing.T) {
	t.Parallel()
	s := aviary(t)
	c := newCage(t, s, watched)
	c.quiet(0, "validate")
	c.quiet(0, "validate", "-json")
	c.quiet(0, "plan", "-out=first")
	c.planned("first")
	c.quiet(0, "plan", "-json")
	c.quiet(0, "apply", "first")
	c.quiet(0, "plan", "-detailed-exitcode")
	c.quiet(0, "apply", "-refresh-only", "-auto-approve")
	// The values that are not sensitive, as show prints them by design.
	r := c.Run("show")
	c.ended(r, 0, []string{"show"}, "user", "channel", "poll")
	c.placed("show -json", []byte(c.Run("show", "-json").Stdout))

	replace := []string{"-replace=streamchat_user_erasure.dsr", "-replace=streamchat_user_erasure_batch.leavers", "-replace=streamchat_channel_erasure_batch.rooms", "-replace=streamchat_user_deactivation.left"}
	c.quiet(0, append([]string{"plan", "-json", "-out=second"}, replace...)...)
	c.planned("second")
	c.quiet(0, "apply", "-json", "second")
	for _, address := range []string{"streamchat_channel_erasure.room", "streamchat_message_erasure.slip", "streamchat_channel_export.archive"} {
		c.quiet(0, "taint", address)
	}
	// One more in the batch, and one who came back.
	c.Setenv("TF_VAR_users", strings.Replace(variables["users"], "]", `, "canary-user-batch3"]`, 1))
	s.Call(t, http.MethodPost, "/users/restore", `{"user_ids":["canary-user-soft"]}`)
	c.quiet(2, "plan", "-detailed-exitcode")
	c.quiet(0, "apply", "-refresh-only", "-json", "-auto-approve")
	c.Setenv("TF_LOG", "INFO")
	c.quiet(0, "apply", "-auto-approve")
	c.Setenv("TF_LOG", "")
	c.quiet(0, "plan", "-destroy", "-out=last")
	c.planned("last")
	c.quiet(0, "apply", "last")

	// An id on the command line is printed by Terraform, and by it alone.
	for address, id := range map[string]string{
		"streamchat_user_erasure.dsr": "canary-user-erased", "streamchat_channel_erasure.room": "messaging:canary-channel-room",
		"streamchat_message_erasure.slip": "canary-message-slip",
	} {
		r := c.Run("import", address, id)
		for _, stream := range []*string{&r.Stdout, &r.Stderr} {
			*stream = strings.ReplaceAll(*stream, `Importing from ID "`+id+`"`, "")
		}
		c.ended(r, 0, []string{"import", address})
	}
	c.quiet(1, "plan") // the others are gone, and no record says so any more
	r = c.Run("import", "streamchat_user_deactivation.left", "canary-user-guarded")
	r.Stdout = strings.ReplaceAll(r.Stdout, `Importing from ID "canary-user-guarded"`, "")
	c.ended(r, 1, []string{"import of one who is not deactivated"})
}

const words = `canary-words: canary-user-erased said canary-text in messaging:canary-channel-room, see https://x.example/f?Signature=1`

// spoilt are answers full of canaries.
var spoilt = func() []emulator.Fault {
	quoted, err := json.Marshal(words)
	if err != nil {
		panic(err)
	}
	stream := func(status, code int) emulator.Fault {
		return emulator.Fault{Kind: emulator.FaultCustom, Status: status, ContentType: "application/json", Body: fmt.Sprintf(
			`{"code":%d,"message":%s,"StatusCode":%d,"exception_fields":{"canary-user-erased":"canary-words"},"details":[%s],"more_info":%s}`, code, quoted, status, quoted, quoted)}
	}
	other := func(status int, kind, body string) emulator.Fault {
		return emulator.Fault{Kind: emulator.FaultCustom, Status: status, ContentType: kind, Body: body}
	}
	return []emulator.Fault{
		stream(http.StatusBadRequest, 4),
		stream(http.StatusNotFound, 16),
		stream(http.StatusInternalServerError, -1),
		{Kind: emulator.FaultRedirect301, Location: "/canary-user-erased?Signature=1"},
		other(http.StatusOK, "application/json", `{"users":[{"id":"canary-user-erased","created_at":"canary-text"}],"channels":[{"channel":{"cid":7,"created_at":"canary-text"}}],"message":{"id":"canary-message-slip","created_at":"canary-text"},"task_id":["canary-words"],"status":"canary-words","result":"canary-words"}`),
		stream(http.StatusForbidden, 17),
		other(http.StatusBadGateway, "text/html", "<html><title>"+words+"</title></html>"),
		{Kind: emulator.FaultRedirect307, Location: "http://canary-user-erased:canary-words@127.0.0.1:1/?Signature=1"},
		{Kind: emulator.FaultDropBefore},
		other(http.StatusOK, "text/html", "<html><title>"+words+"</title></html>"),
		stream(http.StatusUnauthorized, 5),
		other(http.StatusOK, "application/json", `{"canary-words":`+string(quoted)+`,"users":"canary-text"`),
		other(http.StatusTeapot, "text/plain", words),
		{Kind: emulator.FaultShortBody},
	}
}()

// operations are what an answer can be spoilt of, by what has come before.
var operations = map[string][]emulator.Fault{
	"look-up":    {{Op: "QueryUsers"}, {Op: "QueryChannels"}, {Op: "GetMessage"}, {Op: "GetRetentionPolicy"}, {Op: "ExportUser"}, {Op: "QueryPolls"}},
	"app":        {{Op: "GetApp"}},
	"submission": {{Op: "DeleteUsers"}, {Op: "DeleteChannels"}, {Op: "DeleteMessage"}, {Op: "TruncateChannel"}, {Op: "DeactivateUser"}, {Op: "ExportChannels"}, {Op: "SetRetentionPolicy"}, {Op: "ExportUser", UserID: "canary-user-exported"}},
	"result":     {{Op: "GetTask"}},
	"file":       {{Op: "DownloadExport"}},
}

// Stream's own words are in nothing that a failing run prints or keeps. Round n
// gives every operation the next of the answers.
func TestLeaksInFailures(t *testing.T) {
	t.Parallel()
	type run struct {
		name   string
		faults []emulator.Fault
	}
	var runs []run
	for stage, ops := range operations {
		for n := range spoilt {
			fast := map[string]bool{"look-up": n == 0 || n == 4, "submission": n == 0 || n == 4 || n == 8, "file": n == 0}[stage]
			if !*full && !fast {
				continue
			}
			r := run{name: fmt.Sprint(stage, " ", n)}
			for i, op := range ops {
				f := spoilt[(n+i)%len(spoilt)]
				f.Op, f.UserID, f.Times = op.Op, op.UserID, emulator.Forever
				r.faults = append(r.faults, f)
			}
			runs = append(runs, r)
		}
	}
	for _, f := range []emulator.Fault{
		{Kind: emulator.FaultFailUser, Error: words}, {Kind: emulator.FaultFailTask, Error: words}, {Kind: emulator.FaultTaskNotFound},
	} {
		if f.Times = emulator.Forever; *full || f.Kind == emulator.FaultFailUser {
			runs = append(runs, run{string(f.Kind), []emulator.Fault{f}})
		}
	}
	for i, r := range runs {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s := aviary(t)
			c := newCage(t, s, watched)
			for _, f := range r.faults {
				s.AddFault(f)
			}
			failed := func(args ...string) {
				t.Helper()
				r := c.Run(args...)
				c.ended(r, r.ExitCode, args)
				if out := acctest.Output(r); r.ExitCode == 0 && !strings.Contains(out, "not finished") {
					t.Errorf("the run did not fail:\n%s", out)
				}
			}
			if i%2 == 0 {
				c.Setenv("TF_LOG_PROVIDER", "TRACE")
			}
			failed("apply", "-auto-approve")
			if *full {
				failed("apply", "-auto-approve", "-json")
				s.ClearFaults()
				c.quiet(0, "plan", "-out=saved")
				c.planned("saved")
			}
		})
	}
}

// What is said of those who left a list, of the app that a record belongs to, and of an
// export that an erasure waits for, names nobody.
func TestLeaksOfVariants(t *testing.T) {
	t.Parallel()
	t.Run("shrinking list", func(t *testing.T) {
		t.Parallel()
		s := aviary(t)
		body := func(more string) string {
			return declared + "resource \"streamchat_user_erasure_batch\" \"leavers\" {\n  user_ids = var.users\n  delete { user = \"hard\" }\n  " + more + "\n}\n"
		}
		c := newCage(t, s, body(""))
		s.AddFault(emulator.Fault{Op: "DeleteUsers", Kind: emulator.FaultFailUser, UserID: "canary-user-batch2", Error: words})
		c.quiet(1, "apply", "-auto-approve")
		c.quiet(0, "untaint", "streamchat_user_erasure_batch.leavers")
		c.Setenv("TF_VAR_users", `["canary-user-batch1"]`)
		c.quiet(0, "plan", "-json", "-out=shrunk")
		c.planned("shrunk")
		c.quiet(1, "apply", "-auto-approve")
		if out := c.quiet(0, "plan"); !strings.Contains(out, "Failed deletions of subjects that left the list") {
			t.Errorf("nothing is said of who failed and left:\n%s", out)
		}
		c.Write("base_url = null\n  api_key = null\n  api_secret = null\n  pseudonym_key = null", body("drop_removed_records = true"))
		c.quiet(0, "apply", "-auto-approve", "-json")
	})
	t.Run("other app", func(t *testing.T) {
		t.Parallel()
		s := aviary(t)
		there := aviary(t, func(o *emulator.Options) { o.AppName = "Production" })
		c := newCage(t, s, watched)
		c.quiet(0, "apply", "-auto-approve")
		c.Setenv("STREAM_CHAT_URL", there.URL)
		c.Setenv("TF_LOG_PROVIDER", "TRACE")
		for _, address := range []string{"streamchat_user_erasure.dsr", "streamchat_user_erasure_batch.leavers", "streamchat_user_deactivation.left", "streamchat_user_export.answer"} {
			if out := c.quiet(1, "plan", "-replace="+address); !strings.Contains(out, "Record of another app") {
				t.Errorf("-replace=%s is not refused:\n%s", address, out)
			}
		}
		c.quiet(1, "apply", "-destroy", "-auto-approve")
		for _, r := range there.Requests() {
			if mutates(r) && r.Op != "ExportUser" { // a data source reads anew
				t.Errorf("%s reaches the other app", r.Op)
			}
		}
	})
	t.Run("export before an erasure", func(t *testing.T) {
		t.Parallel()
		s := aviary(t)
		c := newCage(t, s, declared+`resource "streamchat_user_export" "answer" {
  user_id = var.one.exported
  path    = "${path.module}/${var.one.path}/user.age"
  `+recipient+`
}
resource "streamchat_user_erasure" "dsr" {
  user_id = var.one.exported
  exports = [streamchat_user_export.answer.sha256]
  delete { user = "hard" }
}
`)
		s.AddFault(emulator.Fault{Op: "ExportUser", Kind: emulator.FaultCustom, Status: http.StatusBadRequest, Body: words, Times: emulator.Forever})
		c.quiet(1, "apply", "-auto-approve")
		s.ClearFaults()
		if err := c.WriteFile(canary+"path/user.age", "what a killed run left"); err != nil {
			t.Fatal(err)
		}
		c.quiet(1, "plan")
		if n := s.Count("DeleteUsers"); n != 0 {
			t.Errorf("%d deletions without the export", n)
		}
		if err := os.Remove(filepath.Join(c.exports(), "user.age")); err != nil {
			t.Fatal(err)
		}
		c.quiet(0, "plan", "-out=chain")
		c.planned("chain")
		c.quiet(0, "apply", "chain")
		c.sealed(c.Dir)
	})
}

// At TRACE the framework names the keys of results, and nobody says more: no
// credential, no name, no text, from whichever part of Terraform.
func TestLeaksInTrace(t *testing.T) {
	t.Parallel()
	c := newCage(t, aviary(t), watched)
	c.Setenv("TF_LOG", "TRACE")
	c.Setenv("TF_LOG_PROVIDER", "")
	runs := [][]string{{"apply", "-auto-approve"}, {"destroy", "-auto-approve"}}
	if *full {
		runs = [][]string{{"plan"}, runs[0], {"plan"}, {"apply", "-auto-approve", "-replace=streamchat_user_erasure_batch.leavers"}, runs[1]}
	}
	for _, args := range runs {
		path := filepath.Join(t.TempDir(), "log")
		c.Setenv("TF_LOG_PATH", path)
		c.quiet(0, args...)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), "@module=sdk.framework") {
			t.Error("the log has no line of the provider's process")
		}
		c.silent(fmt.Sprint(args, " in its log"), string(raw))
	}
}

// Masks live in a context, which is a new one in every request of Terraform's. The
// credentials are words that a line of the log holds, to see them masked in each.
func TestLeaksMasksInEveryRequest(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t, func(o *emulator.Options) { o.TaskDelay, o.APISecret = -1, "repeating" })
	s.Users(t, "alice")
	const erasure = "resource \"streamchat_user_erasure\" \"soft\" {\n  user_id = \"alice\"\n  delete { user = \"soft\" }\n}\n"
	const lookUp = "data \"streamchat_user\" \"alice\" {\n  user_id = \"alice\"\n}\n"
	c := newCage(t, s, lookUp)
	c.Setenv("STREAMCHAT_PSEUDONYM_KEY", "a request to Stream")
	masked := func(rpc string, after int, args ...string) {
		t.Helper()
		s.ClearFaults()
		s.AddFault(emulator.Fault{Op: "QueryUsers", Kind: emulator.Fault503, After: after})
		out := acctest.Output(c.Run(args...))
		found := false
		for line := range strings.Lines(out) {
			if !strings.Contains(line, "@module=streamchat.stream") {
				continue
			}
			if strings.Contains(line, "repeating") || strings.Contains(line, "a request to Stream") {
				t.Errorf("%v logs a credential: %s", args, line)
			}
			found = found || strings.Contains(line, "*** ***") && strings.Contains(line, "operation=QueryUsers") && strings.Contains(line, "tf_rpc="+rpc)
		}
		if !found {
			t.Errorf("%v: no masked line of %s:\n%s", args, rpc, out)
		}
	}
	masked("ReadDataSource", 0, "plan")
	c.Write("api_key = null\n  api_secret = null\n  pseudonym_key = null", erasure)
	masked("PlanResourceChange", 0, "plan", "-out=saved")
	masked("ApplyResourceChange", 1, "apply", "saved")
	masked("ReadResource", 0, "plan")
}

// A crash prints the stacks of all goroutines, and nothing of what they work on.
func TestLeaksInCrashes(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT} {
		if sig == syscall.SIGQUIT && !*full {
			continue
		}
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := aviary(t, func(o *emulator.Options) { o.TaskDelay = time.Hour })
			c := newCage(t, s, watched)
			c.Setenv("TF_LOG_PROVIDER", "TRACE") // else Terraform keeps the dump to itself
			p := c.start("apply", "-auto-approve")
			acctest.Eventually(t, "tasks are polled", func() bool { return s.Count("GetTask") > 2 })
			c.signal(p, sig)
			if out := c.wait(p, 1); strings.Count(out, "goroutine ") < 10 {
				t.Errorf("the provider did not crash:\n%s", out)
			}
		})
	}
	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		s := aviary(t, func(o *emulator.Options) { o.TaskDelay = time.Hour })
		c := newCage(t, s, watched)
		c.install(panicking(t))
		c.Setenv("GOTRACEBACK", "all")
		out := c.wait(c.start("apply", "-auto-approve"), 1)
		if !strings.Contains(out, "panic: assignment to entry in nil map") || strings.Count(out, "goroutine ") < 10 {
			t.Errorf("Terraform shows no panic:\n%s", out)
		}
	})
}

func (c *cage) start(args ...string) *tfcli.Process {
	c.t.Helper()
	p, err := c.Start(args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

func (c *cage) signal(p *tfcli.Process, sig syscall.Signal) {
	c.t.Helper()
	pids, err := p.ProviderPIDs()
	if err != nil || len(pids) == 0 {
		c.t.Fatalf("provider processes: %v, %v", pids, err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *cage) wait(p *tfcli.Process, code int) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r, err := p.Wait(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	c.ended(r, code, []string{"the run"})
	return acctest.Output(r)
}

// panicking builds a provider that panics where it waits for a task.
func panicking(t testing.TB) string {
	t.Helper()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	main, replaced := filepath.Join(root, "main.go"), filepath.Join(dir, "main.go")
	raw, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	const machine = "clock.Real{}"
	if strings.Count(string(raw), machine) != 1 {
		t.Fatalf("%s not once in main.go", machine)
	}
	text := strings.Replace(string(raw), machine, "broken{}", 1) + `
type broken struct{ clock.Real }

func (broken) Sleep(context.Context, time.Duration) error {
	var nowhere map[string]string
	nowhere["x"] = ""
	return nil
}
`
	text = strings.Replace(text, `"log"`, "\"log\"\n\t\"time\"", 1)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{main: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string]string{replaced: text, filepath.Join(dir, "overlay.json"): string(overlay)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := tfcli.BuildProvider(t.Context(), root, filepath.Join(dir, "bin"), "-overlay="+filepath.Join(dir, "overlay.json"))
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// install gives the workspace another provider.
func (c *cage) install(binary string) {
	c.t.Helper()
	mirrored, err := filepath.Glob(filepath.Join(c.Dir, ".tfcli", "mirror", "*", "*", "*", "*", "*", "terraform-provider-*"))
	if err != nil || len(mirrored) == 0 {
		c.t.Fatal(mirrored, err)
	}
	for _, path := range mirrored {
		if err := os.Remove(path); err != nil {
			c.t.Fatal(err)
		}
		if err := os.Link(binary, path); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(c.Dir, ".terraform.lock.hcl")); err != nil {
		c.t.Fatal(err)
	}
	c.quiet(0, "init")
}

// With age_recipients nothing of an export is on disk in clear, neither while it
// is written nor when the provider dies of it; and no temporary file stays.
func TestLeaksInTemporaryFiles(t *testing.T) {
	t.Parallel()
	user := "resource \"streamchat_user_export\" \"answer\" {\n  user_id = var.one.exported\n  path    = \"${path.module}/${var.one.path}/user.age\"\n  " + recipient + "\n}\n"
	long := strings.Repeat("long ", 900)
	for name, tt := range map[string]struct {
		body, seed string
		limit      int    // of messages in an export of Stream's own
		op         string // stops half-way,
		after      int    // after so many
		begun      func(c *cage, p *tfcli.Process) bool
	}{
		"user export": {body: user, op: "ExportUser", seed: "{}", begun: func(*cage, *tfcli.Process) bool { return true }},
		"channel export": {
			body: "resource \"streamchat_channel_export\" \"archive\" {\n  cids = [var.one.archive]\n  path = \"${path.module}/${var.one.path}/channel.age\"\n  " + recipient + "\n}\n",
			seed: `{"messages":[` + many(200, `{"id":"canary-message-#","cid":"messaging:canary-channel-archive","user_id":"canary-user-watched","text":"canary-text `+long+`"}`) + `]}`,
			op:   "DownloadExport", begun: func(c *cage, _ *tfcli.Process) bool { return size(c.exports()) > 1<<18 },
		},
		// 32 channels, so two downloads. The reactions of the first are more than the
		// provider keeps in memory, so they go to a file that has no name on Linux.
		"assembled user export": {
			body: user, limit: 50, op: "DownloadExport", after: 1,
			seed: `{"channels":[` + many(26, `{"cid":"messaging:canary-channel-#","created_by_id":"canary-user-exported","members":["canary-user-exported"]}`) +
				`],"messages":[` + many(200, `{"id":"canary-message-#","cid":"messaging:canary-channel-000","user_id":"canary-user-exported","text":"canary-text"}`) +
				`],"reactions":[` + many(2000, `{"message_id":"canary-message-/10","user_id":"canary-user-exported","type":"type#","why":"canary-reaction `+long+`"}`) + `]}`,
			begun: func(c *cage, p *tfcli.Process) bool { return runtime.GOOS != "linux" || c.unnamed(p) > 1<<20 },
		},
	} {
		for _, killed := range []bool{false, true} {
			if killed && !*full && name != "channel export" {
				continue
			}
			t.Run(name+map[bool]string{true: ", killed"}[killed], func(t *testing.T) {
				t.Parallel()
				s := aviary(t, func(o *emulator.Options) { o.ExportLimit = tt.limit })
				s.Fill(t, tt.seed)
				release := make(chan struct{})
				s.AddFault(emulator.Fault{Op: tt.op, Kind: emulator.FaultStall, After: tt.after, Release: release})
				c := newCage(t, s, declared+tt.body)
				temporary := t.TempDir()
				c.Setenv("TMPDIR", temporary)
				p := c.start("apply", "-auto-approve")
				acctest.Eventually(t, "the export stops half-way", func() bool { return s.Count(tt.op) == tt.after+1 && tt.begun(c, p) })
				c.sealed(temporary)
				c.sealed(c.Dir)
				if killed {
					c.signal(p, syscall.SIGKILL)
					c.wait(p, 1)
					c.sealed(c.Dir)
					return
				}
				close(release)
				c.wait(p, 0)
				c.sealed(c.Dir)
				for dir, want := range map[string]int{temporary: 0, c.exports(): 1} {
					if entries, err := os.ReadDir(dir); err != nil || len(entries) != want {
						t.Errorf("in %s are %v, %v", dir, entries, err)
					}
				}
			})
		}
	}
}

// exports is where the files of exports go.
func (c *cage) exports() string { return filepath.Join(c.Dir, canary+"path") }

// many is a list of objects in which # is their number and /10 a tenth of it.
func many(n int, object string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.NewReplacer("#", fmt.Sprintf("%03d", i), "/10", fmt.Sprintf("%03d", i/10)).Replace(object)
	}
	return strings.Join(list, ",")
}

// size is what the files of a directory hold.
func size(dir string) (n int64) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

var ownFile = regexp.MustCompile(`^(\.terraform|\.tfcli|terraform\.tfstate(\.backup)?)$`)

// sealed finds no canary in the files below a directory. Terraform's own are
// looked at by left.
func (c *cage) sealed(dir string) {
	c.t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case os.IsNotExist(err):
			return nil // its process removed it
		case err != nil:
			return err
		case ownFile.MatchString(e.Name()) && e.IsDir():
			return fs.SkipDir
		case ownFile.MatchString(e.Name()) || !e.Type().IsRegular():
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if bad := kinds(string(raw)); bad != nil {
			c.t.Errorf("%s holds %v", path, bad)
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// unnamed looks into the files without a name that the provider has open, and says
// how much is in them. Linux.
func (c *cage) unnamed(p *tfcli.Process) (n int) {
	c.t.Helper()
	pids, err := p.ProviderPIDs()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, pid := range pids {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, file := range files {
			if target, err := os.Readlink(file); err != nil || !strings.HasSuffix(target, "(deleted)") || !strings.HasPrefix(target, c.Dir) {
				continue
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				continue // closed since
			}
			n += len(raw)
			if bad := kinds(string(raw)); bad != nil {
				c.t.Errorf("an open file holds %v", bad)
			}
		}
	}
	return n
}

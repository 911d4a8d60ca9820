// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// From the ticket to the receipt, on every CLI of this machine: what is wrong stops the
// plan, an apply that ends red keeps its evidence, and the next run resumes.
func TestCLIPipeline(t *testing.T) {
	t.Parallel()
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			t.Parallel()
			p := start(t, cli)

			// Monday: three requests, one misspelt, one held, one of somebody who is gone.
			p.request("DSR-1", "app: production\nstages: [restrict, export]\n")
			p.request("DSR-2", "app: production\nuser_id: ana\nstages: [erase]\n")
			p.request("DSR-3", "app: production\nuser_id: harry\nstages: [erase]\n")
			p.request("DSR-4", "app: production\nuser_id: gone\nstages: [erase]\n")
			p.request("DSR-5", "app: staging\nuser_id: tester\nstages: [restrict]\n")
			p.run(1, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("this plan has errors", "Subject not found", `module.production["DSR-2"]`, "Held user", `module.production["DSR-3"]`)
			p.run(1, "policy.sh")
			p.run(1, "apply.sh")
			p.sent(0)

			// The two are taken out for now.
			p.request("DSR-2", "")
			p.request("DSR-3", "")
			p.run(2, "plan.sh")
			p.previous()
			p.run(0, "comment.sh")
			p.comments("1 change that cannot be undone", "`DSR-4`", "Already deleted", "`Live`", "`Tests`", "Restricted", "Exported", "`DSR-5`")
			p.run(0, "policy.sh")
			// Stream's task takes longer than the run may wait.
			p.run(1, "apply.sh", "Not erased yet")
			p.sent(1)
			if receipts := p.receipts("user_erasure-*"); len(receipts) != 1 || !strings.Contains(receipts[0], `"submitted"`) {
				t.Errorf("receipts after a red run: %v", receipts)
			}
			p.opens("DSR-1", "my new address")

			// The night finishes it without asking anybody, and sends nothing again.
			p.now.Advance(2 * time.Hour)
			p.run(0, "nightly.sh")
			p.comments("Resumed", "`DSR-4`")
			p.sent(1)
			if receipts := p.receipts("user_erasure-*"); len(receipts) != 1 || !strings.Contains(receipts[0], `"completed"`) {
				t.Errorf("receipts after the night: %v", receipts)
			}

			// Somebody has looked at the export: the erasure is asked for.
			p.request("DSR-1", "app: production\nreceived: 2026-01-12\nlegal_basis: GDPR Art. 17(1)(b)\nstages: [restrict, export, erase]\n")
			p.previous()
			p.run(3, "nightly.sh", "does more than ask for results")
			p.run(2, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("`DSR-1`", "state deactivated", "no longer there")
			p.run(0, "policy.sh")
			p.run(1, "apply.sh")
			p.now.Advance(2 * time.Hour)
			p.run(0, "nightly.sh")
			p.sent(2)
			p.run(0, "plan.sh")
			p.run(0, "nightly.sh", "Nothing is unfinished.")
			p.sent(2)
			if u, _ := p.live.User("anna"); !u.HardDeleted {
				t.Error("anna is still there")
			}

			// A request's file that goes takes its evidence along, and the undo of a
			// restriction is an act of its own: the policy wants both said.
			p.request("DSR-4", "")
			p.request("DSR-5", "")
			p.run(2, "plan.sh")
			p.run(1, "policy.sh", "the record would be forgotten", "reactivates the user")
			p.names("anna", "harry")
		})
	}
}

// An app that nobody knows, a stage or a key that is misspelt: each is an error.
func TestCLIBadRequests(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	for content, says := range map[string]string{
		"app: prod\nuser_id: harry\nstages: [restrict]\n":                             "production or staging",
		"app: production\nuser_id: harry\nstages: [eraze]\n":                          "The stages are",
		"app: production\nuser_id: harry\nstages: [restrict]\nlegal_bases: Art. 17\n": "nothing else",
		"app: production\nstages: [restrict]\n":                                       "Invalid index",
	} {
		p.request("DSR-9", content)
		p.run(1, "plan.sh")
		if log, err := os.ReadFile(filepath.Join(p.out, "plan.jsonl")); err != nil || !strings.Contains(string(log), says) {
			t.Errorf("%q: %v\n%s", content, err, log)
		}
		p.run(0, "comment.sh")
		p.comments("this plan has errors")
	}
}

type pipeline struct {
	t    *testing.T
	live *acctest.Stream
	now  *clocktest.Clock
	key  *age.X25519Identity
	dir  string
	out  string
	env  []string
}

// start lays a copy of the example out with its tools, and an app for each alias.
func start(t *testing.T, cli tfcli.CLI) *pipeline {
	t.Helper()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	now := clocktest.New(time.Now())
	app := func(name, key string) *acctest.Stream {
		return acctest.Start(t, func(o *emulator.Options) {
			o.AppName, o.APIKey, o.APISecret, o.Clock, o.TaskDelay = name, key, "secret-of-"+name, now, time.Hour
		})
	}
	live, tests := app("Live", "livekey"), app("Tests", "testskey")
	live.Fill(t, `{"users": [{"id": "anna"}, {"id": "gone"}, {"id": "harry", "legal_hold": true}, {"id": "other"}],
	  "channels": [{"cid": "messaging:room", "created_by_id": "other", "members": ["anna", "other"]}],
	  "messages": [{"id": "m-1", "cid": "messaging:room", "user_id": "anna", "text": "my new address"}]}`)
	live.Call(t, "DELETE", "/users/gone?hard_delete=true", "")
	tests.Fill(t, `{"users": [{"id": "tester"}]}`)
	both := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("api_key") == "testskey" {
			tests.ServeHTTP(w, r)
			return
		}
		live.ServeHTTP(w, r)
	}))
	t.Cleanup(both.Close)

	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ws, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: dir, Provider: acctest.Binary(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(ws.Dir, os.DirFS(filepath.Join(root, "examples", "pipeline"))); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(ws.Dir, "requests")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	p := &pipeline{t: t, live: live, now: now, key: key, dir: ws.Dir, out: out, env: append(os.Environ(),
		"PATH="+tools(t, root)+string(os.PathListSeparator)+os.Getenv("PATH"), "TF="+cli.Path, "OUT="+out, "POLICY="+filepath.Join(root, "policy"),
		"TF_CLI_CONFIG_FILE="+filepath.Join(ws.Dir, ".tfcli", "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "NO_COLOR=1", "TF_REATTACH_PROVIDERS=",
		"STREAM_CHAT_URL="+both.URL, "STREAMCHAT_PSEUDONYM_KEY="+acctest.PseudonymKey,
		`TF_VAR_production={"app_name":"Live","api_key":"livekey","api_secret":"secret-of-Live"}`,
		`TF_VAR_staging={"app_name":"Tests","api_key":"testskey","api_secret":"secret-of-Tests"}`,
		`TF_VAR_user_ids={"DSR-1":"anna"}`, "TF_VAR_officer="+key.Recipient().String(), "TF_VAR_exports_dir="+filepath.Join(dir, "exports"),
		"TF_VAR_timeout=3s", "TF_VAR_state_passphrase=at-least-16-characters")}
	return p
}

// tools gives what the scripts find on PATH. OPA comes from the build cache.
func tools(t *testing.T, root string) string {
	t.Helper()
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	dir := t.TempDir()
	run("build", "-o", dir, "./internal/comment/cmd/streamchat-comment")
	return dir + string(os.PathListSeparator) + filepath.Dir(run("tool", "-modfile=tools/policy/go.mod", "-n", "opa"))
}

// request writes the file of a request, or takes it out.
func (p *pipeline) request(number, content string) {
	p.t.Helper()
	name := filepath.Join(p.dir, "requests", number+".yaml")
	if content == "" {
		if err := os.Remove(name); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, []byte(content), 0o600)); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a script as CI does.
func (p *pipeline) run(code int, script string, says ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", filepath.Join("scripts", script))
	cmd.Dir, cmd.Env = p.dir, p.env
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) || cmd.ProcessState.ExitCode() != code {
		log, _ := os.ReadFile(filepath.Join(p.out, "plan.jsonl"))
		p.t.Fatalf("%s: %v, wanted %d\n%s\n%s", script, err, code, out, log)
	}
	for _, text := range says {
		if !strings.Contains(strings.Join(strings.Fields(string(out)), " "), text) {
			p.t.Errorf("%s does not say %q: %s", script, text, out)
		}
	}
}

func (p *pipeline) comment() string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.out, "comment.md"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

func (p *pipeline) comments(says ...string) {
	p.t.Helper()
	got := p.comment()
	for _, text := range says {
		if !strings.Contains(got, text) {
			p.t.Errorf("the comment does not say %q:\n%s", text, got)
		}
	}
	if strings.Contains(got, "anna") || strings.Contains(got, "harry") {
		p.t.Errorf("the comment names somebody:\n%s", got)
	}
}

// previous makes the comment the last one, as CI fetches it.
func (p *pipeline) previous() {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.out, "previous.md"), []byte(p.comment()), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pipeline) sent(deletions int) {
	p.t.Helper()
	if n := p.live.Count("DeleteUsers"); n != deletions {
		p.t.Errorf("%d delete calls, wanted %d", n, deletions)
	}
}

func (p *pipeline) receipts(of string) (all []string) {
	p.t.Helper()
	names, err := filepath.Glob(filepath.Join(p.out, "receipts", of+".json"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range names {
		receipt, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, string(receipt))
	}
	return all
}

// opens reads an export as the officer does.
func (p *pipeline) opens(request, says string) {
	p.t.Helper()
	sealed, err := os.ReadFile(filepath.Join(p.dir, "exports", request+".json.age"))
	if err != nil {
		p.t.Fatal(err)
	}
	var plain bytes.Buffer
	opened, err := age.Decrypt(bytes.NewReader(sealed), p.key)
	if err == nil {
		_, err = plain.ReadFrom(opened)
	}
	if err != nil || !strings.Contains(plain.String(), says) {
		p.t.Errorf("the export: %v", err)
	}
}

// names makes sure that what CI keeps for long, receipts and comments, names nobody.
func (p *pipeline) names(ids ...string) {
	p.t.Helper()
	kept := strings.Join(p.receipts("*"), "") + p.comment()
	for _, id := range ids {
		if strings.Contains(kept, id) {
			p.t.Errorf("%s is named in what is kept", id)
		}
	}
}

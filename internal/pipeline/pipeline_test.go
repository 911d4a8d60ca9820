// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package pipeline_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
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
// plan, an apply that ends red keeps its evidence, the next run resumes, and whose id only
// the store of secrets has is named nowhere.
func TestCLIPipeline(t *testing.T) {
	t.Parallel()
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			t.Parallel()
			p := start(t, cli)

			// Monday: four erasures, one misspelt, one held, one of somebody whom no guard sees any more.
			p.request("DSR-1", "app: production\nstages: [restrict, export]\n")
			p.request("DSR-2", "app: production\nuser_id: ana\nstages: [erase]\n")
			p.request("DSR-3", "app: production\nuser_id: harry\nstages: [erase]\n")
			p.request("DSR-4", "app: production\nuser_id: \"007\"\nstages: [erase]\n")
			p.request("DSR-7", "app: production\nuser_id: gone\nstages: [erase]\n")
			p.request("DSR-5", "app: staging\nuser_id: tester\nstages: [restrict]\n")
			p.run(1, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("this plan has errors", "Subject not found", `module.production["DSR-2"]`, "Held user", `module.production["DSR-3"]`, "Guards cannot be checked", `module.production["DSR-7"]`)
			p.run(1, "policy.sh")
			p.run(1, "apply.sh")
			p.sent(0)

			// The three are taken out for now.
			p.request("DSR-2", "")
			p.request("DSR-3", "")
			p.request("DSR-7", "")
			p.run(2, "plan.sh")
			p.previous()
			p.run(0, "comment.sh")
			p.comments("1 change that cannot be undone", "`DSR-4`", "`Live`", "`Tests`", "Restricted", "Exported", "`DSR-5`")
			p.run(0, "policy.sh")
			// Stream's task takes longer than the run may wait.
			p.run(1, "apply.sh", "DSR-4: not erased yet")
			p.sent(1)
			p.receipt("user_erasure-*", "DSR-4", `"submitted"`)
			p.opens("DSR-1.zip", "my new address")

			// The night finishes it without asking anybody, and sends nothing again.
			p.now.Advance(2 * time.Hour)
			p.run(0, "nightly.sh")
			p.comments("Resumed", "`DSR-4`")
			p.sent(1)
			p.receipt("user_erasure-*", "DSR-4", `"completed"`)

			// Somebody has looked at the export: the erasure is asked for, which the night
			// must not do, and which needs the id again.
			p.request("DSR-1", "app: production\nreceived: 2026-01-12\nlegal_basis: GDPR Art. 17(1)(b)\nstages: [restrict, export, erase]\n")
			p.previous()
			p.run(3, "nightly.sh", "does more than finish what was begun", "`DSR-1`")
			p.ids(nobody)
			p.run(1, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("Nobody named", `module.production["DSR-1"]`)
			p.ids(everybody)
			p.run(2, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("`DSR-1`", "state deactivated", "no longer there", "answer due by 2026-02-12: LATE")
			p.run(0, "policy.sh", "The policy warns", "2026-02-12")
			p.run(1, "apply.sh", "DSR-1: not erased yet")
			p.now.Advance(2 * time.Hour)
			p.run(0, "nightly.sh")
			p.sent(2)
			p.receipt("user_erasure-*", "DSR-1", `"due_at":"2026-02-12T`)
			p.run(0, "nightly.sh", "Nothing is due or unfinished.")
			if u, _ := p.live.User(anna); !u.HardDeleted {
				t.Error("anna is still there")
			}

			// Her record is final: whoever knew the id may have forgotten it.
			p.ids(nobody)
			p.run(0, "plan.sh")
			p.sent(2)

			// A request's file that goes takes its evidence along, and the undo of a
			// restriction is an act of its own: the policy wants both said.
			p.request("DSR-4", "")
			p.request("DSR-5", "")
			p.run(2, "plan.sh")
			p.run(1, "policy.sh", "the record would be forgotten", "reactivates the user")
			p.names("harry", "tester")
			p.nowhere()
		})
	}
}

// Two stages: restricted by the merge, erased by the night once it is due, called off by
// taking the file out.
func TestCLIPipelineInTwoStages(t *testing.T) {
	t.Parallel()
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			t.Parallel()
			p := start(t, cli)
			p.request("DSR-1", "app: production\nreceived: "+time.Now().UTC().Format(time.DateOnly)+"\ngrace_period: 1s\nstages: [erase]\n")
			p.request("DSR-6", "app: production\nuser_id: other\ngrace_period: 720h\nstages: [erase]\n")
			p.run(2, "plan.sh")
			p.run(0, "comment.sh")
			p.comments("Restricted now, gone for good when due", "`DSR-1`", "`DSR-6`", "answer due by")
			p.run(0, "policy.sh")
			p.run(0, "apply.sh")
			p.sent(0)
			p.receipt("user_erasure-*", "DSR-1", `"scheduled"`)

			// It is due, and nobody says who it is.
			p.ids(nobody)
			p.run(1, "nightly.sh", "The plan has errors", "Give the id again", `module.production["DSR-1"]`)
			p.sent(0)
			// With the id the night sends it, and the next one asks for the result.
			p.ids(everybody)
			p.run(1, "nightly.sh", "DSR-1: not erased yet")
			p.comments("Erased now, as scheduled", "`DSR-1`")
			p.sent(1)
			p.now.Advance(2 * time.Hour)
			p.run(0, "nightly.sh")
			p.run(0, "nightly.sh", "Nothing is due or unfinished.")
			p.sent(1)
			p.receipt("user_erasure-*", "DSR-1", `"completed"`)
			p.receipt("user_erasure-*", "DSR-6", `"scheduled"`)
			if u, _ := p.live.User(anna); !u.HardDeleted {
				t.Error("anna is still there")
			}

			// The other one is called off before the day. The night leaves that to people.
			if u, _ := p.live.User("other"); !u.Deactivated {
				t.Error("DSR-6 restricts nobody")
			}
			p.request("DSR-6", "")
			p.run(3, "nightly.sh")
			p.comments("can connect again", "`DSR-6`")
			p.run(1, "policy.sh")
			p.allow("allow_undo", "allow_forget")
			p.run(0, "policy.sh")
			p.run(0, "apply.sh")
			p.sent(1)
			if u, _ := p.live.User("other"); u.Deactivated || u.Deleted {
				t.Errorf("called off, and at Stream: %+v", u)
			}
			p.run(0, "plan.sh")
			p.names("other")
			p.nowhere()
		})
	}
}

// Guards that are taken out of the provider block after the approval: the plan shows it, the
// night leaves it to people, and nothing is erased before somebody has agreed.
func TestCLIApprovalIsKept(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	p.request("DSR-1", "app: production\ngrace_period: 1s\nstages: [erase]\n")
	p.run(2, "plan.sh")
	p.run(0, "apply.sh")
	providers := read(t, filepath.Join(p.dir, "providers.tf"))
	p.write("providers.tf", strings.ReplaceAll(providers, `hold_field        = "legal_hold"`, ""))
	const title = "Guards are weaker than those that were approved"
	p.run(3, "nightly.sh")
	p.comments(title, "hold_field", "`DSR-1`")
	p.sent(0)
	p.run(2, "plan.sh")
	p.run(0, "policy.sh")
	p.run(0, "comment.sh")
	p.comments(title)
	// Once somebody has agreed, the night goes on.
	p.run(0, "apply.sh")
	p.sent(0)
	p.run(1, "nightly.sh", "DSR-1: not erased yet")
	p.sent(1)
	p.names()
	p.nowhere()
}

// What nobody understands, or is about nobody, is an error, and the comment says which request.
func TestCLIBadRequests(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	// All at once, beside a request that is well: whatever the shape of a file, it is named.
	const app, stages, key, export, broken, folder = "the app is", "the stages are", "a request has app", "an export has", "the file is empty or broken", "has nothing but files"
	for i, bad := range []struct{ name, content, says string }{
		{"%s.yaml", "", broken},
		{"%s.yaml", "app: [\n", broken},
		{"%s.yaml", "- app: production\n", broken},
		{"%s.yaml", "production\n", broken},
		{"%s.yml", "app: production\nuser_id: harry\nstages: [restrict]\n", folder},
		{"more/%s.yaml", "app: production\nuser_id: harry\nstages: [restrict]\n", folder},
		{"%s.yaml", "app: prod\nuser_id: harry\nstages: [restrict]\n", app},
		{"%s.yaml", "user_id: harry\nstages: [restrict]\n", app},
		{"%s.yaml", "app: [production]\nstages: [restrict]\n", app},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: [eraze]\n", stages},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: []\n", stages},
		{"%s.yaml", "app: production\nuser_id: harry\n", stages},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: restrict\n", stages},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: {a: restrict}\n", stages},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: [restrict]\nlegal_bases: Art. 17\n", key},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: [export]\nexport: {form: json}\n", export},
		{"%s.yaml", "app: production\nuser_id: harry\nstages: [export]\nexport: json\n", export},
	} {
		number := fmt.Sprintf("BAD-%d", i)
		name := filepath.Join("requests", fmt.Sprintf(bad.name, number))
		p.request("DSR-5", "app: staging\nuser_id: tester\nstages: [restrict]\n")
		p.write(name, bad.content)
		p.run(1, "plan.sh")
		p.run(0, "comment.sh")
		p.comments("1 error", number, bad.says)
		if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	// Nobody is named, by no file and no store of secrets.
	p.write("requests/.gitkeep", "")
	for _, stage := range []string{"restrict", "export", "erase"} {
		p.request("DSR-9", "app: production\nstages: ["+stage+"]\n")
		p.run(1, "plan.sh")
		p.run(0, "comment.sh")
		p.comments("this plan has errors", "1 error", `module.production["DSR-9"].streamchat_user_`)
	}
	// An id may be known before its file is there: that is said, and no error.
	p.request("DSR-9", "")
	p.run(2, "plan.sh")
	p.run(0, "comment.sh")
	p.comments("TF_VAR_user_ids has a number that no file in requests/ has")
	p.ids(nobody)
	p.run(2, "plan.sh")
	p.run(0, "comment.sh")
	if strings.Contains(p.comment(), "Check block") {
		t.Error(p.comment())
	}
}

// What stands in a file, or in the store of secrets, is what is planned, character by
// character, or an error that says where.
func TestCLIRequestsAreTexts(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	const text, once, line, key, boolean, words = "a text is one line", "a key stands once", "a line has a key", "each key stands at the beginning", "accept_incomplete is", "have words"
	const head = "app: production\nstages: [restrict]\n"
	bad := []struct {
		content, says string
		line          int
	}{
		{head + "user_id: 007\n", text, 3},
		{head + "user_id: 7\n", text, 3},
		{head + "user_id: 1e5\n", text, 3},
		{head + "user_id: 0x1F\n", text, 3},
		{head + "user_id: .inf\n", text, 3},
		{head + "user_id: true\n", text, 3},
		{head + "user_id: yes\n", text, 3},
		{head + "user_id: ~\n", text, 3},
		{head + "user_id:\n", text, 3},
		{head + "user_id: \"\"\n", text, 3},
		{head + "user_id: 2026-01-12\n", text, 3},
		{head + "user_id: !!str 007\n", text, 3},
		{head + "user_id: &who harry\n", text, 3},
		{head + "user_id: \"h\\u0061rry\"\n", line, 3},
		{head + "user_id: |\n  harry\n", text, 3},
		{head + "user_id: harry\n  7\n", text, 3},
		{head + "user_id: [harry]\n", text, 3},
		{head + "user_id: other\nuser_id: harry\n", once, 4},
		{head + "user_id: other\n\"user_id\": harry\n", line, 4},
		{head + "? user_id\n: harry\n", line, 3},
		{head + "user_id: other # \u2028user_id: harry\n", once, 4},
		{head + "user_id: other # \u0085user_id: harry\n", once, 4},
		{"export: &a {user_id: harry}\n" + head + "<<: *a\n", line, 4},
		{"export: &a {format: json}\n" + head, words, 1},
		{"{app: production, stages: [restrict], user_id: harry}\n", line, 1},
		{" app: production\n stages: [restrict]\n user_id: harry\n", key, 0},
		{head + "user_id: other\nstages: [erase]\n", once, 4},
		{"app: staging\n" + head, once, 2},
		{head + "export:\n  format: json\n  format: bundle\n", "each once", 0},
		{head + "export: {attachments: 1}\n", "an export has", 0},
		{head + "received: 2026-1-5\n", text, 3},
		{head + "received: 20260105\n", text, 3},
		{head + "received: 2026-01-05 10:00:00\n", text, 3},
		{head + "grace_period: 336\n", text, 3},
		{head + "grace_period: 1e3\n", text, 3},
		{head + "accept_incomplete: \"true\"\n", boolean, 3},
		{head + "accept_incomplete: yes\n", boolean, 3},
	}
	for i, bad := range bad {
		p.request(fmt.Sprintf("BAD-%d", i), bad.content)
	}
	p.run(1, "plan.sh")
	p.run(0, "comment.sh")
	p.comments("1 error", "BAD-", "a key stands once")
	said := strings.ReplaceAll(read(t, filepath.Join(p.out, "plan.jsonl")), `\n`, "\n") // the comment cuts a long one
	for i, bad := range bad {
		where := fmt.Sprintf("BAD-%d", i)
		if bad.line > 0 {
			where += fmt.Sprintf(".yaml line %d", bad.line)
		}
		if !regexp.MustCompile(`(?m)^.*\b` + regexp.QuoteMeta(where) + `\b.*` + bad.says).MatchString(said) {
			t.Errorf("%q: not said of %s: %s", bad.content, where, bad.says)
		}
		p.request(where[:strings.IndexAny(where+".", ".")], "")
	}

	for _, ids := range []string{`{"DSR-1":7}`, `{"DSR-1":1e5}`, `{"DSR-1":true}`, `{"DSR-1":null}`, `{"DSR-1":["` + anna + `"]}`, `{"DSR-1":"\u0061nna"}`, `{DSR-1="` + anna + `"}`, ``, `{"DSR-1":"other","DSR-1":"` + anna + `"}`} {
		p.ids(ids)
		p.run(1, "plan.sh")
		p.run(0, "comment.sh")
		p.comments("TF_VAR_user_ids")
	}

	// What is well, in every form that people write.
	p.ids("{ \"DSR-1\" : \"" + anna + "\",\n\"DSR-7\":\"0008\" }\n")
	p.request("DSR-1", "---\r\n# A comment\r\napp:   production # live\r\nstages:\r\n  - restrict # now\r\n  - export\r\nexport:\r\n  audience: \"controller\"\r\n  format: json\r\n")
	p.request("DSR-2", "app: 'production'\nuser_id: \"007\"\nstages: [ restrict, ]\nlegal_basis: GDPR Art. 17(1)(b), § 35 BDSG, a#1\nreceived: 2026-01-12\n\n")
	p.request("DSR-3", "app: \"production\"\nuser_id: '1e5'\nstages: [restrict]\nreceived: \"2026-01-12\"\n")
	p.request("DSR-7", "app: production\nstages: [restrict]\nreceived: 2026-01-12T23:30:00+02:00\n")
	p.run(2, "plan.sh")
	plan := read(t, filepath.Join(p.out, "plan.json"))
	for _, says := range []string{`"user_id":"007"`, `"user_id":"1e5"`, `"received":"2026-01-12"`, `"received":"2026-01-12T23:30:00+02:00"`, `"legal_basis":"GDPR Art. 17(1)(b), § 35 BDSG, a#1"`} {
		if !strings.Contains(plan, says) {
			t.Errorf("not planned: %s", says)
		}
	}
}

// What the controller keeps has Stream's own form, where the request's file says so.
func TestCLIExportOfTheController(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	p.request("DSR-1", "app: production\nexport: {format: json, audience: controller}\nstages: [export]\n")
	p.run(2, "plan.sh")
	p.run(0, "apply.sh")
	p.opens("DSR-1.json", "my new address")
}

// Nobody is erased after an export that may miss something, until somebody has read what.
func TestCLIExportThatMissesSomething(t *testing.T) {
	t.Parallel()
	p := start(t, acctest.CLI(t))
	const request = "app: production\nuser_id: other\nstages: [export, erase]\n"
	p.request("DSR-7", request)
	p.run(2, "plan.sh")
	p.run(0, "comment.sh")
	p.comments("taken by the same apply: nobody has looked at it")
	p.run(1, "policy.sh", "nobody has looked at it")
	p.allow("allow_unseen_export")
	p.run(0, "policy.sh")
	p.run(1, "apply.sh", "DSR-7: the export may miss something")
	p.sent(0)
	p.receipt("user_export-*", "DSR-7", `"attachments_missing":1`)
	p.run(1, "plan.sh")
	p.request("DSR-7", request+"accept_incomplete: true\n")
	p.run(2, "plan.sh")
	p.run(0, "comment.sh")
	p.comments("goes after 1 export")
	p.run(1, "apply.sh", "DSR-7: not erased yet")
	p.sent(1)
}

// Who is meant where no file says so.
const (
	anna      = "anna-4711-berg"
	everybody = `{"DSR-1":"` + anna + `"}`
	nobody    = "{}"
)

type pipeline struct {
	t    *testing.T
	cli  tfcli.CLI
	live *acctest.Stream
	now  *clocktest.Clock
	key  *age.X25519Identity
	dir  string // the repository
	out  string
	env  []string
	said strings.Builder // by all runs, as their logs keep it
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
	live.Fill(t, strings.ReplaceAll(`{"users": [{"id": "ANNA"}, {"id": "gone"}, {"id": "harry", "legal_hold": true}, {"id": "other"}, {"id": "007"}, {"id": "1e5"}, {"id": "0008"}],
	  "channels": [{"cid": "messaging:room", "created_by_id": "other", "members": ["ANNA", "other"]}],
	  "messages": [{"id": "m-1", "cid": "messaging:room", "user_id": "ANNA", "text": "my new address"},
	    {"id": "m-2", "cid": "messaging:room", "user_id": "other", "text": "look", "attachments": [{"type": "image", "image_url": "https://elsewhere.example/x.png"}]}]}`, "ANNA", anna))
	live.Call(t, "DELETE", "/users/gone?hard_delete=true", "")
	tests.Fill(t, `{"users": [{"id": "tester"}, {"id": "another"}]}`)

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
	// The key of state and plans is derived in every command: with the fewest rounds that
	// OpenTofu takes, a third of the time.
	encryption := filepath.Join(ws.Dir, "encryption.tofu")
	const passphrase = "passphrase = var.state_passphrase\n"
	if text := strings.Replace(read(t, encryption), passphrase, passphrase+"      iterations = 200000\n", 1); !strings.Contains(text, "iterations") {
		t.Fatal("encryption.tofu has another passphrase")
	} else if err := os.WriteFile(encryption, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(ws.Dir, "policy"), os.DirFS(filepath.Join(root, "policy"))); err != nil {
		t.Fatal(err)
	}
	p := &pipeline{t: t, cli: cli, live: live, now: now, key: key, dir: ws.Dir, out: out, env: append(os.Environ(),
		"PATH="+tools(t, root)+string(os.PathListSeparator)+os.Getenv("PATH"), "TF="+cli.Path, "OUT="+out,
		"TF_CLI_CONFIG_FILE="+filepath.Join(ws.Dir, ".tfcli", "cli.tfrc"), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "NO_COLOR=1", "TF_REATTACH_PROVIDERS=",
		"STREAMCHAT_PSEUDONYM_KEY="+acctest.PseudonymKey,
		fmt.Sprintf(`TF_VAR_production={"app_name":"Live","api_key":"livekey","api_secret":"secret-of-Live","base_url":%q}`, live.URL),
		fmt.Sprintf(`TF_VAR_staging={"app_name":"Tests","api_key":"testskey","api_secret":"secret-of-Tests","base_url":%q}`, tests.URL),
		"TF_VAR_officer="+key.Recipient().String(), "TF_VAR_exports_dir="+filepath.Join(dir, "exports"),
		"TF_VAR_timeout=3s", "TF_VAR_state_passphrase=at-least-16-characters",
		"TF_LOG=INFO", "TF_LOG_PATH="+filepath.Join(out, "terraform.log"))}
	p.ids(everybody)
	return p
}

// ids is what the store of secrets gives a run.
func (p *pipeline) ids(byRequest string) { p.env = append(p.env, "TF_VAR_user_ids="+byRequest) }

// allow says in the policy's data what a reviewed change says.
func (p *pipeline) allow(names ...string) {
	p.t.Helper()
	name := filepath.Join(p.dir, "policy", "data.json")
	data := read(p.t, name)
	for _, setting := range names {
		data = strings.Replace(data, fmt.Sprintf("%q: false", setting), fmt.Sprintf("%q: true", setting), 1)
	}
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// tools gives what the scripts find on PATH, built once. OPA takes minutes where the build
// cache does not have it.
func tools(t *testing.T, root string) string {
	t.Helper()
	building.Do(func() {
		run := func(args ...string) string {
			cmd := exec.Command("go", args...)
			cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("go %v: %v", args, err)
			}
			return strings.TrimSpace(string(out))
		}
		dir := filepath.Dir(acctest.Binary(t)) // goes with it
		run("build", "-o", dir, "./internal/comment/cmd/streamchat-comment")
		toolPath = dir + string(os.PathListSeparator) + filepath.Dir(run("tool", "-modfile=tools/policy/go.mod", "-n", "opa"))
	})
	if toolPath == "" {
		t.Fatal("the tools could not be built")
	}
	return toolPath
}

var (
	building sync.Once
	toolPath string
)

// request writes the file of a request, or takes it out.
func (p *pipeline) request(number, content string) {
	p.t.Helper()
	if content == "" {
		if err := os.Remove(filepath.Join(p.dir, "requests", number+".yaml")); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	p.write(filepath.Join("requests", number+".yaml"), content)
}

// write puts a file into the repository.
func (p *pipeline) write(name, content string) {
	p.t.Helper()
	name = filepath.Join(p.dir, name)
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
	p.said.Write(out)
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
	if strings.Contains(got, anna) || strings.Contains(got, "harry") {
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

// receipt expects something of the receipt of a request.
func (p *pipeline) receipt(of, request, says string) {
	p.t.Helper()
	for _, receipt := range p.receipts(of) {
		if strings.Contains(receipt, fmt.Sprintf("%q", request)) {
			if !strings.Contains(receipt, says) {
				p.t.Errorf("the receipt of %s does not say %s: %s", request, says, receipt)
			}
			return
		}
	}
	p.t.Errorf("%s has no receipt", request)
}

// opens reads an export as the officer does.
func (p *pipeline) opens(export, says string) {
	p.t.Helper()
	sealed, err := os.ReadFile(filepath.Join(p.dir, "exports", export+".age"))
	if err != nil {
		p.t.Fatal(err)
	}
	var plain bytes.Buffer
	opened, err := age.Decrypt(bytes.NewReader(sealed), p.key)
	if err == nil {
		_, err = plain.ReadFrom(opened)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	if strings.HasSuffix(export, ".json") {
		if !strings.Contains(plain.String(), says) {
			p.t.Errorf("%s does not say %q", export, says)
		}
		return
	}
	bundle, err := zip.NewReader(bytes.NewReader(plain.Bytes()), int64(plain.Len()))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, page := range []string{"index.html", "export.json"} {
		content, err := fs.ReadFile(bundle, page)
		if err != nil || !strings.Contains(string(content), says) {
			p.t.Errorf("%s of %s does not say %q: %v", page, export, says, err)
		}
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

// nowhere makes sure that anna, whose id only the store of secrets has, is named in nothing
// that all the runs have printed and left, and that OpenTofu has encrypted state and plan.
func (p *pipeline) nowhere() {
	p.t.Helper()
	p.ids(everybody)
	p.request("DSR-8", "app: staging\nuser_id: another\nstages: [restrict]\n") // so that there is a plan to look into
	p.run(2, "plan.sh")
	seen := map[string]string{"what the runs printed": p.said.String()}
	for _, args := range [][]string{{"show", "-json"}, {"state", "pull"}} {
		cmd := exec.CommandContext(p.t.Context(), p.cli.Path, args...)
		cmd.Dir, cmd.Env = p.dir, p.env
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), "DSR-1") {
			p.t.Errorf("%v: %v\n%s", args, err, out)
		}
		seen[strings.Join(args, " ")] = string(out)
	}
	plan := filepath.Join(p.out, "plan.tfplan")
	encrypted := p.cli.Flavor == tfcli.OpenTofu
	if parts, err := zip.OpenReader(plan); (err != nil) != encrypted {
		p.t.Errorf("the plan: %v", err)
	} else if err == nil {
		for _, part := range parts.File {
			content, err := fs.ReadFile(parts, part.Name)
			if err != nil {
				p.t.Fatal(err)
			}
			seen["plan: "+part.Name] = string(content)
		}
		_ = parts.Close()
	}
	state := "DSR-1"
	if strings.Contains(read(p.t, filepath.Join(p.dir, "terraform.tfstate")), state) == encrypted {
		p.t.Errorf("the state is not as %s should keep it", p.cli)
	}
	err := filepath.WalkDir(filepath.Dir(p.out), func(path string, entry fs.DirEntry, err error) error {
		if entry.IsDir() && (entry.Name() == ".tfcli" || entry.Name() == ".terraform") {
			return filepath.SkipDir
		}
		if err == nil && entry.Type().IsRegular() {
			seen[path] = read(p.t, path)
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	for where, content := range seen {
		if strings.Contains(content, anna) {
			p.t.Errorf("%s names the person:\n%s", where, content)
		}
	}
	for _, name := range []string{"plan.jsonl", "plan.json", "comment.md", "terraform.log", "init.log"} {
		if seen[filepath.Join(p.out, name)] == "" {
			p.t.Errorf("nothing in %s", name)
		}
	}
}

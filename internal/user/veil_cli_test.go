// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
)

// What the block looks like for somebody whose id stands nowhere: the request's number is
// the key of an ephemeral map.
const withoutIDs = `
variable "ids" {
  type      = map(string)
  ephemeral = true
  default   = {}
}
locals {
  requests = toset(["DSR-1", "DSR-2"])
}
resource "streamchat_user_export" "dsr" {
  for_each       = local.requests
  user_id_wo     = try(var.ids[each.key], null)
  path           = "${path.module}/out/${each.key}.json.age"
  age_recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
}
resource "streamchat_user_erasure" "dsr" {
  for_each    = local.requests
  user_id_wo  = try(var.ids[each.key], null)
  expected_wo = try({ name = var.ids["${each.key} name"] }, null)
  exports     = [streamchat_user_export.dsr[each.key].sha256]
  request_id  = each.key
  delete {
    user = "hard"
  }
}
resource "streamchat_user_erasure_batch" "spam" {
  user_ids_wo = try(split(" ", var.ids.spam), null)
  delete {
    user = "hard"
  }
}
resource "streamchat_user_deactivation" "art18" {
  user_id_wo = try(var.ids.art18, null)
  on_destroy = "forget"
}
`

var canaries = map[string]string{
	"DSR-1": "canary-waters", "DSR-1 name": "Canary Waters", "DSR-2": "canary-ortiz", "DSR-2 name": "Canary Ortiz",
	"spam": "canary-spam-1 canary-spam-2", "art18": "canary-weber",
}

// traces are the files under a directory, archives opened, that hold a canary.
func traces(t *testing.T, dir string) (found []string) {
	t.Helper()
	look := func(name string, content []byte) {
		lower := bytes.ToLower(content)
		for _, value := range []string{"canary-", "canary waters", "canary ortiz"} {
			if i := bytes.Index(lower, []byte(value)); i >= 0 {
				found = append(found, fmt.Sprintf("%s: …%s…", name, lower[max(0, i-120):min(len(lower), i+60)]))
			}
		}
	}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.Contains(name, "terraform-provider-") {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		look(name, content)
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil //nolint:nilerr // no archive
		}
		for _, file := range archive.File {
			r, err := file.Open()
			if err != nil {
				return err
			}
			content, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			look(name+"!"+file.Name, content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Ids from an ephemeral variable reach no plan, no state, no output and no log, from the
// first plan to the destroy; and once all is done nobody needs them.
func TestCLIWithoutIDs(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	s.Fill(t, `{"users": [{"id": "canary-waters", "name": "Canary Waters"}, {"id": "canary-ortiz", "name": "Canary Ortiz"}, {"id": "canary-weber"},
		{"id": "canary-spam-1"}, {"id": "canary-spam-2"}, {"id": "host"}],
		"channels": [{"cid": "messaging:c", "created_by_id": "host", "members": ["canary-waters", "host"]}],
		"messages": [{"id": "m1", "cid": "messaging:c", "user_id": "canary-waters", "text": "hello"}]}`)
	w := s.Installed(t, acctest.CLI(t), `protected_roles = ["admin"]`, withoutIDs)
	log := filepath.Join(t.TempDir(), "trace.log")
	w.Setenv("TF_LOG", "TRACE")
	w.Setenv("TF_LOG_PATH", log)
	give := func(ids map[string]string) {
		var pairs []string
		for key, value := range ids {
			pairs = append(pairs, fmt.Sprintf("%q = %q", key, value))
		}
		w.Setenv("TF_VAR_ids", "{"+strings.Join(pairs, ", ")+"}")
	}
	silent := func(what string, code int, says []string, args ...string) {
		t.Helper()
		r := w.Run(args...)
		expect(t, r, code, says...)
		if out := strings.ToLower(acctest.Output(r)); strings.Contains(out, "canary") {
			t.Errorf("%s prints an id: %s", what, out)
		}
		for _, dir := range []string{w.Dir, filepath.Dir(log)} {
			for _, found := range traces(t, dir) {
				t.Errorf("%s leaves a trace in %s", what, found)
			}
		}
	}

	give(nil)
	silent("a plan without ids", 1, []string{"Nobody named"}, "plan")
	wrong := map[string]string{}
	for key, value := range canaries {
		wrong[key] = value
	}
	wrong["DSR-1 name"] = "Canary Somebody"
	give(wrong)
	silent("a wrong person", 1, []string{"Another person than expected", "expected_wo"}, "plan")
	give(canaries)
	silent("the plan", 0, []string{"6 to add"}, "plan", "-out=saved")
	silent("the plan as JSON", 0, nil, "show", "-json", "saved")
	silent("the apply", 0, []string{"6 added"}, "apply", "saved")
	for _, id := range []string{"canary-waters", "canary-ortiz", "canary-spam-2"} {
		if u, _ := s.User(id); !u.HardDeleted {
			t.Errorf("a subject is still there: %+v", u)
		}
	}
	silent("the state as JSON", 0, []string{`"subject"`}, "show", "-json")
	s.ResetRequests()
	silent("a plan with the ids", 0, []string{"No changes"}, "plan", "-detailed-exitcode")
	s.ResetRequests()
	give(nil)
	silent("a plan without the variable", 0, []string{"No changes"}, "plan", "-detailed-exitcode")
	for _, r := range s.Requests() {
		t.Errorf("a plan without the variable asks: %s", r.Op)
	}
	silent("the destroy", 0, []string{"6 destroyed"}, "destroy", "-auto-approve")
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// UntilCompleted is the postcondition that every example carries.
const UntilCompleted = `
  lifecycle {
    postcondition {
      condition     = self.status == "completed"
      error_message = "Not erased yet: run apply again."
    }
  }`

// Says is the pattern of a text that the CLI may break into lines, with a bar before
// each.
func Says(text string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(text), " ", `[\s│|]+`))
}

// Attr is the path of an attribute, or of one inside it.
func Attr(names ...string) tfjsonpath.Path {
	p := tfjsonpath.New(names[0])
	for _, name := range names[1:] {
		p = p.AtMapKey(name)
	}
	return p
}

// Known expects a value in state.
func Known(address, name string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, Attr(name), want)
}

// Is expects a text in state.
func Is(address, name, want string) statecheck.StateCheck {
	return Known(address, name, knownvalue.StringExact(want))
}

// Plans expects what a plan does with a resource, and more of it.
func Plans(address string, action plancheck.ResourceActionType, more ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: append([]plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}, more...)}
}

// Steps runs the steps of an acceptance test.
func Steps(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	resource.UnitTest(t, resource.TestCase{ProtoV6ProviderFactories: Factories(), Steps: steps})
}

// DeleteBlock is what an erasure of a user deletes, argument by argument.
func DeleteBlock(arguments ...string) string {
	return "delete {\n    " + strings.Join(arguments, "\n    ") + "\n  }"
}

// Importing is an import block.
func Importing(address, id string) string {
	return fmt.Sprintf("\nimport {\n  to = %s\n  id = %q\n}\n", address, id)
}

// Twice is a block and the same under another name.
func Twice(block, name string) string {
	return block + strings.Replace(block, strconv.Quote(name), `"other"`, 1)
}

// Refusal is a configuration whose plan fails.
type Refusal struct {
	// Provider goes into the provider block.
	Provider, Body, Says string
	// Fault strikes this plan alone: it is made with a Stream that has nothing but
	// the user alice.
	Fault emulator.Fault
}

// Refused plans each configuration and expects its error. It returns when all have
// ended, so that a caller may count what was sent.
func (s *Stream) Refused(t *testing.T, refusals map[string]Refusal) {
	t.Helper()
	t.Run("refused", func(t *testing.T) {
		for name, r := range refusals {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := s
				if r.Fault.Kind != "" {
					s = Start(t)
					s.Users(t, "alice")
					s.AddFault(r.Fault)
				}
				Expect(t, s.Workspace(t, r.Provider, r.Body).Run("plan"), 1, r.Says)
			})
		}
	})
}

// Expect checks an exit code, and texts in the output whatever its line breaks.
func Expect(t testing.TB, r tfcli.Result, code int, says ...string) {
	t.Helper()
	output := strings.Join(strings.Fields(Output(r)), " ")
	if r.ExitCode != code {
		t.Errorf("exit code %d, want %d:\n%s", r.ExitCode, code, Output(r))
	}
	for _, text := range says {
		if !strings.Contains(output, text) {
			t.Errorf("the output lacks %q:\n%s", text, Output(r))
		}
	}
}

// Apply applies the configuration, and expects an exit code and texts.
func (w *Workspace) Apply(code int, says ...string) tfcli.Result {
	w.t.Helper()
	r := w.Run("apply", "-auto-approve")
	Expect(w.t, r, code, says...)
	return r
}

// Plan plans, and expects texts and 0 for no changes, 1 for an error, 2 for changes.
func (w *Workspace) Plan(code int, says ...string) tfcli.Result {
	w.t.Helper()
	r := w.Run("plan", "-detailed-exitcode")
	Expect(w.t, r, code, says...)
	return r
}

// Has expects an untainted resource with these values in state.
func (w *Workspace) Has(address string, want map[string]any) {
	w.t.Helper()
	values, tainted := w.Record(address)
	if values == nil || tainted {
		w.t.Errorf("%s: tainted %v, state %v", address, tainted, values)
		return
	}
	for name, value := range want {
		if got := values[name]; fmt.Sprint(got) != fmt.Sprint(value) {
			w.t.Errorf("%s: %s is %v, want %v", address, name, got, value)
		}
	}
}

// Record is a resource's values in state, nil when there is none. It reads the
// file: the CLI would start the provider to show it.
func (w *Workspace) Record(address string) (values map[string]any, tainted bool) {
	w.t.Helper()
	return w.RecordIn("terraform.tfstate", address)
}

// RecordIn is Record for the state in another file.
func (w *Workspace) RecordIn(file, address string) (values map[string]any, tainted bool) {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.Dir, file))
	if os.IsNotExist(err) || err == nil && len(raw) == 0 { // as a killed CLI leaves it
		return nil, false
	}
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct {
				Status     string
				Attributes map[string]any
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		w.t.Fatalf("the state: %v: %s", err, raw)
	}
	for _, r := range state.Resources {
		if r.Type+"."+r.Name == address && len(r.Instances) > 0 {
			return r.Instances[0].Attributes, r.Instances[0].Status == "tainted"
		}
	}
	return nil, false
}

// Eventually waits for something that happens in another process.
func Eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for !happened() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

// Call makes a request as curl would with a server token, and returns status and
// body.
func (s *Stream) Call(t testing.TB, method, path, body string) (int, []byte) {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte(s.APISecret()))
	if err != nil {
		t.Fatal(err)
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path+separator+"api_key="+s.APIKey(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Stream-Auth-Type", "jwt")
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, raw
}

// Fill seeds the emulator, see [emulator.Emulator.Seed], and forgets the requests
// so far.
func (s *Stream) Fill(t testing.TB, seed string) {
	t.Helper()
	if err := s.Seed(strings.NewReader(seed)); err != nil {
		t.Fatal(err)
	}
	s.ResetRequests()
}

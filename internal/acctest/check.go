// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

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

// Says is the pattern of a text that the CLI may break into lines.
func Says(text string) *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(text), " ", `\s+`))
}

// Refusal is a configuration whose plan fails.
type Refusal struct {
	// Provider goes into the provider block.
	Provider, Body, Says string
}

// Refused plans each configuration and expects its error.
func (s *Stream) Refused(t *testing.T, refusals map[string]Refusal) {
	t.Helper()
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: Factories(),
				Steps:                    []resource.TestStep{{PlanOnly: true, Config: s.Config(r.Provider, r.Body), ExpectError: Says(r.Says)}},
			})
		})
	}
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

// Record is a resource's values in state, nil when there is none. It reads the
// file: the CLI would start the provider to show it.
func (w *Workspace) Record(address string) (values map[string]any, tainted bool) {
	w.t.Helper()
	raw, err := os.ReadFile(filepath.Join(w.Dir, "terraform.tfstate"))
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

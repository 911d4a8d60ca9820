// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	stream "github.com/GetStream/stream-chat-go/v6"
	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator/emulatortest"
)

// noon is when every test begins, at the start of a rate limit's window.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is an emulator with the SDK's client in front of it.
type world struct {
	*emulator.Emulator
	t     *testing.T
	sdk   *stream.Client
	clock *clocktest.Clock
}

func start(t *testing.T, opts emulator.Options) *world {
	t.Helper()
	sim := clocktest.New(noon)
	opts.Clock = sim
	e := emulatortest.Start(t, opts)
	t.Setenv("STREAM_CHAT_URL", "")
	sdk, err := stream.NewClient(e.APIKey(), e.APISecret())
	if err != nil {
		t.Fatal(err)
	}
	sdk.BaseURL = e.URL
	return &world{Emulator: e, t: t, sdk: sdk, clock: sim}
}

func seeded(t *testing.T, seed string) *world {
	t.Helper()
	w := start(t, emulator.Options{})
	w.seed(seed)
	return w
}

func (w *world) seed(seed string) {
	w.t.Helper()
	if err := w.Seed(strings.NewReader(seed)); err != nil {
		w.t.Fatal(err)
	}
}

// wait lets every task complete.
func (w *world) wait() { w.clock.Advance(emulator.DefaultTaskDelay) }

// answer is a raw response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

func (w *world) token(claims jwt.MapClaims) string {
	w.t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(w.APISecret()))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) userToken(id string) string {
	return w.token(jwt.MapClaims{"user_id": id, "iat": w.clock.Now().Unix()})
}

// call is a raw request with a server token.
func (w *world) call(method, path, body string) answer {
	w.t.Helper()
	return w.callAs(w.token(jwt.MapClaims{"server": true}), method, path, body)
}

func (w *world) callAs(token, method, path, body string) answer {
	w.t.Helper()
	a, err := w.try(token, method, path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) try(token, method, path, body string) (answer, error) {
	w.t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path+sep+"api_key="+w.APIKey(), strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Stream-Auth-Type", "jwt")
	req.Header.Set("Content-Type", "application/json")
	return w.do(req)
}

func (w *world) do(req *http.Request) (answer, error) {
	tr := &http.Transport{DisableKeepAlives: true} // no silent retries
	client := &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// must fails the test on an error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantError checks Stream's error envelope as the SDK sees it.
func wantError(t *testing.T, err error, status, code int, message string) {
	t.Helper()
	var e stream.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of Stream's", err)
	}
	if e.StatusCode != status || e.Code != code || !strings.Contains(e.Message, message) {
		t.Fatalf("got %d/%d %q, want %d/%d %q", e.StatusCode, e.Code, e.Message, status, code, message)
	}
	if e.MoreInfo == "" {
		t.Error("more_info is empty")
	}
}

func (a answer) wantError(t *testing.T, status, code int, message string) {
	t.Helper()
	var e struct {
		Code       int    `json:"code"`
		StatusCode int    `json:"StatusCode"`
		Message    string `json:"message"`
		Details    []int  `json:"details"`
	}
	if err := json.Unmarshal(a.body, &e); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	if a.status != status || e.StatusCode != status || e.Code != code || e.Message != message {
		t.Fatalf("got %d %s, want %d/%d %q", a.status, a.body, status, code, message)
	}
	if e.Details == nil {
		t.Error("details is null")
	}
}

func (a answer) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	for _, p := range parts {
		if !bytes.Contains(a.body, []byte(p)) {
			t.Fatalf("%s is not in %s", p, a.body)
		}
	}
	if !bytes.Contains(a.body, []byte(`"duration":"`)) {
		t.Fatalf("no duration in %s", a.body)
	}
}

func bg() context.Context { return context.Background() }

func ptr[T any](v T) *T { return &v }

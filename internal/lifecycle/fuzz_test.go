// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/channel"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock/clocktest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/message"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/user"
)

// gone is a Stream where everything was deleted. It keeps what it is asked.
type gone struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string // paths, queries and bodies, unescaped
}

func startGone(f *testing.F) *gone {
	g := &gone{}
	g.Server = httptest.NewServer(g)
	f.Cleanup(g.Close)
	return g
}

func (g *gone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	last := r.URL.EscapedPath()
	last, _ = url.PathUnescape(last[strings.LastIndexByte(last, '/')+1:])
	g.mu.Lock()
	g.asked = append(g.asked, last, r.URL.Query().Get("payload"), body.String())
	g.mu.Unlock()
	answer := map[string]any{"app": map[string]any{"name": "App"}, "users": []any{}, "channels": []any{}}
	switch {
	case r.Method == http.MethodPatch:
		var update struct{ Users []struct{ ID string } }
		_ = json.Unmarshal(body.Bytes(), &update)
		w.WriteHeader(http.StatusNotFound)
		answer = map[string]any{"code": 16, "message": "the user " + update.Users[0].ID + " was deleted"}
	case strings.HasPrefix(r.URL.Path, "/messages/"):
		w.WriteHeader(http.StatusNotFound)
		answer = map[string]any{"code": 16, "message": "message doesn't exist"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// session is a new run against it.
func (g *gone) session(t *testing.T) *session.Session {
	simulated := clocktest.New(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	api, err := stream.New(stream.Config{APIKey: "key", APISecret: "secret", BaseURL: g.URL, Clock: simulated})
	if err != nil {
		t.Fatal(err)
	}
	s := &session.Session{API: api, Clock: simulated, Ledger: &erasure.Ledger{}, App: &erasure.AppGate{API: api}}
	s.Users = engineFor(s, erasure.Users{API: api, Clock: simulated})
	s.Channels = engineFor(s, erasure.Channels{API: api})
	s.Messages = engineFor(s, erasure.Messages{API: api})
	return s
}

func engineFor[S erasure.Scope[S]](s *session.Session, deed erasure.Deed[S]) *erasure.Engine[S] {
	return erasure.New(erasure.Config[S]{Deed: deed, API: s.API, Ledger: s.Ledger, App: s.App, Clock: s.Clock})
}

// FuzzImport: an id that the validator takes comes through an import and over the
// wire as it is; one that it refuses is neither sent nor repeated.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{"alice", "canary@1", "messaging:general", "messaging:!members-x", "m/1 é", "", ".", "..", "a/b", "a b", "ä", "a\n", "\xff", "a%2f", "\x00", "a:b:c", strings.Repeat("x", 256)} {
		f.Add(seed)
	}
	g := startGone(f)
	f.Fuzz(func(t *testing.T, id string) {
		if id == "" || !utf8.ValidString(id) {
			return // an import by identity, and no text of Terraform's
		}
		for attribute, noun := range map[string]func() resource.Resource{"user_id": user.NewErasure, "cid": channel.NewErasure, "message_id": message.NewErasure} {
			importID(t, g, attribute, noun(), id)
		}
	})
}

func importID(t *testing.T, g *gone, attribute string, r resource.Resource, id string) {
	ctx := t.Context()
	var configured resource.ConfigureResponse
	r.(resource.ResourceWithConfigure).Configure(ctx, resource.ConfigureRequest{ProviderData: g.session(t)}, &configured)
	var described resource.SchemaResponse
	r.Schema(ctx, resource.SchemaRequest{}, &described)
	var identity resource.IdentitySchemaResponse
	r.(resource.ResourceWithIdentity).IdentitySchema(ctx, resource.IdentitySchemaRequest{}, &identity)
	resp := resource.ImportStateResponse{
		State:    tfsdk.State{Schema: described.Schema, Raw: tftypes.NewValue(described.Schema.Type().TerraformType(ctx), nil)},
		Identity: &tfsdk.ResourceIdentity{Schema: identity.IdentitySchema, Raw: tftypes.NewValue(identity.IdentitySchema.Type().TerraformType(ctx), nil)},
	}
	refused := validate(t, described.Schema.Attributes[attribute].(schema.StringAttribute).Validators, attribute, id)

	g.asked = nil
	r.(resource.ResourceWithImportState).ImportState(ctx, resource.ImportStateRequest{ID: id}, &resp)
	if refused.HasError() {
		if !resp.Diagnostics.HasError() || len(g.asked) > 0 || !strings.HasPrefix(resp.Diagnostics.Errors()[0].Detail(), refused.Errors()[0].Detail()) {
			t.Errorf("%s %q: %v, asked %q", attribute, id, resp.Diagnostics, g.asked)
		}
		return
	}
	var kept types.String
	if diags := resp.State.GetAttribute(ctx, path.Root(attribute), &kept); diags.HasError() || resp.Diagnostics.HasError() || kept.ValueString() != id {
		t.Errorf("%s %q: %v %v %s", attribute, id, resp.Diagnostics, diags, kept)
	}
	var again types.String
	if diags := resp.Identity.GetAttribute(ctx, path.Root(attribute), &again); diags.HasError() || again.ValueString() != id {
		t.Errorf("%s %q: %v, identity %s", attribute, id, diags, again)
	}
	quoted, _ := json.Marshal(id)
	if text := strings.Join(g.asked, "\n"); !strings.Contains(text, string(quoted)) && (attribute != "message_id" || !strings.Contains(text, id)) {
		t.Errorf("%s %q: asked %q", attribute, id, g.asked)
	}
}

// validate runs an attribute's validators. What they say must not depend on the
// value, which may name somebody.
func validate(t *testing.T, validators []validator.String, attribute, value string) diag.Diagnostics {
	t.Helper()
	run := func(value string) (diags diag.Diagnostics) {
		for _, v := range validators {
			var resp validator.StringResponse
			v.ValidateString(t.Context(), validator.StringRequest{Path: path.Root(attribute), ConfigValue: types.StringValue(value)}, &resp)
			diags.Append(resp.Diagnostics...)
		}
		return diags
	}
	diags := run(value)
	if diags.HasError() && !diags.Equal(run("")) {
		t.Errorf("%s %q: %v", attribute, value, diags)
	}
	for _, d := range diags {
		if at, ok := d.(diag.DiagnosticWithPath); !ok || !at.Path().Equal(path.Root(attribute)) {
			t.Errorf("%s %q: %v", attribute, value, d)
		}
	}
	return diags
}

// FuzzFilterAttribute: what is no JSON object is an error at the attribute, and
// nothing else is; the client agrees.
func FuzzFilterAttribute(f *testing.F) {
	for _, seed := range []string{`{}`, ` {"role":"guest"}`, `null`, `[]`, ``, `{`, `{"a":1}x`, `{"a":1e400,"a":2}`, "\ufeff{}", `{"canary":}`} {
		f.Add(seed)
	}
	var described datasource.SchemaResponse
	user.NewUsersDataSource().Schema(context.Background(), datasource.SchemaRequest{}, &described)
	validators := described.Schema.Attributes["filter"].(datasourceschema.StringAttribute).Validators
	api, err := stream.New(stream.Config{APIKey: "key", APISecret: "secret", BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		f.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	f.Fuzz(func(t *testing.T, filter string) {
		if !utf8.ValidString(filter) {
			return
		}
		trimmed := strings.TrimLeft(filter, " \t\r\n")
		object := json.Valid([]byte(filter)) && trimmed[0] == '{'
		if diags := validate(t, validators, "filter", filter); diags.HasError() == object {
			t.Errorf("%q: %v", filter, diags)
		}
		var e *stream.Error
		_, err := api.QueryUsers(ended, stream.UserQuery{Filter: json.RawMessage(filter)})
		if !errors.As(err, &e) || object == strings.Contains(fmt.Sprint(e), "not a JSON object") {
			t.Errorf("%q: %v", filter, err)
		}
	})
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package user_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	fwresource "github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

const echoed = "echo.dsr"

// echo keeps what the ephemeral resource gives where a test can see it.
func echo(s *acctest.Stream, extra, id string) string {
	return s.Config(extra, `
ephemeral "streamchat_user_export" "dsr" {
  user_id = "`+id+`"
}
provider "echo" {
  data = ephemeral.streamchat_user_export.dsr
}
resource "echo" "dsr" {}
`)
}

func echoing(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	acctest.CLI(t)
	factories := acctest.Factories()
	factories["echo"] = echoprovider.NewProviderServer()
	resource.UnitTest(t, resource.TestCase{
		TerraformVersionChecks:   []tfversion.TerraformVersionCheck{tfversion.SkipBelow(tfversion.Version1_10_0)},
		ProtoV6ProviderFactories: factories,
		Steps:                    steps,
	})
}

func TestAccUserExportEphemeral(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, odd)
	want := served(t, s)
	data := func(name string, check knownvalue.Check) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(echoed, attr("data", name), check)
	}
	echoing(t, resource.TestStep{
		Config: echo(s, "", "alice"),
		ConfigStateChecks: []statecheck.StateCheck{
			data("exists", knownvalue.Bool(true)), data("message_count", knownvalue.Int64Exact(1)), data("reaction_count", knownvalue.Int64Exact(1)),
			data("complete", knownvalue.Bool(true)), data("method", knownvalue.StringExact("direct")),
			data("json", knownvalue.StringFunc(func(text string) error {
				if diff := cmp.Diff(want, exact(t, []byte(text))); diff != "" {
					t.Errorf("not what the server sent: %s", diff)
				}
				return nil
			})),
		},
		Check: func(*terraform.State) error {
			if n := s.Count("DeleteUsers") + s.Count("UpdateUsersPartial"); n != 0 {
				t.Errorf("%d changes at Stream", n)
			}
			return nil
		},
	})
}

func TestAccUserExportEphemeral_gone(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, odd)
	hardDelete(t, s, "alice")
	echoing(t, resource.TestStep{
		Config: echo(s, "", "alice"),
		ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownValue(echoed, attr("data"), knownvalue.ObjectExact(map[string]knownvalue.Check{
			"user_id": knownvalue.StringExact("alice"), "exists": knownvalue.Bool(false), "json": knownvalue.Null(), "sha256": knownvalue.Null(),
			"message_count": knownvalue.Null(), "reaction_count": knownvalue.Null(), "complete": knownvalue.Null(), "method": knownvalue.Null(),
			"audience": knownvalue.Null(),
		}))},
	})
}

func TestAccUserExportEphemeral_errors(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, odd)
	s.AddFault(emulator.Fault{Op: "ExportUser", Kind: emulator.Fault500, Times: emulator.Forever})
	echoing(t,
		resource.TestStep{Config: echo(s, `expected_app_name = "Production"`, "alice"), ExpectError: says("Wrong app")},
		resource.TestStep{Config: echo(s, "", "a/b"), ExpectError: says("Invalid user id")},
		resource.TestStep{Config: echo(s, "max_retries = 0", "alice"), ExpectError: says("Stream's server failed")},
	)
}

// safe is a provider with a write-only argument, which keeps what it is given.
type safe struct {
	mu   sync.Mutex
	kept []string
}

func (*safe) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "safe"
}
func (*safe) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (*safe) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}
func (*safe) DataSources(context.Context) []func() datasource.DataSource                        { return nil }
func (s *safe) Resources(context.Context) []func() fwresource.Resource {
	return []func() fwresource.Resource{func() fwresource.Resource { return &secret{safe: s} }}
}

type secret struct{ safe *safe }

func (*secret) Metadata(_ context.Context, _ fwresource.MetadataRequest, resp *fwresource.MetadataResponse) {
	resp.TypeName = "safe_secret"
}

func (*secret) Schema(_ context.Context, _ fwresource.SchemaRequest, resp *fwresource.SchemaResponse) {
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"value_wo": schema.StringAttribute{Optional: true, WriteOnly: true}, "version": schema.Int64Attribute{Required: true},
	}}
}

func (r *secret) Create(ctx context.Context, req fwresource.CreateRequest, resp *fwresource.CreateResponse) {
	var value types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("value_wo"), &value)...)
	r.safe.mu.Lock()
	defer r.safe.mu.Unlock()
	r.safe.kept = append(r.safe.kept, value.ValueString())
	resp.State.Raw = req.Plan.Raw
}
func (*secret) Read(context.Context, fwresource.ReadRequest, *fwresource.ReadResponse) {}
func (*secret) Update(_ context.Context, req fwresource.UpdateRequest, resp *fwresource.UpdateResponse) {
	resp.State.Raw = req.Plan.Raw
}
func (*secret) Delete(context.Context, fwresource.DeleteRequest, *fwresource.DeleteResponse) {}

// The export reaches a write-only argument and nothing else: neither its content nor the
// id, which is itself ephemeral, is in a file or in any output.
func TestUserExportEphemeralLeavesNoTrace(t *testing.T) {
	t.Parallel()
	s := acctest.Start(t)
	seed(t, s, `{
		"users": [{"id": "canary-user", "name": "canary-name"}],
		"channels": [{"cid": "messaging:c", "created_by_id": "canary-user", "members": ["canary-user"]}],
		"messages": [{"id": "m1", "cid": "messaging:c", "user_id": "canary-user", "text": "canary-text"}]
	}`)
	w := s.Workspace(t, "", `
variable "user" {
  ephemeral = true
}
ephemeral "streamchat_user_export" "dsr" {
  user_id = var.user
}
resource "safe_secret" "answer" {
  value_wo = ephemeral.streamchat_user_export.dsr.json
  version  = 1
}
`)
	vault := &safe{}
	w.Beside("safe", providerserver.NewProtocol6(vault)())
	w.Setenv("TF_VAR_user", "canary-user")
	for _, args := range [][]string{{"plan", "-out=plan"}, {"show", "-json", "plan"}, {"apply", "plan"}, {"show", "-json"}, {"plan", "-detailed-exitcode"}} {
		r := w.Run(args...)
		expect(t, r, 0)
		if strings.Contains(acctest.Output(r), "canary") {
			t.Errorf("%v prints it:\n%s", args, acctest.Output(r))
		}
	}
	if len(vault.kept) != 1 || !strings.Contains(vault.kept[0], "canary-text") {
		t.Errorf("the write-only argument got %q", vault.kept)
	}
	files := 0
	if err := filepath.WalkDir(w.Dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		files++
		raw, err := os.ReadFile(file)
		noCanary(t, file, raw)
		return err
	}); err != nil || files < 3 {
		t.Errorf("%d files, %v", files, err)
	}
}

// noCanary looks into a file, and into what is zipped in it.
func noCanary(t *testing.T, name string, raw []byte) {
	t.Helper()
	if bytes.Contains(raw, []byte("canary")) {
		t.Errorf("%s holds it", name)
	}
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return
	}
	for _, member := range archive.File {
		r, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		noCanary(t, name+":"+member.Name, content)
	}
}

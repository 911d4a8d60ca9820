// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package release_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var dist = flag.String("dist", "", "the directory that goreleaser built (make release-test)")

func TestMain(m *testing.M) { acctest.Main(m) }

const name = "terraform-provider-streamchat"

// What the registries want: a zip for each platform with the binary by its full name, the
// manifest, and checksums of all of them, and of nothing else.
func TestFiles(t *testing.T) {
	version, zips := released(t)
	sums := map[string]string{}
	for line := range strings.Lines(string(read(t, filepath.Join(*dist, name+"_"+version+"_SHA256SUMS")))) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[file] = sum
	}
	manifest := name + "_" + version + "_manifest.json"
	if len(sums) != len(zips)+1 || sums[manifest] == "" {
		t.Errorf("%d checksums for %d zips and the manifest: %v", len(sums), len(zips), sums)
	}
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	if got := sum(read(t, filepath.Join(root, "terraform-registry-manifest.json"))); got != sums[manifest] {
		t.Errorf("the manifest is %s, not %s", got, sums[manifest])
	}
	for _, path := range zips {
		file := filepath.Base(path)
		if got := sum(read(t, path)); got != sums[file] {
			t.Errorf("%s is %s, not %s", file, got, sums[file])
		}
		archive, err := zip.OpenReader(path)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, part := range archive.File {
			if strings.TrimSuffix(part.Name, ".exe") == name+"_v"+version {
				found++
				if part.Mode().Perm()&0o111 == 0 {
					t.Errorf("%s in %s does not run", part.Name, file)
				}
			}
		}
		_ = archive.Close()
		if found != 1 {
			t.Errorf("%s has the provider %d times", file, found)
		}
	}
	all, err := filepath.Glob(filepath.Join(*dist, "*.zip"))
	if err != nil || len(all) != len(zips) {
		t.Errorf("%d zips beside the provider's: a registry would take them for it (%v)", len(all)-len(zips), err)
	}
}

// Both CLIs install the zip of this platform from a mirror and plan with it.
func TestCLIInstallsTheRelease(t *testing.T) {
	version, _ := released(t)
	s := acctest.Start(t)
	s.Users(t, "anna")
	archive := fmt.Sprintf("%s_%s_%s_%s.zip", name, version, runtime.GOOS, runtime.GOARCH)
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			ws, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: t.TempDir(), Env: []string{
				"STREAM_API_KEY=" + s.APIKey(), "STREAM_API_SECRET=" + s.APISecret(), "STREAM_CHAT_URL=" + s.URL,
			}})
			if err != nil {
				t.Fatal(err)
			}
			for _, registry := range []string{"registry.terraform.io", "registry.opentofu.org"} {
				dir := filepath.Join(ws.Dir, ".tfcli", "mirror", registry, "streamchat-gdpr", "streamchat")
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(dir, 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, archive), read(t, filepath.Join(*dist, archive)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := ws.WriteFile("main.tf", fmt.Sprintf(`
terraform {
  required_providers {
    streamchat = {
      source  = "streamchat-gdpr/streamchat"
      version = %q
    }
  }
}
resource "streamchat_user_erasure" "anna" {
  user_id = "anna"
  delete { user = "hard" }
}
`, version)); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				code int
				args []string
			}{{0, []string{"init"}}, {0, []string{"validate"}}, {2, []string{"plan", "-detailed-exitcode"}}} {
				r, err := ws.Run(t.Context(), step.args...)
				if err != nil || r.ExitCode != step.code {
					t.Fatalf("%v: %v\n%s%s", step.args, err, r.Stdout, r.Stderr)
				}
			}
		})
	}
}

// The demo, which ends with an error where anything that it shows is not so.
func TestCLIDemoOnTheRelease(t *testing.T) {
	version, _ := released(t)
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(*dist, fmt.Sprintf("%s_%s_%s_%s.zip", name, version, runtime.GOOS, runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	part, err := archive.Open(name + "_v" + version)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), name+"_v"+version)
	if err := os.WriteFile(binary, content, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, cli := range acctest.CLIs(t) {
		t.Run(cli.Flavor, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "go", "run", "./internal/demo", "-provider", binary)
			cmd.Dir = root
			cmd.Env = append(os.Environ(), "TF_ACC_TERRAFORM_PATH="+cli.Path)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), cli.String()) {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

// The registries take a detached signature of the checksums that is not armored.
func TestSignature(t *testing.T) {
	version, _ := released(t)
	sums := filepath.Join(*dist, name+"_"+version+"_SHA256SUMS")
	if signature := read(t, sums+".sig"); len(signature) == 0 || signature[0]&0x80 == 0 {
		t.Fatal("the signature is no binary OpenPGP packet")
	}
	if out, err := exec.CommandContext(t.Context(), "gpg", "--batch", "--verify", sums+".sig", sums).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Each archive has a list of the modules in it.
func TestBillsOfMaterials(t *testing.T) {
	_, archives := released(t)
	more, err := filepath.Glob(filepath.Join(*dist, "*.tar.gz"))
	if err != nil || len(more) == 0 {
		t.Fatalf("no archives of the comment: %v", err)
	}
	for _, archive := range append(archives, more...) {
		var bill struct {
			SPDXVersion string
			Packages    []struct{ Name, VersionInfo string }
		}
		if err := json.Unmarshal(read(t, archive+".spdx.json"), &bill); err != nil {
			t.Fatal(err)
		}
		want := "github.com/hashicorp/terraform-plugin-framework"
		if strings.HasSuffix(archive, ".tar.gz") {
			want = "github.com/hashicorp/terraform-json"
		}
		found := false
		for _, p := range bill.Packages {
			found = found || p.Name == want && strings.HasPrefix(p.VersionInfo, "v")
		}
		if bill.SPDXVersion == "" || !found {
			t.Errorf("%s: %d packages, %s not among them", filepath.Base(archive), len(bill.Packages), want)
		}
	}
}

// released finds the version and the provider's zips in what goreleaser built.
func released(t *testing.T) (version string, zips []string) {
	t.Helper()
	if *dist == "" {
		t.Skip("only with -dist: make release-test")
	}
	zips, err := filepath.Glob(filepath.Join(*dist, name+"_*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatalf("no zips in %s: %v", *dist, err)
	}
	parts := regexp.MustCompile(`^` + name + `_(.+)_[a-z]+_[a-z0-9]+\.zip$`).FindStringSubmatch(filepath.Base(zips[0]))
	if parts == nil {
		t.Fatalf("%s has no version and platform", zips[0])
	}
	return parts[1], zips
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func sum(content []byte) string {
	all := sha256.Sum256(content)
	return hex.EncodeToString(all[:])
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package pipeline_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// Every configuration of the examples, and every one in the documentation that is whole, is
// initialised, validated and planned.
func TestCLIConfigurationsOfTheDocs(t *testing.T) {
	t.Parallel()
	acctest.CLI(t)
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	all := configurations(t, root)
	if len(all) < 65 {
		t.Fatalf("only %d configurations: %v", len(all), slices.Sorted(maps.Keys(all)))
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.plan(t)
		})
	}
}

type configuration struct {
	text string
	dir  string // of files beside it
}

var (
	fence = regexp.MustCompile("(?ms)^```(?:terraform|hcl)\n(.*?)^```")
	// A part of a block is none, nor is a CLI's own configuration.
	whole = regexp.MustCompile(`(?m)^(terraform|import|removed|(resource|data|ephemeral|action|list|provider|output|variable) ".*) \{`)
)

func configurations(t *testing.T, root string) map[string]configuration {
	t.Helper()
	all := map[string]configuration{}
	for _, pattern := range []string{"examples/resources/*/resource*.tf", "examples/data-sources/*/data-source*.tf", "examples/ephemeral-resources/*/ephemeral-resource*.tf"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			all[filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path)] = configuration{read(t, path), filepath.Dir(path)}
		}
	}
	known := func(text string) bool {
		for _, c := range all {
			if strings.HasSuffix(c.text, text) { // its first line is the heading
				return true
			}
		}
		return false
	}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md", "examples/*.md", "examples/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			for i, block := range fence.FindAllStringSubmatch(read(t, path), -1) {
				if text := block[1]; whole.MatchString(text) && !known(text) {
					all[fmt.Sprintf("%s#%d", filepath.Base(path), i+1)] = configuration{text: text}
				}
			}
		}
	}
	return all
}

var (
	users    = regexp.MustCompile(`(?:user_ids?|_owner_id)\s*=\s*(\[[^\]]*\]|"[^"]+")`)
	channels = regexp.MustCompile(`cids?\s*=\s*(\[[^\]]*\]|"[^"]+")`)
	messages = regexp.MustCompile(`message_id\s*=\s*("[^"]+")`)
	quoted   = regexp.MustCompile(`"([^"]+)"`)
	computed = regexp.MustCompile(`::cid\("([^"]+)", "([^"]+)"\)`)
	query    = regexp.MustCompile(`(?m)^list "`)
	action   = regexp.MustCompile(`(?m)^action "`)
	declared = regexp.MustCompile(`(?ms)^variable "(\w+)" \{\n(.*?)^\}`)
	variable = regexp.MustCompile(`\bvar\.(\w+)`)
	apps     = regexp.MustCompile(`expected_app_name\s*=\s*"([^"]+)"`)
	imports  = regexp.MustCompile(`(?ms)^import \{.*?\bto\s*=\s*(\w+)\.(\w+)`)
	each     = regexp.MustCompile(`for_each\s*=\s*toset\(\[([^\]]*)\]\)`)
	identity = regexp.MustCompile(`(?m)^  identity = `)
	imported = regexp.MustCompile(`(?m)^ +(?:id|user_id|cid|message_id|policy)\s*=\s*"([^"]+)"`)
)

// What an import needs: a block, where the documentation leaves it out, and somebody or
// something at Stream that was deleted, or restricted, by other means.
var adoptions = map[string]struct {
	block string
	does  func(t *testing.T, s *acctest.Stream, id string)
}{
	"streamchat_user_erasure": {"  user_id = %q\n  delete {\n    user = \"hard\"\n  }\n", func(t *testing.T, s *acctest.Stream, id string) {
		t.Helper()
		s.Call(t, "DELETE", "/users/"+id+"?hard_delete=true", "")
	}},
	"streamchat_user_deactivation": {"  user_id = %q\n", func(t *testing.T, s *acctest.Stream, id string) {
		t.Helper()
		s.Call(t, "POST", "/users/"+id+"/deactivate", "{}")
	}},
	"streamchat_retention_policy": {"  policy = %q\n  max_age_hours = 8760\n", func(t *testing.T, s *acctest.Stream, id string) {
		t.Helper()
		s.Call(t, "POST", "/retention_policy", fmt.Sprintf(`{"policy": %q, "max_age_hours": 8760}`, id))
	}},
	"streamchat_channel_erasure": {block: "  cid = %q\n  hard_delete = true\n"},
	"streamchat_message_erasure": {block: "  message_id = %q\n  hard_delete = true\n"},
}

// plan plans for an app that has everybody and everything that is named.
func (c configuration) plan(t *testing.T) {
	t.Helper()
	cli := acctest.CLI(t)
	var major, minor int
	if _, err := fmt.Sscanf(cli.Version, "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	queries := query.MatchString(c.text)
	if (queries || action.MatchString(c.text)) && (cli.Flavor != tfcli.Terraform || major == 1 && minor < 14) {
		t.Skipf("%s has neither actions nor queries", cli)
	}
	if identity.MatchString(c.text) && major == 1 && minor < 12 {
		t.Skipf("%s does not import by identity", cli)
	}
	app := "Emulator"
	if named := apps.FindStringSubmatch(c.text); named != nil {
		app = named[1]
	}
	s := acctest.Start(t, func(o *emulator.Options) { o.AppName = app })
	text := c.text
	var seed []string
	ids := []string{"waters-malone"}
	for _, of := range users.FindAllStringSubmatch(text, -1) {
		for _, id := range quoted.FindAllStringSubmatch(of[1], -1) {
			ids = append(ids, id[1])
		}
	}
	var beside []string
	if c.dir != "" {
		lists, err := filepath.Glob(filepath.Join(c.dir, "*.txt"))
		if err != nil {
			t.Fatal(err)
		}
		beside = lists
		for _, list := range lists {
			ids = append(ids, strings.Fields(read(t, list))...)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		seed = append(seed, fmt.Sprintf(`{"id": %q}`, id))
	}
	s.Fill(t, fmt.Sprintf(`{"users": [%s, {"id": "stale", "role": "guest", "last_active": "2020-01-01T00:00:00Z"}, {"id": "owner"}]}`, strings.Join(seed, ", ")))
	var rooms, texts []string
	cids := []string{"messaging:room-of-messages"}
	for _, of := range channels.FindAllStringSubmatch(text, -1) {
		for _, cid := range quoted.FindAllStringSubmatch(of[1], -1) {
			cids = append(cids, cid[1])
		}
	}
	for _, of := range computed.FindAllStringSubmatch(text, -1) {
		cids = append(cids, of[1]+":"+of[2])
	}
	slices.Sort(cids)
	for _, cid := range slices.Compact(cids) {
		rooms = append(rooms, fmt.Sprintf(`{"cid": %q, "created_by_id": "owner", "members": ["owner"]}`, cid))
	}
	adopted := imports.FindStringSubmatch(text)
	if adopted != nil {
		rooms = nil
	}
	for _, of := range messages.FindAllStringSubmatch(text, -1) {
		if adopted != nil {
			break
		}
		texts = append(texts, fmt.Sprintf(`{"id": %s, "cid": "messaging:room-of-messages", "user_id": "owner", "text": "x"}`, of[1]))
	}
	s.Fill(t, fmt.Sprintf(`{"channels": [%s], "messages": [%s]}`, strings.Join(rooms, ", "), strings.Join(texts, ", ")))

	if adopted != nil {
		text += adopt(t, s, text, adopted[1], adopted[2])
	}
	env := []string{
		"STREAM_API_KEY=" + s.APIKey(), "STREAM_API_SECRET=" + s.APISecret(), "STREAM_CHAT_URL=" + s.URL, "STREAMCHAT_PSEUDONYM_KEY=" + acctest.PseudonymKey,
	}
	for _, of := range declared.FindAllStringSubmatch(text, -1) {
		if !strings.Contains(of[2], "default") {
			env = append(env, "TF_VAR_"+of[1]+"=waters-malone")
		}
	}
	ws, err := tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: t.TempDir(), Provider: acctest.Binary(t), Env: env})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range beside {
		if err := ws.WriteFile(filepath.Base(list), read(t, list)); err != nil {
			t.Fatal(err)
		}
	}
	steps := [][]string{{"init"}, {"validate"}, {"plan"}}
	if queries {
		steps = [][]string{{"init"}, {"query"}}
		if err := ws.WriteFile("main.tfquery.hcl", text); err != nil {
			t.Fatal(err)
		}
		text = ""
	}
	if !strings.Contains(text, "required_providers") {
		text = "terraform {\n  required_providers {\n    streamchat = {\n      source = \"streamchat-gdpr/streamchat\"\n    }\n  }\n}\n" + text
	}
	values := map[string]string{}
	for _, of := range variable.FindAllStringSubmatch(c.text, -1) {
		if name := of[1]; !strings.Contains(c.text, fmt.Sprintf("variable %q", name)) {
			values[name] = "waters-malone"
			switch {
			case strings.HasSuffix(name, "key"):
				values[name] = s.APIKey()
			case strings.HasSuffix(name, "secret"):
				values[name] = s.APISecret()
			}
		}
	}
	for name, value := range values {
		text += fmt.Sprintf("\nvariable %q {\n  type    = string\n  default = %q\n}\n", name, value)
	}
	if err := ws.WriteFile("main.tf", text); err != nil {
		t.Fatal(err)
	}
	for _, args := range steps {
		r, err := ws.Run(t.Context(), args...)
		if err != nil || r.ExitCode != 0 {
			t.Fatalf("%v: %v\n%s%s\n%s", args, err, r.Stdout, r.Stderr, text)
		}
	}
}

// adopt does at Stream what an import adopts, and gives the block where there is none.
func adopt(t *testing.T, s *acctest.Stream, text, typeName, name string) (block string) {
	t.Helper()
	a, ok := adoptions[typeName]
	if !ok {
		t.Fatalf("nothing is known of imports of %s", typeName)
	}
	var ids []string
	if of := imported.FindStringSubmatch(text); of != nil {
		ids = of[1:]
	} else if of := each.FindStringSubmatch(text); of != nil {
		for _, id := range quoted.FindAllStringSubmatch(of[1], -1) {
			ids = append(ids, id[1])
		}
	}
	if len(ids) == 0 {
		t.Fatalf("nobody is imported:\n%s", text)
	}
	for _, id := range ids {
		if _, there := s.User(id); !there && strings.HasPrefix(typeName, "streamchat_user_") {
			s.Fill(t, fmt.Sprintf(`{"users": [{"id": %q}]}`, id))
		}
		if a.does != nil {
			a.does(t, s, id)
		}
	}
	if strings.Contains(text, "\nresource ") {
		return ""
	}
	return fmt.Sprintf("\nresource %q %q {\n%s}\n", typeName, name, fmt.Sprintf(a.block, ids[0]))
}

// Every title that a guide says what to do about is one of the provider's, or of Terraform's.
func TestTitlesOfTheDocs(t *testing.T) {
	t.Parallel()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	terraforms := []string{
		"Provider produced inconsistent final plan", "Unsupported state file format", "Error acquiring the state lock", "Saved plan is stale",
	}
	var code strings.Builder
	for _, pattern := range []string{"internal/*/*.go", "internal/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				code.WriteString(read(t, path))
			}
		}
	}
	guides, err := filepath.Glob(filepath.Join(root, "templates", "guides", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	tables, titles := regexp.MustCompile(`(?m)^\| (?:this )?title\b[^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)`), 0
	for _, guide := range guides {
		for _, table := range tables.FindAllStringSubmatch(read(t, guide), -1) {
			for line := range strings.Lines(table[1]) {
				cell := strings.Split(line, "|")[1]
				for title := range strings.SplitSeq(cell, ";") {
					title = strings.TrimPrefix(strings.Trim(title, " …"), "… ")
					if title == "" || strings.HasPrefix(title, "or ") || slices.Contains(terraforms, title) {
						continue
					}
					titles++
					if !strings.Contains(code.String(), title) {
						t.Errorf("%s: no diagnostic has the title %q", filepath.Base(guide), title)
					}
				}
			}
		}
	}
	if titles < 60 {
		t.Errorf("only %d titles", titles)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

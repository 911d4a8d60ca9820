// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/acctest"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// Whatever must not get out holds canary-KIND: canary-user-… is a user's id,
// canary-secret-… the secret. The word outlives any escaping.
const (
	canary    = "canary-"
	appKey    = canary + "key-4711"
	appSecret = canary + "secret-4711"
	pseudonym = canary + "pseudonym-4711"
)

var marked = regexp.MustCompile(canary + `([a-z]+)`)

// packed is the word in base64, which begins at one of three places.
var packed = func() []string {
	var forms []string
	for before := range 3 {
		whole := base64.StdEncoding.EncodeToString(append(make([]byte, before), canary...))
		forms = append(forms, whole[(before*8+5)/6:(before+len(canary))*8/6])
	}
	return forms
}()

// signature is the part of the token that the secret makes.
var signature = func() string {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte(appSecret))
	if err != nil {
		panic(err)
	}
	return signed[strings.LastIndex(signed, ".")+1:]
}()

// kinds are the kinds of canaries in a text, but for those that are allowed.
func kinds(text string, allowed ...string) []string {
	found := map[string]bool{}
	for _, m := range marked.FindAllStringSubmatch(strings.ToLower(text), -1) {
		found[m[1]] = true
	}
	for form, kind := range map[string]string{
		packed[0]: "base64", packed[1]: "base64", packed[2]: "base64", signature: "token", "Signature=": "signed address",
	} {
		if strings.Contains(text, form) {
			found[kind] = true
		}
	}
	for _, kind := range allowed {
		delete(found, kind)
	}
	return slices.Sorted(maps.Keys(found))
}

// named are the kinds that an attribute may hold, by the interface.
var named = map[string][]string{
	"user_id": {"user"}, "user_ids": {"user"}, "new_channel_owner_id": {"user"},
	"cid": {"channel"}, "cids": {"channel"}, "message_id": {"message"},
	"results": {"user", "channel"}, "failures": {"user", "channel"}, // their keys
	"path": {"path"}, "request_id": {"request"}, "labels": {"label"}, "receipt": {"request", "label"},
	// of data sources
	"filter": {"user"}, "users": {"user"}, "channels": {"channel"}, "conversations": {"channel"}, "owned_channels": {"channel"}, "polls": {"poll"},
	"custom": {"custom"},
	"json":   {"user", "name", "custom", "channel", "title", "message", "text", "file", "signed address", "reaction"},
}

// given are the kinds that the configuration gets from variables, which
// Terraform keeps in a plan file as well.
var given = []string{"user", "channel", "message", "path", "request", "label"}

// attribute cuts an attribute's name out of its place in Terraform's JSON.
var attribute = regexp.MustCompile(`^.*\.(?:attributes|identity|values|sensitive_values|before|before_sensitive|after|after_unknown|after_sensitive|before_identity|after_identity)\.(\w+)`)

// misplaced are the canaries in a state, or in what show -json makes of a state or
// a plan, that are not under an attribute that may hold them.
func misplaced(raw []byte) (problems []string) {
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		return []string{err.Error()}
	}
	check := func(place, text string) {
		var allowed []string
		if m := attribute.FindStringSubmatch(place); m != nil {
			allowed = named[m[1]]
		} else if strings.HasPrefix(place, ".variables.") {
			allowed = given
		}
		if bad := kinds(text, allowed...); bad != nil {
			problems = append(problems, fmt.Sprintf("%v at %s", bad, place))
		}
	}
	var walk func(place string, v any)
	walk = func(place string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				check(place, key)
				if strings.Contains(key, canary) {
					key = "*"
				}
				walk(place+"."+key, value)
			}
		case []any:
			for _, value := range v {
				walk(place, value)
			}
		case string:
			check(place, v)
			if strings.HasSuffix(place, ".private") {
				problems = append(problems, private(place, v)...)
			}
		}
	}
	walk("", all)
	return problems
}

// private looks into private state. What the guards of a further deletion need to know of
// the subject and of others lies there, and names them.
func private(place, text string) (problems []string) {
	plain, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return []string{place + ": " + err.Error()}
	}
	var values map[string][]byte
	if json.Unmarshal(plain, &values) != nil {
		values = map[string][]byte{"": plain}
	}
	for key, value := range values {
		var allowed []string
		if key == "kept" {
			allowed = []string{"user", "channel"}
		}
		if bad := kinds(string(value), allowed...); bad != nil {
			problems = append(problems, fmt.Sprintf("%v at %s.%s", bad, place, key))
		}
	}
	return problems
}

// rendered are the lines in which Terraform shows what it does not know to be
// sensitive: the keys of results, and the request and labels in a receipt, which
// come from sensitive values but are attributes of their own.
var rendered = regexp.MustCompile(`^[\s+~-]*(?:"(?:messaging:)?canary-(?:user|channel)-\w+"\s+= (?:"\w+"(?: -> (?:null|\(known after apply\)|"\w+"))?|\(known after apply\))(?: -> null)?|(?:request_id|approver)\s+= "canary-(?:request|label)-\w+")$`)

// verbose are lines of the framework, which name map keys below INFO.
var verbose = regexp.MustCompile(`\[(?:DEBUG|TRACE)\].*@module=sdk\.framework `)

// aviary is an app in which everything is a canary.
func aviary(t testing.TB, change ...func(*emulator.Options)) *acctest.Stream {
	t.Helper()
	s := acctest.Start(t, append([]func(*emulator.Options){func(o *emulator.Options) {
		o.TaskDelay, o.APIKey, o.APISecret = -1, appKey, appSecret
	}}, change...)...)
	var users, channels, messages []string
	for _, id := range []string{"erased", "soft", "left", "exported", "watched", "heir", "guarded", "batch1", "batch2", "batch3"} {
		users = append(users, fmt.Sprintf(`{"id":"canary-user-%s","name":"canary-name \"<é> %s","image":"https://x.example/canary-file.png","ssn":"canary-custom %s"}`, id, id, id))
	}
	for _, id := range []string{"room", "cut", "archive", "batch1", "batch2", "home"} {
		channels = append(channels, fmt.Sprintf(`{"cid":"messaging:canary-channel-%s","name":"canary-title %s","created_by_id":"canary-user-watched","members":["canary-user-watched","canary-user-exported","canary-user-erased"]}`, id, id))
		for _, by := range []string{"erased", "exported", "watched"} {
			messages = append(messages, fmt.Sprintf(`{"id":"canary-message-%s-%s","cid":"messaging:canary-channel-%s","user_id":"canary-user-%s","text":"canary-text & more","attachments":[{"type":"file","title":"canary-file.pdf","asset_url":"https://x.example/canary-file.pdf?Signature=0"}]}`, id, by, id, by))
		}
	}
	messages = append(messages, `{"id":"canary-message-slip","cid":"messaging:canary-channel-home","user_id":"canary-user-watched","text":"canary-text"}`)
	s.Fill(t, `{"users":[`+strings.Join(users, ",")+`],"channels":[`+strings.Join(channels, ",")+`],"messages":[`+strings.Join(messages, ",")+`],
	  "reactions":[{"message_id":"canary-message-home-watched","user_id":"canary-user-watched","type":"canary-reaction"}],
	  "polls":[{"id":"canary-poll-lunch","created_by_id":"canary-user-watched","name":"canary-text?","options":[{"text":"canary-text"}]}]}`)
	return s
}

// variables are the values of the sensitive variables of watched.
var variables = map[string]string{
	"one": `{
	  "erased": "canary-user-erased", "soft": "canary-user-soft", "left": "canary-user-left", "exported": "canary-user-exported",
	  "watched": "canary-user-watched", "heir": "canary-user-heir", "guarded": "canary-user-guarded",
	  "room": "messaging:canary-channel-room", "cut": "messaging:canary-channel-cut", "archive": "messaging:canary-channel-archive",
	  "message": "canary-message-slip", "path": "canary-path", "request": "canary-request-1042", "label": "canary-label-dpo"}`,
	"users":    `["canary-user-batch1", "canary-user-batch2"]`,
	"channels": `["messaging:canary-channel-batch1", "messaging:canary-channel-batch2"]`,
}

const declared = `
variable "one" {
  type      = map(string)
  sensitive = true
}
variable "users" {
  type      = list(string)
  sensitive = true
}
variable "channels" {
  type      = list(string)
  sensitive = true
}
`

// recipient is the public key of nobody.
const recipient = `age_recipients = ["age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm"]`

// watched is a configuration with all that the provider has.
const watched = declared + `
resource "streamchat_user_erasure" "dsr" {
  user_id              = var.one.erased
  exports              = [streamchat_user_export.answer.sha256, streamchat_channel_export.archive.sha256]
  delete { user = "hard" }
  new_channel_owner_id = var.one.heir
  request_id           = var.one.request
  labels               = { approver = var.one.label }
}
resource "streamchat_user_erasure" "soft" {
  user_id = var.one.soft
  delete { user = "soft" }
}
resource "streamchat_user_erasure_batch" "leavers" {
  user_ids = var.users
  delete { user = "hard" }
}
resource "streamchat_channel_erasure" "room" {
  cid         = var.one.room
  exports     = [streamchat_user_export.answer.sha256, streamchat_channel_export.archive.sha256]
  hard_delete = true
}
resource "streamchat_channel_erasure_batch" "rooms" {
  cids        = var.channels
  exports     = [streamchat_user_export.answer.sha256, streamchat_channel_export.archive.sha256]
  hard_delete = true
}
resource "streamchat_message_erasure" "slip" {
  message_id  = var.one.message
  hard_delete = true
}
resource "streamchat_channel_truncation" "cut" {
  cid         = var.one.cut
  exports     = [streamchat_user_export.answer.sha256, streamchat_channel_export.archive.sha256]
  hard_delete = true
}
resource "streamchat_user_deactivation" "left" {
  user_id = var.one.left
}
resource "streamchat_user_export" "answer" {
  user_id = var.one.exported
  path    = "${path.module}/${var.one.path}/user.age"
  ` + recipient + `
}
resource "streamchat_channel_export" "archive" {
  cids = [var.one.archive]
  path = "${path.module}/${var.one.path}/channel.age"
  ` + recipient + `
}
resource "streamchat_retention_policy" "old" {
  policy        = "old-messages"
  max_age_hours = 24
}
data "streamchat_user" "watched" {
  user_id = var.one.watched
}
data "streamchat_users" "watched" {
  filter = jsonencode({ id = { "$in" = [var.one.watched] } })
}
data "streamchat_user_footprint" "watched" {
  user_id = var.one.watched
}
data "streamchat_user_export" "watched" {
  user_id = var.one.watched
}
`

// cage is a workspace that has its credentials and subjects from the environment,
// as a pipeline does, and that looks at all that comes out.
type cage struct {
	*acctest.Workspace
	t testing.TB
}

func newCage(t testing.TB, s *acctest.Stream, body string) *cage {
	t.Helper()
	extra := "base_url = null\n  api_key = null\n  api_secret = null\n  pseudonym_key = null\n  max_retries = 1"
	if strings.Contains(body, declared) {
		extra += "\n  protected_user_ids = [var.one.guarded]"
	}
	c := &cage{s.Installed(t, acctest.CLI(t), extra, body), t}
	for name, value := range variables {
		c.Setenv("TF_VAR_"+name, value)
	}
	c.Setenv("STREAM_CHAT_URL", s.URL)
	c.Setenv("STREAM_KEY", s.APIKey())
	c.Setenv("STREAM_SECRET", s.APISecret())
	c.Setenv("STREAMCHAT_PSEUDONYM_KEY", pseudonym)
	c.Setenv("TF_LOG_PROVIDER", "INFO")
	return c
}

// quiet runs the CLI and finds no canary in what it prints and leaves.
func (c *cage) quiet(code int, args ...string) string {
	c.t.Helper()
	r := c.Run(args...)
	c.ended(r, code, args)
	return acctest.Output(r)
}

func (c *cage) ended(r tfcli.Result, code int, args []string, shown ...string) {
	c.t.Helper()
	if r.ExitCode != code {
		c.t.Errorf("%v: exit code %d, want %d:\n%s", args, r.ExitCode, code, acctest.Output(r))
	}
	c.silent(fmt.Sprint(args), acctest.Output(r), shown...)
	c.left()
}

// silent finds no canary in what was printed.
func (c *cage) silent(what, printed string, shown ...string) {
	c.t.Helper()
	for line := range strings.Lines(printed) {
		allowed := shown
		switch {
		case rendered.MatchString(strings.TrimRight(line, "\n")):
			continue
		case verbose.MatchString(line):
			allowed = append([]string{"user", "channel"}, shown...)
		}
		if bad := kinds(line, allowed...); bad != nil {
			c.t.Errorf("%s prints %v: %s", what, bad, line)
		}
	}
}

// left looks at the state and its backup.
func (c *cage) left() {
	c.t.Helper()
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup"} {
		raw, err := os.ReadFile(filepath.Join(c.Dir, name))
		if err != nil && !os.IsNotExist(err) {
			c.t.Fatal(err)
		}
		if len(bytes.TrimSpace(raw)) > 0 {
			c.placed(name, raw)
		}
	}
}

// placed finds canaries only where the interface names them.
func (c *cage) placed(what string, raw []byte) {
	c.t.Helper()
	for _, problem := range misplaced(raw) {
		c.t.Errorf("%s: %s", what, problem)
	}
}

// planned looks into a plan file, and at what show makes of it.
func (c *cage) planned(name string) {
	c.t.Helper()
	archive, err := zip.OpenReader(filepath.Join(c.Dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	defer archive.Close()
	for _, f := range archive.File {
		member, err := f.Open()
		if err != nil {
			c.t.Fatal(err)
		}
		raw, err := io.ReadAll(member)
		if err != nil {
			c.t.Fatal(err)
		}
		var allowed []string
		switch f.Name {
		case "tfstate", "tfstate-prev":
			c.placed(f.Name+" in "+name, raw)
			continue
		case "tfplan":
			allowed = append(slices.Clone(given), "base64") // private state, which show -json does not tell
		}
		if bad := kinds(string(raw), allowed...); bad != nil {
			c.t.Errorf("%s in %s holds %v", f.Name, name, bad)
		}
	}
	c.quiet(0, "show", name)
	c.placed("show -json "+name, []byte(c.Run("show", "-json", name).Stdout))
}

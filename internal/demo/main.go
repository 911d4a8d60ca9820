// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Command demo shows the main job on an emulated Stream: export a user to an
// encrypted file, review the plan and the pipeline's comment, erase the user, prove it, plan again. It
// leaves nothing behind, also when it is interrupted.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"filippo.io/age"
	stream_chat "github.com/GetStream/stream-chat-go/v6"
	"github.com/golang-jwt/jwt/v5"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/function"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

//go:embed seed.json
var seed []byte

const (
	subject = "waters-malone"
	request = "DSR-1042"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	provider := flag.String("provider", "", "`file` of the provider to show, instead of one built from this repository")
	flag.Parse()
	err := run(ctx, *provider)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		say("\nInterrupted. Everything the demo started is stopped, everything it wrote is\nremoved.")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

type demo struct {
	ctx    context.Context
	cli    tfcli.CLI
	ws     *tfcli.Workspace
	stream *emulator.Emulator
	sdk    *stream_chat.Client
	key    *age.X25519Identity
	config string // the HCL, as it stands in examples/workflow
	store  string // stands in for an object store
}

func run(ctx context.Context, binary string) (err error) {
	root, err := tfcli.RepoRoot()
	if err != nil {
		return err
	}
	cli, err := tfcli.Ensure(ctx, root, screen)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "streamchat-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	heading("Setting up")
	if binary != "" {
		say("CLI: %s. The provider is the one given.", cli)
	} else {
		say("CLI: %s. Building the provider ...", cli)
		if binary, err = tfcli.BuildProvider(ctx, root, filepath.Join(dir, "bin")); err != nil {
			return err
		}
	}
	example, err := os.ReadFile(filepath.Join(root, "examples", "workflow", "main.tf"))
	if err != nil {
		return err
	}
	d := &demo{ctx: ctx, cli: cli, config: string(example), store: filepath.Join(dir, "store")}
	stopStream, err := d.startStream()
	if err != nil {
		return err
	}
	defer stopStream()
	if d.key, err = age.GenerateX25519Identity(); err != nil {
		return err
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o700); err != nil {
		return err
	}
	d.ws, err = tfcli.NewWorkspace(tfcli.Options{CLI: cli, Dir: work, Provider: binary, Env: []string{
		"STREAM_API_KEY=" + d.stream.APIKey(), "STREAM_API_SECRET=" + d.stream.APISecret(), "STREAM_CHAT_URL=" + d.sdk.BaseURL,
		"STREAMCHAT_PSEUDONYM_KEY=kept-by-the-auditor", "TF_VAR_app_name=Demo Chat", "TF_VAR_user_id=" + subject, "TF_VAR_request_id=" + request,
		"TF_VAR_officer=" + d.key.Recipient().String(), "TF_VAR_store=" + d.store, "TF_VAR_exports_dir=" + filepath.Join(dir, "exports"),
	}})
	if err != nil {
		return err
	}
	if err := d.ws.WriteFile("main.tf", d.config); err != nil {
		return err
	}
	if _, err := d.terraform(quiet, "init"); err != nil {
		return err
	}
	for _, step := range []func() error{d.before, d.plan, d.apply, d.proof, d.again, d.record} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// startStream starts the emulator with its seed on a port of this machine.
func (d *demo) startStream() (stop func(), err error) {
	d.stream = emulator.New(emulator.Options{AppName: "Demo Chat", TaskDelay: 2 * time.Second})
	if err := d.stream.Seed(bytes.NewReader(seed)); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(d.ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: d.stream, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with Close
	d.sdk, err = stream_chat.NewClient(d.stream.APIKey(), d.stream.APISecret())
	if err != nil {
		return nil, err
	}
	d.sdk.BaseURL = "http://" + listener.Addr().String()
	say("Emulated Stream: %s, on this machine only.", d.sdk.BaseURL)
	return func() { d.stream.Close(); _ = server.Close() }, nil
}

func (d *demo) before() error {
	heading("Before: what Stream holds of Malone Waters")
	u, _ := d.stream.User(subject)
	say("user            %s, role %s", subject, u.Role)
	say("messages        %d", u.Messages)
	say("reactions       %d", u.Reactions)
	say("channels        %s", strings.Join(u.Channels, ", "))
	say("channels owned  %s", strings.Join(u.Owned, ", "))
	return nil
}

func (d *demo) plan() error {
	heading("The request as HCL, and the plan that the reviewer sees")
	_, body, _ := strings.Cut(d.config, "# 5. ")
	body, _, _ = strings.Cut(body, "# 6. ")
	say("The whole of it is examples/workflow/main.tf: restrict, footprint, export,\nstore, erase, prove. The heart:\n\n# %s", strings.TrimSpace(body))
	say("")
	if _, err := d.terraform(loud, "plan", "-out=reviewed.tfplan"); err != nil {
		return err
	}
	return d.comment()
}

// comment shows what a pipeline writes on the pull request: the warnings of the plan as
// JSON, which a saved plan lacks, and what the saved plan does.
func (d *demo) comment() error {
	heading("What the pipeline writes on the pull request")
	log, err := d.terraform(quiet, "plan", "-json")
	if err != nil {
		return err
	}
	saved, err := d.terraform(quiet, "show", "-json", "reviewed.tfplan")
	if err != nil {
		return err
	}
	plan, err := comment.Read(strings.NewReader(saved), strings.NewReader(log))
	if err != nil {
		return err
	}
	text, _, _ := strings.Cut(plan.Markdown(comment.Options{Limit: comment.Limit}), "\n<!-- streamchat-acts")
	say("%s", wrap(strings.TrimPrefix(text, comment.Marker+"\n")))
	return nil
}

func (d *demo) apply() error {
	heading("Apply the reviewed plan")
	_, err := d.terraform(loud, "apply", "reviewed.tfplan")
	return err
}

// proof looks from outside, with Stream's own SDK and the person's own token.
func (d *demo) proof() error {
	heading("Proof, from outside")
	users, err := d.sdk.QueryUsers(d.ctx, &stream_chat.QueryOption{Filter: map[string]any{"id": subject}, Limit: 1})
	if err != nil {
		return err
	}
	exportErr := d.get("/users/"+subject+"/export", "")
	_, messageErr := d.sdk.GetMessage(d.ctx, "m-1")
	token, err := d.sdk.CreateToken(subject, time.Now().Add(time.Hour))
	if err != nil {
		return err
	}
	tokenErr := d.get("/app", token)
	conversation, err := d.sdk.QueryChannels(d.ctx, &stream_chat.QueryOption{Filter: map[string]any{"cid": "messaging:malone-and-bob"}})
	if err != nil {
		return err
	}
	team, err := d.sdk.QueryChannels(d.ctx, &stream_chat.QueryOption{Filter: map[string]any{"cid": "messaging:team"}})
	if err != nil {
		return err
	}
	_, pollThere := d.stream.Poll("poll-1")
	facts := []struct {
		what string
		ok   bool
	}{
		{"the user is in no query", len(users.Users) == 0},
		{"Stream refuses to export the user", exportErr != nil},
		{"the message with the address is gone", messageErr != nil},
		{"the user's own token is refused", tokenErr != nil},
		{"the conversation with Bob is gone", len(conversation.Channels) == 0},
		{"the poll that Malone made is gone", !pollThere},
		{"the team's channel is still there, for Bob and Carol", len(team.Channels) == 1 && len(team.Channels[0].Members) == 2},
	}
	opened, err := d.openExport()
	if err != nil {
		return err
	}
	facts = append(facts, struct {
		what string
		ok   bool
	}{opened, true})
	for _, fact := range facts {
		if !fact.ok {
			return fmt.Errorf("not true: %s", fact.what)
		}
		say("✓ %s", fact.what)
	}
	return nil
}

// openExport decrypts the file as the data protection officer would.
func (d *demo) openExport() (string, error) {
	sealed, err := os.ReadFile(filepath.Join(d.store, request+".zip.age"))
	if err != nil {
		return "", err
	}
	reader, err := age.Decrypt(bytes.NewReader(sealed), d.key)
	if err != nil {
		return "", err
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return "", err
	}
	archive, err := zip.NewReader(bytes.NewReader(plain), int64(len(plain)))
	if err != nil {
		return "", err
	}
	parts := map[string][]byte{}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			return "", err
		}
		if parts[f.Name], err = io.ReadAll(r); err != nil {
			return "", err
		}
	}
	plain = parts["export.json"]
	var export struct {
		User     map[string]json.RawMessage
		Messages []json.RawMessage
	}
	if err := json.Unmarshal(plain, &export); err != nil {
		return "", err
	}
	state, err := d.terraform(quiet, "show", "-json")
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(plain)
	if !strings.Contains(state, hex.EncodeToString(sum[:])) || strings.Contains(state, "Canal Street") || bytes.Contains(sealed, []byte("Canal Street")) || string(export.User["loyalty_number"]) != "9007199254740993" {
		return "", errors.New("the export is not what the state says, or leaked into it")
	}
	if !bytes.Contains(parts["index.html"], []byte("Canal Street")) || !bytes.Contains(parts["attachments/000001-Lease.txt"], []byte("lease")) {
		return "", errors.New("the bundle lacks the message or its file")
	}
	return fmt.Sprintf("the bundle opens with the officer's key: %d messages as pages and JSON,\n"+
		"  and the lease that was attached to one; nothing of it is in the state, and\n"+
		"  its hash is in the erasure's receipt. This is how the officer opens it:\n"+
		"    age -d -i officer.key -o answer.zip %s.zip.age\n"+
		"    unzip -d answer answer.zip, then open answer/index.html", len(export.Messages), request), nil
}

func (d *demo) again() error {
	heading("Plan again")
	d.stream.ResetRequests()
	if _, err := d.terraform(loud, "plan", "-detailed-exitcode"); err != nil {
		return err
	}
	for _, r := range d.stream.Requests() {
		if r.Op == "DeleteUsers" || r.Op == "GetTask" {
			return fmt.Errorf("the second plan made a %s request", r.Op)
		}
	}
	say("(The completed erasure made no request. The data sources asked Stream once\nmore: the user is still deleted.)")
	return nil
}

func (d *demo) record() error {
	heading("The record")
	receipt, err := d.terraform(quiet, "output", "-raw", "receipt")
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(receipt), "", "  "); err != nil {
		return err
	}
	say("It is in the state, as the attributes of streamchat_user_erasure.subject.\nIts receipt, for the auditor's archive, which names nobody:\n\n%s", pretty.String())
	letter, err := function.Letter(receipt)
	if err != nil {
		return err
	}
	say("\nWhat the person can be told, by provider::streamchat::receipt_text(receipt):\n\n%s", wrap(letter))
	say("\nDone. The demo's directory and its emulated Stream are removed now; in your\nproject the state is where your backend keeps it.")
	return nil
}

// get makes a request as curl would; a token other than the server's may be given.
func (d *demo) get(path, token string) error {
	req, err := http.NewRequestWithContext(d.ctx, http.MethodGet, d.sdk.BaseURL+path+"?api_key="+d.stream.APIKey(), nil)
	if err != nil {
		return err
	}
	if token == "" {
		token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"server": true}).SignedString([]byte(d.stream.APISecret()))
		if err != nil {
			return err
		}
	}
	req.Header.Set("Authorization", token)
	req.Header.Set("Stream-Auth-Type", "jwt")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

type volume bool

const (
	quiet volume = false
	loud  volume = true
)

// terraform runs the CLI and returns what it printed on standard output.
func (d *demo) terraform(v volume, args ...string) (string, error) {
	if v == loud {
		say("$ %s %s", filepath.Base(d.cli.Path), strings.Join(args, " "))
	}
	r, err := d.ws.Run(d.ctx, args...)
	if err != nil {
		return "", err
	}
	if v == loud || r.ExitCode != 0 {
		say("%s%s", narrow(r.Stdout), r.Stderr)
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("%s ended with exit code %d", args[0], r.ExitCode)
	}
	return r.Stdout, nil
}

// narrow cuts what Terraform does not wrap: its progress lines, and the receipt as an
// output, which the demo shows at its end.
func narrow(text string) string {
	const columns = 80
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if runes := []rune(line); len(runes) > columns {
			lines[i] = string(runes[:columns-1]) + "…"
		}
	}
	return strings.Join(lines, "\n")
}

// wrap breaks long lines between words. Markdown's sign for a break of a line goes.
func wrap(text string) string {
	const columns = 80
	var out strings.Builder
	for line := range strings.Lines(text) {
		width := 0
		for i, word := range strings.Fields(strings.TrimSuffix(strings.TrimSpace(line), `\`)) {
			switch n := utf8.RuneCountInString(word); {
			case i > 0 && width+1+n > columns:
				out.WriteString("\n  ")
				width = 2 + n
			case i > 0:
				out.WriteByte(' ')
				width += 1 + n
			default:
				width = n
			}
			out.WriteString(word)
		}
		out.WriteByte('\n')
	}
	return narrow(out.String())
}

var screen io.Writer = os.Stdout

func heading(text string) { fmt.Fprintf(screen, "\n━━━ %s\n\n", text) }

func say(format string, args ...any) {
	fmt.Fprintln(screen, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

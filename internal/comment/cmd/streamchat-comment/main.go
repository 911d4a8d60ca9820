// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Command streamchat-comment prints a plan of this provider's as Markdown for the
// reviewer, says whether it only finishes what was approved before, and takes receipts out of a state.
//
//	terraform plan -json -out=plan.bin >plan.jsonl
//	terraform show -json plan.bin >plan.json
//	streamchat-comment -plan plan.json -log plan.jsonl [-previous last.md]
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes beside 0.
const (
	failed    = 1 // also: what is given is no plan, no log, no state
	usage     = 2
	needsEyes = 3 // -only-approved: the plan does more
)

func run(args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("streamchat-comment", flag.ContinueOnError)
	fs.SetOutput(stderr)
	plan := fs.String("plan", "", "`file` of show -json PLAN")
	log := fs.String("log", "", "`file` of plan -json: its warnings have the facts about each subject")
	previous := fs.String("previous", "", "`file` with the last comment, to say what changed since; it may be missing")
	ids := fs.Bool("ids", false, "name people by their ids as well: the comment then is personal data")
	keys := fs.Bool("keys", false, "show the keys of for_each in errors, also where the plan failed before it knew the ids: they must name nobody")
	limit := fs.Int("limit", comment.Limit, "`bytes` that the comment may have; 0 for any number")
	approved := fs.Bool("only-approved", false, "print no comment; exit with 3, and say why on stderr, unless applying the plan only finishes what an apply before has begun: asks for results, and erases what was scheduled, is due and has not changed since")
	state := fs.String("state", "", "`file` of show -json (a state), for -receipts")
	receipts := fs.String("receipts", "", "`directory` into which the receipts of -state are written")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return usage
	case fs.NArg() > 0 || (*state == "") != (*receipts == "") || (*state == "") == (*plan == "" && *log == ""):
		fmt.Fprintln(stderr, "streamchat-comment: give -plan and -log, or -state and -receipts")
		return usage
	}
	do := func() (int, error) {
		if *state != "" {
			return 0, saveReceipts(*state, *receipts, stdout)
		}
		p, err := read(*plan, *log)
		if err != nil {
			return failed, err
		}
		if *approved {
			if err := p.Judged(); err != nil {
				return failed, err
			}
			why := p.Unapproved()
			if len(why) == 0 {
				return 0, nil
			}
			const most = 20
			more := ""
			if n := len(why) - most; n > 0 {
				why, more = why[:most], fmt.Sprintf(" and %d more", n)
			}
			fmt.Fprintf(stderr, "streamchat-comment: not approved before: %s%s\n", strings.Join(why, ", "), more)
			return needsEyes, nil
		}
		last, err := os.ReadFile(*previous)
		if err != nil && *previous != "" && !errors.Is(err, os.ErrNotExist) {
			return failed, err
		}
		_, err = io.WriteString(stdout, p.Markdown(comment.Options{ShowIDs: *ids, ShowKeys: *keys, Limit: *limit, Previous: string(last)}))
		return 0, err
	}
	code, err := do()
	if err != nil {
		fmt.Fprintln(stderr, "streamchat-comment:", err)
		return failed
	}
	return code
}

func read(plan, log string) (*comment.Plan, error) {
	open := func(name string) (io.Reader, func(), error) {
		if name == "" {
			return nil, func() {}, nil
		}
		f, err := os.Open(name) //nolint:gosec // The caller names it.
		if err != nil {
			return nil, nil, err
		}
		return f, func() { _ = f.Close() }, nil
	}
	planned, closePlan, err := open(plan)
	if err != nil {
		return nil, err
	}
	defer closePlan()
	logged, closeLog, err := open(log)
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return comment.Read(planned, logged)
}

func saveReceipts(state, dir string, stdout io.Writer) error {
	f, err := os.Open(state) //nolint:gosec // The caller names it.
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	n, err := comment.Receipts(f, dir)
	_, failure := fmt.Fprintf(stdout, "%d receipts in %s\n", n, dir)
	return errors.Join(err, failure)
}

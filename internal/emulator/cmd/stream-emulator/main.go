// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Command stream-emulator is an in-memory Stream Chat server on loopback, for
// tests, the demo and trying a plan without an account.
//
//	stream-emulator -listen 127.0.0.1:8080 -seed seed.json &
//	export STREAM_CHAT_URL=http://127.0.0.1:8080 STREAM_KEY=emulator-key STREAM_SECRET=emulator-secret
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/emulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // the flag package has said why
	case err != nil:
		fmt.Fprintln(os.Stderr, "stream-emulator:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

type config struct {
	listen   string
	portFile string
	seed     string
	log      string
	opts     emulator.Options
	faults   []emulator.Fault
}

func parse(args []string, stderr io.Writer) (*config, error) {
	var c config
	fs := flag.NewFlagSet("stream-emulator", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.listen, "listen", "127.0.0.1:0", "loopback `address` to listen on")
	fs.StringVar(&c.portFile, "port-file", "", "`file` to write the port to once it listens")
	fs.StringVar(&c.seed, "seed", "", "JSON `file` with users, channels, messages, reactions and polls")
	fs.StringVar(&c.log, "log", "", "`file` to append a JSON line per request to")
	fs.StringVar(&c.opts.APIKey, "api-key", emulator.DefaultAPIKey, "the app's API `key`")
	fs.StringVar(&c.opts.APISecret, "api-secret", emulator.DefaultAPISecret, "the app's API `secret`")
	fs.IntVar(&c.opts.AppID, "app-id", 1, "the app's `id`")
	fs.StringVar(&c.opts.AppName, "app-name", emulator.DefaultAppName, "the app's `name`")
	fs.DurationVar(&c.opts.Window, "window", emulator.DefaultWindow, "`length` of a rate limit's window")
	fs.IntVar(&c.opts.DeleteUsersLimit, "delete-users-limit", emulator.DefaultDeleteUsersLimit, "`calls` of POST /users/delete per window")
	delay := fs.Duration("task-delay", emulator.DefaultTaskDelay, "`time` that a task takes")
	fs.Uint64Var(&c.opts.RandomSeed, "random-seed", 0, "`seed` of faults with a probability")
	fs.BoolVar(&c.opts.Strict, "strict", false, "refuse user: hard without hard messages and conversations")
	inResult := fs.Bool("unknown-users-in-result", true, "report ids that were never created as ok in a task's result")
	c.faultFlags(fs)
	slow := fs.Duration("slow", 0, "`time` by which every answer is late that no other fault strikes")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, errUsage
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if c.opts.Window <= 0 || c.opts.DeleteUsersLimit <= 0 {
		return nil, errors.New("-window and -delete-users-limit must be positive")
	}
	if *slow > 0 {
		c.faults = append(c.faults, emulator.Fault{Kind: emulator.FaultSlow, Times: emulator.Forever, Delay: *slow})
	}
	c.opts.OmitUnknownUsers = !*inResult
	c.opts.TaskDelay = *delay
	if *delay <= 0 {
		c.opts.TaskDelay = -1 // at once; zero would be the default
	}
	return &c, nil
}

// faultFlags are the flags that each add a fault.
func (c *config) faultFlags(fs *flag.FlagSet) {
	fs.Func("fault", "`fault` such as op=DeleteUsers,kind=500,times=1 (repeatable; keys op, kind, user, after, times, probability, delay, status, body, type, location, word, error, carry-out)",
		func(s string) error {
			f, err := emulator.ParseFault(s)
			c.faults = append(c.faults, f)
			return err
		})
	// The simple faults strike the first N calls of POST /users/delete.
	for name, kind := range map[string]emulator.FaultKind{
		"drop": emulator.FaultDropAfter, "500": emulator.Fault500, "html-502": emulator.FaultHTML502,
		"plain-429": emulator.FaultPlain429, "fail-task": emulator.FaultFailTask,
	} {
		usage := map[emulator.FaultKind]string{
			emulator.FaultDropAfter: "carry out the first `n` erasures and drop the connection instead of answering",
			emulator.Fault500:       "answer the first `n` erasures with 500",
			emulator.FaultHTML502:   "answer the first `n` erasures with a gateway's HTML page",
			emulator.FaultPlain429:  "answer the first `n` erasures with a plain-text 429",
			emulator.FaultFailTask:  "fail the tasks of the first `n` erasures",
		}[kind]
		fs.Func(name, usage, func(s string) error {
			n, err := strconv.Atoi(s)
			if err != nil || n == 0 {
				return errors.New("expected a number of calls, -1 for all")
			}
			c.faults = append(c.faults, emulator.Fault{Kind: kind, Op: "DeleteUsers", Times: n})
			return nil
		})
	}
	fs.Func("fail-user", "`id` that fails in the first completed task that has it (repeatable)", func(id string) error {
		c.faults = append(c.faults, emulator.Fault{Kind: emulator.FaultFailUser, UserID: id})
		return nil
	})
}

// run serves until the context ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	c.opts.MaxRequests = -1 // nobody asks for them; the log has them
	if c.log == "" {
		return serve(ctx, c, stdout)
	}
	f, err := os.OpenFile(c.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	c.opts.Log = f
	return errors.Join(serve(ctx, c, stdout), f.Close())
}

func serve(ctx context.Context, c *config, stdout io.Writer) error {
	e := emulator.New(c.opts)
	for _, f := range c.faults {
		e.AddFault(f)
	}
	if c.seed != "" {
		f, err := os.Open(c.seed)
		if err != nil {
			return err
		}
		err = e.Seed(f)
		_ = f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", c.seed, err)
		}
	}
	l, err := emulator.Listen(ctx, c.listen)
	if err != nil {
		return err
	}
	e.URL = "http://" + l.Addr().String()
	if c.portFile != "" {
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err == nil {
			err = writeAtomically(c.portFile, port+"\n")
		}
		if err != nil {
			_ = l.Close()
			return err
		}
	}
	if _, err := fmt.Fprintf(stdout, "Stream Chat emulator on %s, api key %s\n", e.URL, e.APIKey()); err != nil {
		_ = l.Close()
		return err
	}
	return e.Serve(ctx, l)
}

// writeAtomically: whoever waits for the file never reads half of it.
func writeAtomically(name, content string) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

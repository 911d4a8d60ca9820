// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
)

// process is one process of the provider.
type process struct {
	core   *Core
	server tfprotov6.ProviderServer
	ctx    context.Context
	cancel context.CancelFunc
	killed chan struct{}
	log    syncBuffer

	mu      sync.Mutex
	stopped bool
	dead    bool
	diags   Diagnostics
}

// start starts a process of the provider.
func (c *Core) start() *process {
	c.t.Helper()
	p := &process{core: c, killed: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(tflogtest.RootLogger(context.Background(), &p.log))
	var network http.RoundTripper
	if c.stream.memory != nil {
		network = &link{process: p, next: c.stream.memory}
	}
	server, err := providerserver.NewProtocol6WithError(provider.NewOver(network, "test", c.stream.Clock())())()
	if err != nil {
		c.t.Fatal(err)
	}
	p.server = server
	c.mu.Lock()
	c.running[p] = true
	c.mu.Unlock()
	return p
}

// end ends the process, as Terraform does after a walk.
func (p *process) end() {
	p.cancel()
	p.core.mu.Lock()
	delete(p.core.running, p)
	p.core.mu.Unlock()
	p.checkLog()
}

// link is a process's network: it goes down with the process.
type link struct {
	process *process
	next    http.RoundTripper
}

func (l *link) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := l.process.ctx.Err(); err != nil {
		return nil, errors.New("the process has ended")
	}
	ctx, cancel := context.WithCancel(req.Context())
	stop := context.AfterFunc(l.process.ctx, cancel)
	resp, err := l.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	resp.Body = &closing{ReadCloser: resp.Body, close: func() { stop(); cancel() }}
	return resp, nil
}

type closing struct {
	io.ReadCloser
	close func()
}

func (c *closing) Close() error {
	defer c.close()
	return c.ReadCloser.Close()
}

// Interrupt is a SIGINT to Terraform: what runs is asked to end and saved, and
// nothing new is begun. Call it from [Stream.Before] or [Stream.After].
func (c *Core) Interrupt() {
	for _, p := range c.processes() {
		p.mu.Lock()
		p.stopped = true
		p.mu.Unlock()
		_, _ = p.server.StopProvider(p.ctx, &tfprotov6.StopProviderRequest{})
	}
}

// Kill is a SIGKILL of the provider: what runs is lost.
func (c *Core) Kill() {
	for _, p := range c.processes() {
		p.kill()
	}
}

func (p *process) kill() {
	p.mu.Lock()
	if !p.dead {
		p.dead, p.stopped = true, true
		close(p.killed)
	}
	p.mu.Unlock()
	p.cancel()
}

func (c *Core) processes() (all []*process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range c.running {
		all = append(all, p)
	}
	return all
}

func (p *process) halted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// call makes one call of the protocol; ok is false when the process died in it.
func call[Req, Resp any](p *process, address string, f func(context.Context, Req) (Resp, error), req Req) (resp Resp, ok bool) {
	done := make(chan struct{})
	var answer Resp
	var err error
	go func() {
		defer close(done)
		defer func() {
			if crash := recover(); crash != nil {
				p.core.t.Errorf("%s: the plugin crashed: %v\n%s", address, crash, debug.Stack())
				p.kill()
			}
		}()
		answer, err = f(p.ctx, req)
	}()
	select {
	case <-p.killed:
	case <-done:
	}
	p.mu.Lock()
	dead := p.dead
	p.mu.Unlock()
	if dead {
		p.add(Diagnostic{Address: address, Error: true, Summary: "Plugin did not respond"})
		return resp, false
	}
	if err != nil {
		p.core.t.Errorf("%s: the protocol: %v", address, err)
		p.add(Diagnostic{Address: address, Error: true, Summary: err.Error()})
		return resp, false
	}
	return answer, true
}

func (p *process) add(d ...Diagnostic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.diags = append(p.diags, d...)
}

// report notes the provider's diagnostics and says whether there is an error.
func (p *process) report(address string, diags []*tfprotov6.Diagnostic) (failed bool) {
	all := p.convert(address, diags)
	p.add(all...)
	return len(all.only(true)) > 0
}

// convert checks that diagnostics name nobody.
func (p *process) convert(address string, diags []*tfprotov6.Diagnostic) Diagnostics {
	var all Diagnostics
	for _, d := range diags {
		one := Diagnostic{Address: address, Error: d.Severity == tfprotov6.DiagnosticSeverityError, Summary: d.Summary, Detail: d.Detail, Path: pathText(d.Attribute)}
		if secret, told := p.core.tells(one.Summary + "\n" + one.Detail + "\n" + one.Path); told {
			p.core.t.Errorf("a diagnostic tells %q:\n%s", secret, one)
		}
		all = append(all, one)
	}
	return all
}

func pathText(path *tftypes.AttributePath) string {
	var b strings.Builder
	for _, step := range path.Steps() {
		switch step := step.(type) {
		case tftypes.AttributeName:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(string(step))
		case tftypes.ElementKeyInt:
			raw, _ := json.Marshal(int64(step))
			b.WriteString("[" + string(raw) + "]")
		case tftypes.ElementKeyString:
			raw, _ := json.Marshal(string(step))
			b.WriteString("[" + string(raw) + "]")
		default:
			b.WriteString("[*]")
		}
	}
	return b.String()
}

// checkLog looks for secrets in the lines above DEBUG.
func (p *process) checkLog() {
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, `"@level":"trace"`) || strings.Contains(line, `"@level":"debug"`) {
			continue
		}
		if secret, told := p.core.tells(line); told {
			p.core.t.Errorf("a line of the log tells %q: %s", secret, line)
		}
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// configure configures the process; planning leaves unknown what only the apply
// knows.
func (p *process) configure(planning bool) bool {
	c := p.core
	c.guard("", c.Provider)
	value, problems := encodeBlock(c.schema.Provider.Block, resolve(c.Provider, planning, func(ref) any { return Unknown }).(map[string]any))
	if len(problems) > 0 {
		p.add(Diagnostic{Error: true, Address: "provider", Summary: "Unsupported argument", Detail: strings.Join(problems, "\n")})
		return false
	}
	config := dynamic(value)
	valid, ok := call(p, "provider", p.server.ValidateProviderConfig, &tfprotov6.ValidateProviderConfigRequest{Config: config})
	if !ok || p.report("provider", valid.Diagnostics) {
		return false
	}
	done, ok := call(p, "provider", p.server.ConfigureProvider, &tfprotov6.ConfigureProviderRequest{TerraformVersion: "1.14.0", Config: config})
	return ok && !p.report("provider", done.Diagnostics)
}

func dynamic(v tftypes.Value) *tfprotov6.DynamicValue {
	d, err := tfprotov6.NewDynamicValue(v.Type(), v)
	must(err)
	return &d
}

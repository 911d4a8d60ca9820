// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package bundle_test

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

//go:embed testdata/look.js
var look string

// sameAgain are pages of conversations that look like that of the first.
var sameAgain = regexp.MustCompile(`conversation-000(0[2-9]|1[0-2])-`)

// The pages open in a browser from the disk at the width of a phone and of a desk, light
// and dark: pictures are there, recordings play, nothing sticks out, everything can be
// read, and the browser finds nothing that the pages' policy forbids.
//
// BUNDLE_SCREENSHOTS is a directory for the bundles, pictures of them and what is
// printed. BUNDLE_AXE is the path of axe-core's axe.min.js (npm), which is run as well.
func TestBrowser(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	b := openBrowser(ctx, t)
	axe, shots := "", os.Getenv("BUNDLE_SCREENSHOTS")
	if script := os.Getenv("BUNDLE_AXE"); script != "" {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		axe = string(text)
	}
	server := fileServer(t)
	for name, c := range map[string]struct {
		audience bundle.Audience
		more     int
	}{"subject": {bundle.Subject, 0}, "controller": {bundle.Controller, 0}, "pages": {bundle.Subject, 50}} {
		dir := t.TempDir()
		if shots != "" {
			dir = filepath.Join(shots, name)
		}
		parts, result := write(t, richOptions(server.URL, c.audience), richSource(t, rich(server.URL, c.more)))
		if result.Saved != 10 || result.Missing != 2 {
			t.Errorf("%d files are saved, %d are missing", result.Saved, result.Missing)
		}
		checkLinks(t, parts)
		for part, content := range parts {
			file := filepath.Join(dir, filepath.FromSlash(part))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for part := range parts {
			if !strings.HasSuffix(part, ".html") || sameAgain.MatchString(part) {
				continue
			}
			for _, width := range []int{390, 1280} {
				for _, scheme := range []string{"light", "dark"} {
					of := fmt.Sprintf("%s/%s at %d, %s", name, part, width, scheme)
					b.as(width, scheme, "screen")
					b.open("file://" + filepath.Join(dir, part))
					var wrong []string
					if b.evaluate(look, &wrong); len(wrong) > 0 {
						t.Errorf("%s:\n%s", of, strings.Join(wrong, "\n"))
					}
					b.complaints(of)
					if axe != "" {
						b.evaluate(axe, nil)
						b.evaluate(`axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations.map((v) => v.id + ": " + v.nodes[0].html.slice(0, 200)))`, &wrong)
						b.said = nil // what axe itself does is no part of the page
						if len(wrong) > 0 {
							t.Errorf("%s, axe:\n%s", of, strings.Join(wrong, "\n"))
						}
					}
					if shots != "" {
						file := fmt.Sprintf("%s-%s-%d-%s.png", name, strings.NewReplacer("/", "-", ".html", "").Replace(part), width, scheme)
						b.picture("Page.captureScreenshot", filepath.Join(shots, file), map[string]any{})
					}
				}
			}
			// On paper, which is white.
			b.as(794, "dark", "print")
			var ink string
			if b.evaluate(`getComputedStyle(document.body).color + " on " + getComputedStyle(document.body).backgroundColor`, &ink); ink != "rgb(0, 0, 0) on rgb(255, 255, 255)" {
				t.Errorf("%s/%s is printed in %s", name, part, ink)
			}
			if shots != "" {
				file := fmt.Sprintf("%s-%s.pdf", name, strings.NewReplacer("/", "-", ".html", "").Replace(part))
				b.picture("Page.printToPDF", filepath.Join(shots, file), map[string]any{"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": true})
			}
		}
	}
}

// Nothing that was attached runs when the person opens it.
func TestBrowser_attachmentsRunNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := openBrowser(ctx, t)
	const script = `document.documentElement.setAttribute("ran", "yes")`
	files := map[string]string{
		"/page.html": "<!DOCTYPE html><script>" + script + "</script>", "/page.XHTML": `<html xmlns="http://www.w3.org/1999/xhtml"><script>` + script + "</script></html>",
		"/logo.svg": `<svg xmlns="http://www.w3.org/2000/svg"><script>` + script + "</script></svg>", "/data.xml": `<x xmlns:h="http://www.w3.org/1999/xhtml"><h:script>` + script + "</h:script></x>",
		"/bare": "<!DOCTYPE html><script>" + script + "</script>", "/odd.foo": "<html><script>" + script + "</script></html>",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, files[r.URL.Path]) }))
	defer server.Close()
	var attached []string
	for name := range files {
		attached = append(attached, fmt.Sprintf(`{"type":"file","asset_url":"%s%s","title":%q}`, server.URL, name, name[1:]))
	}
	parts, result := write(t, bundle.Options{
		Fetcher: attachment.New(attachment.Options{Hosts: []string{server.Listener.Addr().String()}, MaxBytes: 1 << 20, Timeout: time.Minute, Clock: clock.Real{}}),
	}, source(t, `{"user":{"id":"alice"},"messages":[{"id":"m","cid":"messaging:c","created_at":"2026-01-02T03:04:05Z","attachments":[`+strings.Join(attached, ",")+`]}],"reactions":[]}`))
	if result.Saved != int64(len(files)) || strings.Count(parts["index.html"], "opens as text") != 4 {
		t.Errorf("%d are saved; %s", result.Saved, parts["index.html"])
	}
	dir := t.TempDir()
	open := func(name, content string) (ran bool) {
		file := filepath.Join(dir, path.Base(name))
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		b.open("file://" + file)
		b.evaluate(`document.documentElement.hasAttribute("ran")`, &ran)
		return ran
	}
	for name, content := range parts {
		if strings.HasPrefix(name, "attachments/") && open(name, content) {
			t.Errorf("%s ran", name)
		}
	}
	if !open("page.html", files["/page.html"]) {
		t.Error("the browser runs nothing at all")
	}
}

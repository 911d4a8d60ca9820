// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package bundle_test

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
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
	if path := os.Getenv("BUNDLE_AXE"); path != "" {
		text, err := os.ReadFile(path)
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

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/bundle"
)

// The page opens in a browser from the disk, which finds nothing that its policy forbids.
// BUNDLE_SCREENSHOTS is a directory for pictures of it at the width of a phone and of a
// desk.
func TestBrowser(t *testing.T) {
	t.Parallel()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			browser = found
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium or Chrome on PATH: the pages were not opened in a browser")
	}
	parts, _ := write(t, bundle.Options{}, source(t, everything))
	dir := t.TempDir()
	var picture bytes.Buffer
	img := image.NewRGBA(image.Rect(0, 0, 300, 120))
	for i := range 300 * 120 {
		img.Set(i%300, i/300, color.RGBA{uint8(i % 255), 120, 200, 255})
	}
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.png"), picture.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	page := strings.Replace(parts["index.html"], "<main>", `<main><figure><img id="probe" src="a.png" alt="Picture"></figure>`, 1)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	shots := os.Getenv("BUNDLE_SCREENSHOTS")
	if shots == "" {
		shots = dir
	}
	for _, width := range []string{"390", "1280"} {
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		var said bytes.Buffer
		cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
			"--user-data-dir="+t.TempDir(), "--window-size="+width+",2600", "--screenshot="+filepath.Join(shots, "index-"+width+".png"),
			"file://"+filepath.Join(dir, "index.html"))
		cmd.Stderr = &said
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		for _, complaint := range []string{"Content Security Policy", "Refused to", "CONSOLE"} {
			if strings.Contains(said.String(), complaint) {
				t.Errorf("the browser complains: %s", said.String())
			}
		}
		if info, err := os.Stat(filepath.Join(shots, "index-"+width+".png")); err != nil || info.Size() < 10_000 {
			t.Errorf("no picture: %v", err)
		}
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

// A file of 4 GiB and more has its size in a ZIP64 field of its own header and, once, of
// the directory: unzip, 7-Zip and bsdtar want both. Nothing of that size is moved; other
// tools are for BUNDLE_LARGE.
func TestStored_zip64(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{3, math.MaxUint32 - 1, math.MaxUint32, 5 << 30} {
		var out bytes.Buffer
		a := newArchive(&out, "", time.Unix(0, 0))
		held := &heldFile{}
		if err := held.Reset(); err != nil {
			t.Fatal(err)
		}
		held.size = size
		if _, err := a.stored("x", held); err != nil {
			t.Fatal(err)
		}
		if err := a.deflated("last", func(w io.Writer) error { _, err := io.WriteString(w, "the last"); return err }); err != nil {
			t.Fatal(err)
		}
		if err := a.finish(); err != nil {
			t.Fatal(err)
		}
		for signature, at := range map[string]struct{ version, sizes, name, fields, size int }{
			"PK\x03\x04": {4, 18, 26, 30, 16}, "PK\x01\x02": {6, 20, 28, 46, 24},
		} {
			h := out.Bytes()[bytes.Index(out.Bytes(), []byte(signature)):]
			extra := h[at.fields+1:][:binary.LittleEndian.Uint16(h[at.name+2:])]
			var wide [][]byte
			for len(extra) >= 4 {
				n := binary.LittleEndian.Uint16(extra[2:])
				if binary.LittleEndian.Uint16(extra) == zip64Field {
					wide = append(wide, extra[4:4+n])
				}
				extra = extra[4+n:]
			}
			if offset := binary.LittleEndian.Uint32(h[entryOffset:]); at.size == 24 && (offset == math.MaxUint32) != (size >= math.MaxUint32) {
				t.Errorf("%d bytes: the directory says the file is at %d", size, offset)
			}
			narrow := int64(binary.LittleEndian.Uint32(h[at.sizes:]))
			switch {
			case size < math.MaxUint32 && (len(wide) != 0 || narrow != size):
				t.Errorf("%d bytes: %q has %d fields, size %d", size, signature, len(wide), narrow)
			case size >= math.MaxUint32 && (len(wide) != 1 || len(wide[0]) != at.size || narrow != math.MaxUint32 ||
				binary.LittleEndian.Uint64(wide[0]) != uint64(size) || binary.LittleEndian.Uint64(wide[0][8:]) != uint64(size) || binary.LittleEndian.Uint16(h[at.version:]) != zip64Version):
				t.Errorf("%d bytes: %q has %v, size %d", size, signature, wide, narrow)
			}
		}
	}
}

// The directory is whole wherever it is cut on its way, also where its very last bytes
// come alone.
func TestFinish_everyLength(t *testing.T) {
	t.Parallel()
	const chunk = 4096 // of archive/zip's own buffer
	size := func(name string) (tail int, whole []byte) {
		var out bytes.Buffer
		a := newArchive(&out, "", time.Unix(0, 0))
		if err := a.deflated(name, func(w io.Writer) error { _, err := io.WriteString(w, "content"); return err }); err != nil {
			t.Fatal(err)
		}
		if err := a.zip.Flush(); err != nil {
			t.Fatal(err)
		}
		before := out.Len()
		if err := a.finish(); err != nil {
			t.Fatal(err)
		}
		return out.Len() - before, out.Bytes()
	}
	shortest, _ := size("n")
	for over := range 30 {
		name := strings.Repeat("n", chunk+1+over-shortest)
		_, whole := size(name)
		read, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
		if err != nil || len(read.File) != 1 || read.File[0].Name != name {
			t.Errorf("%d bytes more than a chunk: %v", over, err)
		}
	}
}

// What a browser would run is opened as text, and no name means anything to a system.
func TestSafeName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"page.html": "000007-page.html.txt", "Logo.SVG": "000007-Logo.SVG.txt", "feed.rss": "000007-feed.rss.txt", "a.html.": "000007-a-html", "x.html ": "000007-x-html",
		"../../x": "000007-x", "CON": "000007-CON", "..": "000007-file", "photo\u202egnp.jpg": "000007-photo-gnp.jpg", "é.png": "000007-file.png",
		strings.Repeat("ф", 150) + ".pdf": "000007-file.pdf", strings.Repeat("x", 300) + ".svg": "000007-" + strings.Repeat("x", 65) + ".svg.txt", "a\x00b.png": "000007-a-b.png",
	} {
		got := safeName(7, name)
		if got != want || len(got) > maxName {
			t.Errorf("%q became %q, not %q", name, got, want)
		}
		if text := strings.HasSuffix(want, asText); keptAsText("attachments/"+got) != text {
			t.Errorf("%q: said to be text: %v", got, !text)
		}
	}
}

// Two links to one file differ in how they are signed and scaled alone.
func TestSameFile(t *testing.T) {
	t.Parallel()
	const other = "https://cdn.example/1/x.png?Key-Pair-Id=A&Policy=B&Signature=C&oh=1&ow=2&w=*&h=*&crop=center&resize=clip&ro=0"
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{other, "https://cdn.example/1/x.png?signature=D&expires=5", true},
		{other, "https://cdn.example/1/y.png?Signature=C", false},
		{"https://own.example/download?id=1&Signature=a", "https://own.example/download?id=2&Signature=b", false},
		{"https://own.example/download?Signature=a&id=1", "https://own.example/download?id=1&Signature=b", true},
		{"https://own.example/x?X-Amz-Date=1&X-Amz-Signature=a&versionId=1", "https://own.example/x?X-Amz-Date=2&X-Amz-Signature=b&versionId=1", true},
		{"https://own.example/x?id=1", "https://own.example/x?id=2", false},
		{"https://own.example/x#a", "https://own.example/x#b", true},
	} {
		if got := sameFile(c.a) == sameFile(c.b); got != c.same {
			t.Errorf("%s and %s: the same file: %v", c.a, c.b, got)
		}
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A file that is there stays unless it may be replaced, also when it appears while
// another is written.
func TestWriteReplaces(t *testing.T) {
	const old = "somebody's export"
	for name, test := range map[string]struct {
		target   Target
		replaces bool
	}{
		"nothing":      {Target{}, false},
		"anything":     {Target{Overwrite: true}, true},
		"its own":      {Target{Own: sha([]byte(old))}, true},
		"another file": {Target{Own: sha([]byte("another"))}, false},
	} {
		for _, moment := range []string{"before", "meanwhile"} {
			t.Run(name+" "+moment, func(t *testing.T) {
				dir := t.TempDir()
				test.target.Path = filepath.Join(dir, "export.json")
				appear := func() error { return os.WriteFile(test.target.Path, []byte(old), 0o600) }
				if moment == "before" {
					if err := appear(); err != nil {
						t.Fatal(err)
					}
				}
				_, err := writeTo(t.Context(), test.target, nil, func(w io.Writer) error {
					_, err := io.WriteString(w, "new")
					if moment == "meanwhile" {
						err = errors.Join(err, appear())
					}
					return err
				})
				want := old
				if test.replaces {
					want = "new"
				}
				if errors.Is(err, ErrExists) == test.replaces || test.replaces && err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(map[string]string{"export.json": want}, tree(t, dir)); diff != "" {
					t.Errorf("on disk (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// The last step itself replaces nothing, whatever was looked at before, with hard links
// and without.
func TestPlaceReplacesNothing(t *testing.T) {
	for name, place := range map[string]func(f *File) error{
		"linked":   func(f *File) error { return f.place(false) },
		"unlinked": func(f *File) error { return renameNew(f.root, f.name, f.base) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, there := range []bool{false, true} {
				f, err := Begin(t.Context(), Target{Path: filepath.Join(dir, "export.json"), Overwrite: true}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if err := place(f); errors.Is(err, fs.ErrExist) != there {
					t.Errorf("there %v: %v", there, err)
				}
				if !there {
					f.name = ""
				}
				if err := f.Abort(); err != nil {
					t.Error(err)
				}
				if got := len(tree(t, dir)); got != 1 {
					t.Errorf("%d files", got)
				}
			}
		})
	}
}

func TestExisting(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		sum   string
		there bool
		err   string
	}{
		filepath.Join(dir, "file"):                    {sum: sha([]byte("x")), there: true},
		filepath.Join(dir, "none"):                    {},
		filepath.Join(dir, "none", "none"):            {},
		filepath.Join(dir, "file", "none"):            {},
		filepath.Join(dir, strings.Repeat("x", 5000)): {},
		dir: {err: "the path is a directory"},
		"":  {err: "the path of the file is empty"},
	} {
		sum, there, err := Existing(path)
		if sum != want.sum || there != want.there || (err == nil) != (want.err == "") || err != nil && err.Error() != want.err {
			t.Errorf("%.100s: %q, %v, %v", path, sum, there, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestResolve(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := errors.Join(os.Mkdir("real", 0o700), os.Symlink("real", "link"), os.Symlink("nowhere", "dangling")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"x":                            "x",
		"real/x":                       "real/x",
		"link/x":                       "real/x",
		"link/new/newer/x":             "real/new/newer/x",
		filepath.Join(dir, "link/./x"): "real/x",
		"dangling/x":                   "dangling/x",
	} {
		if got := Resolve(path); got != filepath.Join(dir, want) {
			t.Errorf("%s: %s", path, got)
		}
	}
}

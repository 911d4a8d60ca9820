// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

var errDisk = errors.New("disk full")

const canary = "canary-7f3a-Zoë"

func sha(p []byte) string {
	sum := sha256.Sum256(p)
	return hex.EncodeToString(sum[:])
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	p, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tree maps every file below dir to its bytes.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		files[name] = string(readFile(t, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// write writes a whole file, over one that is there.
func write(ctx context.Context, path string, recipients []age.Recipient, content func(io.Writer) error) (Written, error) {
	return writeTo(ctx, Target{Path: path, Overwrite: true}, recipients, content)
}

func writeTo(ctx context.Context, target Target, recipients []age.Recipient, content func(io.Writer) error) (written Written, err error) {
	file, err := Begin(ctx, target, recipients)
	if err != nil {
		return Written{}, err
	}
	defer func() { err = errors.Join(err, file.Abort()) }()
	if err := content(file); err != nil {
		return Written{}, err
	}
	return file.Commit()
}

// content writes text.
func content(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

func TestWriteClear(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "made", "also made", "export.json")
	for _, text := range []string{"first " + canary, "", strings.Repeat(canary, 100_000)} {
		written, err := write(t.Context(), path, nil, content(text))
		if err != nil {
			t.Fatal(err)
		}
		hash := sha([]byte(text))
		want := Written{SHA256: hash, ClearSHA256: hash, Size: int64(len(text))}
		if diff := cmp.Diff(want, written); diff != "" {
			t.Errorf("written (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{filepath.Join("made", "also made", "export.json"): text}, tree(t, dir)); diff != "" {
			t.Fatalf("on disk (-want +got):\n%.1000s", diff)
		}
	}
}

func TestWriteRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{"plain.json", filepath.Join("sub", "plain.json"), filepath.Join("sub", "..", "sub", "dotted.json")} {
		if _, err := write(t.Context(), path, nil, content("x")); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if string(readFile(t, path)) != "x" {
			t.Errorf("%s: wrong content", path)
		}
	}
}

func TestWriteEncrypted(t *testing.T) {
	classic, other, hybrid := newX25519(t), newX25519(t), newHybrid(t)
	for name, test := range map[string]struct {
		keys       []string
		identities []age.Identity
	}{
		"one":    {[]string{classic.Recipient().String()}, []age.Identity{classic}},
		"two":    {[]string{classic.Recipient().String(), other.Recipient().String()}, []age.Identity{classic, other}},
		"hybrid": {[]string{hybrid.Recipient().String()}, []age.Identity{hybrid}},
	} {
		t.Run(name, func(t *testing.T) {
			recipients, err := ParseRecipients(test.keys)
			if err != nil {
				t.Fatal(err)
			}
			// Nothing may go to $TMPDIR either.
			elsewhere := t.TempDir()
			t.Setenv("TMPDIR", elsewhere)
			t.Setenv("TMP", elsewhere)
			dir := t.TempDir()
			path := filepath.Join(dir, "sub", "export.json.age")

			clean := func(moment string) {
				t.Helper()
				for _, dir := range []string{dir, elsewhere} {
					for name, bytes := range tree(t, dir) {
						if strings.Contains(bytes, "canary") {
							t.Fatalf("%s: clear bytes in %s", moment, name)
						}
					}
				}
			}
			var plain bytes.Buffer
			written, err := write(t.Context(), path, recipients, func(w io.Writer) error {
				clean("at the start")
				for range 30 {
					chunk := strings.Repeat(canary, 1000)
					plain.WriteString(chunk)
					if _, err := io.WriteString(w, chunk); err != nil {
						return err
					}
					clean("while writing")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			clean("at the end")
			if got := len(tree(t, elsewhere)); got != 0 {
				t.Errorf("%d files in the system's temporary directory", got)
			}
			if got := len(tree(t, dir)); got != 1 {
				t.Errorf("%d files left", got)
			}

			onDisk := readFile(t, path)
			want := Written{SHA256: sha(onDisk), ClearSHA256: sha(plain.Bytes()), Size: int64(len(onDisk))}
			if diff := cmp.Diff(want, written); diff != "" {
				t.Errorf("written (-want +got):\n%s", diff)
			}
			for _, identity := range test.identities {
				r, err := age.Decrypt(bytes.NewReader(onDisk), identity)
				if err != nil {
					t.Fatal(err)
				}
				decrypted, err := io.ReadAll(r)
				if err != nil || !bytes.Equal(decrypted, plain.Bytes()) {
					t.Errorf("decrypted %d bytes, %v", len(decrypted), err)
				}
			}
			if _, err := age.Decrypt(bytes.NewReader(onDisk), newX25519(t)); err == nil {
				t.Error("a stranger's key opens the file")
			}
		})
	}
}

// Whatever goes wrong: the old file stays, no temporary file does.
func TestWriteIsAtomic(t *testing.T) {
	chunk := strings.Repeat(canary, bufferSize) // more than every buffer
	for name, test := range map[string]struct {
		content func(io.Writer, context.CancelFunc) error
		want    error
	}{
		"at once": {func(io.Writer, context.CancelFunc) error { return errDisk }, errDisk},
		"midway": {func(w io.Writer, _ context.CancelFunc) error {
			_, _ = io.WriteString(w, chunk)
			return errDisk
		}, errDisk},
		"cancelled, then written": {func(w io.Writer, cancel context.CancelFunc) error {
			_, _ = io.WriteString(w, chunk)
			cancel()
			_, err := io.WriteString(w, chunk)
			return err
		}, context.Canceled},
		"cancelled, error ignored": {func(w io.Writer, cancel context.CancelFunc) error {
			_, _ = io.WriteString(w, chunk)
			cancel()
			_, _ = io.WriteString(w, chunk)
			return nil
		}, context.Canceled},
		"cancelled at the end": {func(w io.Writer, cancel context.CancelFunc) error {
			_, _ = io.WriteString(w, chunk)
			cancel()
			return nil
		}, context.Canceled},
	} {
		for kind, recipients := range map[string][]age.Recipient{"clear": nil, "encrypted": {newX25519(t).Recipient()}} {
			for _, old := range []string{"", "the old export"} {
				t.Run(name+"/"+kind+"/"+old, func(t *testing.T) {
					dir := t.TempDir()
					path := filepath.Join(dir, "export.json")
					want := map[string]string{}
					if old != "" {
						want["export.json"] = old
						if err := os.WriteFile(path, []byte(old), 0o640); err != nil {
							t.Fatal(err)
						}
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					written, err := write(ctx, path, recipients, func(w io.Writer) error {
						return test.content(w, cancel)
					})
					if !errors.Is(err, test.want) || written != (Written{}) {
						t.Errorf("%+v, %v", written, err)
					}
					if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
						t.Errorf("on disk (-want +got):\n%.1000s", diff)
					}
				})
			}
		}
	}
}

func TestWritePanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = write(t.Context(), filepath.Join(dir, "export.json"), nil, func(w io.Writer) error {
			_, _ = io.WriteString(w, canary)
			panic("content")
		})
	}()
	if got := tree(t, dir); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestWriteCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := write(ctx, filepath.Join(dir, "sub", "export.json"), nil, func(io.Writer) error {
		t.Error("content was called")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Error("something was made")
	}
}

func TestWriteRefusals(t *testing.T) {
	dir := filepath.Join(t.TempDir(), canary)
	if err := os.MkdirAll(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		path       string
		recipients []age.Recipient
		want       string
	}{
		"empty":         {"", nil, "the path of the file is empty"},
		"directory":     {filepath.Join(dir, "directory"), nil, "the path is a directory"},
		"slash":         {filepath.Join(dir, "new") + "/", nil, "the path names a directory, not a file"},
		"root":          {"/", nil, "the path names a directory, not a file"},
		"dot":           {".", nil, "the path names a directory, not a file"},
		"dots":          {dir + "/..", nil, "the path names a directory, not a file"},
		"below a file":  {filepath.Join(file, "new"), nil, ""},
		"far below":     {filepath.Join(file, "new", "new"), nil, ""},
		"long":          {filepath.Join(dir, strings.Repeat("x", 5000)), nil, ""},
		"NUL":           {filepath.Join(dir, "a\x00b"), nil, ""},
		"no recipients": {filepath.Join(dir, "new"), []age.Recipient{}, "the list of age recipients is empty"},
		"mixed": {
			filepath.Join(dir, "new"), []age.Recipient{newX25519(t).Recipient(), newHybrid(t).Recipient()},
			"encrypting the file: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := tree(t, dir)
			_, err := write(t.Context(), test.path, test.recipients, func(io.Writer) error {
				t.Error("content was called")
				return nil
			})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error names the path: %v", err)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("on disk (-want +got):\n%s", diff)
			}
		})
	}
}

// A disk that fails under the buffer, and a writer that looks away.
func TestFileDiskError(t *testing.T) {
	path := filepath.Join(t.TempDir(), canary)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, recipients := range map[string][]age.Recipient{"clear": nil, "encrypted": {newX25519(t).Recipient()}} {
		for name, text := range map[string]string{"small": "x", "large": strings.Repeat("x", 10*bufferSize)} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				readOnly, err := os.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = readOnly.Close() }()
				f := &File{ctx: t.Context(), name: "it"}
				if err = f.through(readOnly, recipients); err == nil {
					_, _ = io.WriteString(f, text)
					err = f.finish()
				}
				if err == nil || strings.Contains(err.Error(), canary) {
					t.Error(err)
				}
			})
		}
	}
}

// Neither end comes twice, and after it nothing is written.
func TestFileEnds(t *testing.T) {
	for name, committed := range map[string]bool{"committed": true, "aborted": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f, err := Begin(t.Context(), Target{Path: filepath.Join(dir, "export.json")}, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			if _, err := f.WriteString("x"); err != nil {
				t.Fatal(err)
			}
			if committed {
				want["export.json"] = "x"
				if _, err := f.Commit(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := f.Abort(); err != nil {
					t.Error(err)
				}
			}
			if _, err := f.Write([]byte("y")); !errors.Is(err, os.ErrClosed) {
				t.Errorf("a write afterwards: %v", err)
			}
			if written, err := f.Commit(); !errors.Is(err, os.ErrClosed) || written != (Written{}) {
				t.Errorf("a commit afterwards: %+v, %v", written, err)
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Errorf("on disk (-want +got):\n%s", diff)
			}
		})
	}
}

// Two exports to the same path at once: one of them is there, whole.
func TestWriteConcurrently(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "export.json")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			text := strings.Repeat(string(rune('a'+i)), 3*bufferSize)
			if _, err := write(t.Context(), path, nil, content(text)); err != nil && runtime.GOOS != "windows" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	files := tree(t, dir)
	text := files[filepath.Join("sub", "export.json")]
	if len(files) != 1 || len(text) != 3*bufferSize || strings.Trim(text, text[:1]) != "" {
		t.Errorf("%d files, %d bytes", len(files), len(text))
	}
}

func TestPathless(t *testing.T) {
	for _, err := range []error{
		&fs.PathError{Op: "open", Path: canary, Err: fs.ErrPermission},
		&os.LinkError{Op: "renameat", Old: canary, New: canary, Err: fs.ErrPermission},
		errors.Join(&fs.PathError{Op: "sync", Path: canary, Err: fs.ErrPermission}, &fs.PathError{Op: "close", Path: canary, Err: fs.ErrClosed}),
	} {
		got := pathless(err)
		if !errors.Is(got, fs.ErrPermission) || strings.Contains(got.Error(), canary) {
			t.Errorf("%v", got)
		}
	}
	if pathless(nil) != nil {
		t.Error("an error from none")
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package privatefile

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestWriteMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	for _, umask := range []int{0, 0o022, 0o077, 0o277} {
		dir := t.TempDir()
		existing := filepath.Join(dir, "existing")
		if err := os.WriteFile(existing, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(existing, 0o666); err != nil {
			t.Fatal(err)
		}
		old := syscall.Umask(umask)
		for _, path := range []string{existing, filepath.Join(dir, "new")} {
			_, err := write(t.Context(), path, nil, func(io.Writer) error {
				temps, err := filepath.Glob(filepath.Join(dir, tempPrefix+"*"+tempSuffix))
				if err != nil || len(temps) != 1 {
					t.Fatalf("temporary files: %v, %v", temps, err)
				}
				if got := mode(t, temps[0]); got != 0o600 {
					t.Errorf("umask %04o: the temporary file has mode %v", umask, got)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			} else if got := mode(t, path); got != 0o600 {
				t.Errorf("umask %04o: %s has mode %v", umask, filepath.Base(path), got)
			}
		}
		syscall.Umask(old)
	}
}

func TestWriteMakesPrivateDirectories(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := write(t.Context(), filepath.Join(dir, "a", "b", "export.json"), nil, content("x")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o755, filepath.Join(dir, "a"): 0o700, filepath.Join(dir, "a", "b"): 0o700} {
		if got := mode(t, path).Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", path, got, want)
		}
	}
}

func TestWriteRefusesSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	symlink := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	for name, test := range map[string]struct {
		make func(path string) error
		want string
	}{
		"link":          {symlink(victim), "the path is a symbolic link"},
		"dangling link": {symlink(filepath.Join(dir, "nowhere")), "the path is a symbolic link"},
		"device link":   {symlink("/dev/stdout"), "the path is a symbolic link"},
		"fifo":          {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "the path is not a regular file"},
		"socket": {func(path string) error {
			l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		}, "the path is not a regular file"},
	} {
		for _, moment := range []string{"before", "meanwhile"} {
			t.Run(name+" "+moment, func(t *testing.T) {
				t.Chdir(t.TempDir())
				path := "p" // a socket's path must be short
				if moment == "before" {
					if err := test.make(path); err != nil {
						t.Fatal(err)
					}
				}
				_, err := write(t.Context(), path, nil, func(w io.Writer) error {
					if moment == "before" {
						t.Error("content was called")
						return nil
					}
					return test.make(path)
				})
				if err == nil || !strings.HasPrefix(err.Error(), test.want) {
					t.Errorf("error %v, want %q", err, test.want)
				}
				if mode(t, path).IsRegular() {
					t.Error("it was replaced")
				}
				if entries, _ := os.ReadDir("."); len(entries) != 1 {
					t.Errorf("%d entries left", len(entries))
				}
			})
		}
	}
	if _, err := write(t.Context(), "/dev/null", nil, content("x")); err == nil || err.Error() != "the path is not a regular file" {
		t.Errorf("/dev/null: %v", err)
	}
	if got := string(readFile(t, victim)); got != "untouched" {
		t.Errorf("the link's target is now %q", got)
	}
	if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("the dangling link's target was made")
	}
}

func TestWriteFollowsParentLink(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := write(t.Context(), filepath.Join(dir, "link", "new", "export.json"), nil, content("x")); err != nil {
		t.Fatal(err)
	}
	if got := string(readFile(t, filepath.Join(dir, "real", "new", "export.json"))); got != "x" {
		t.Errorf("%q", got)
	}
}

// A directory whose path comes to point elsewhere draws nothing there.
func TestWriteHoldsItsDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := write(t.Context(), filepath.Join(dir, "d", "export.json"), nil, func(w io.Writer) error {
		if err := os.Rename(filepath.Join(dir, "d"), filepath.Join(dir, "moved")); err != nil {
			return err
		}
		if err := os.Mkdir(filepath.Join(dir, "d"), 0o700); err != nil {
			return err
		}
		_, err := io.WriteString(w, "x")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	files := tree(t, dir)
	if len(files) != 1 || files[filepath.Join("moved", "export.json")] != "x" {
		t.Errorf("%v", files)
	}
}

func TestWriteDirectoryGone(t *testing.T) {
	dir := t.TempDir()
	if _, err := write(t.Context(), filepath.Join(dir, "d", "export.json"), nil, func(io.Writer) error {
		return os.RemoveAll(filepath.Join(dir, "d"))
	}); err == nil || strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
}

// What a killed process left is removed, what a living one writes is not.
func TestWriteSweeps(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, tempPrefix+"LEFT"+tempSuffix)
	other := filepath.Join(dir, "other.tmp")
	for _, name := range []string{left, other} {
		if err := os.WriteFile(name, []byte("personal"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err := write(t.Context(), filepath.Join(dir, "outer"), nil, func(w io.Writer) error {
		_, err := write(t.Context(), filepath.Join(dir, "inner"), nil, func(io.Writer) error { return nil })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a killed process left is still there: %v", err)
	}
	for _, name := range []string{other, filepath.Join(dir, "outer"), filepath.Join(dir, "inner")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

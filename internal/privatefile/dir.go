// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700

	// The name of a temporary file is these around 26 random characters. A
	// process that is killed leaves it behind, for the next one to remove.
	tempPrefix, tempSuffix = ".streamchat-export-", ".tmp"
)

// splitPath splits a path into its directory and the name in it.
func splitPath(path string) (dir, base string, err error) {
	if path == "" {
		return "", "", errors.New("the path of the file is empty")
	}
	if err := CheckPath(path); err != nil {
		return "", "", err
	}
	base = filepath.Base(path)
	if os.IsPathSeparator(path[len(path)-1]) || base == "." || base == ".." {
		return "", "", errors.New("the path names a directory, not a file")
	}
	return filepath.Dir(path), base, nil
}

// CheckPath refuses a path that begins with ~: only shells and pathexpand() make a home
// directory of that, and here it would be a directory of the working directory.
func CheckPath(path string) error {
	first, _, nested := strings.Cut(filepath.ToSlash(path), "/")
	if strings.HasPrefix(first, "~") && (nested || first == "~") {
		return errors.New(`"~" is not the home directory here, but a directory of that name: write pathexpand("~/…") or the whole path`)
	}
	return nil
}

// makeDirs makes dir and whatever is missing above it, each flushed into its
// parent, so that a power cut after Commit does not take them.
func makeDirs(dir string) error {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Stat(at)
		if err == nil || !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break // what is wrong here shows in Mkdir or OpenRoot
		}
		missing = append(missing, at)
	}
	for _, at := range slices.Backward(missing) {
		err := os.Mkdir(at, dirMode)
		if errors.Is(err, fs.ErrExist) {
			continue // someone else was faster
		}
		if err != nil {
			return err
		}
		parent, err := os.OpenRoot(filepath.Dir(at))
		if err != nil {
			return err
		}
		err = syncRoot(parent)
		_ = parent.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// checkTarget reports whether there is a file, and refuses anything but a regular one.
func checkTarget(root *os.Root, base string) (there bool, err error) {
	info, err := root.Lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("looking at the path: %w", pathless(err))
	case info.IsDir():
		return false, errors.New("the path is a directory")
	case info.Mode()&fs.ModeSymlink != 0:
		return false, errors.New("the path is a symbolic link: give the path of the file itself")
	case !info.Mode().IsRegular():
		return false, errors.New("the path is not a regular file")
	}
	return true, nil
}

// sum is the SHA-256 of a file that can be read, in lower-case hex.
func sum(root *os.Root, base string) (_ string, ok bool) {
	file, err := root.Open(base)
	if err != nil {
		return "", false
	}
	defer func() { _ = file.Close() }()
	content := newCounter(io.Discard)
	if _, err := io.Copy(content, file); err != nil {
		return "", false
	}
	return content.sum(), true
}

// Existing looks for a file at a path, without making anything. The sum is "" where it
// cannot be read. What is there and is no regular file is the error that Begin gives;
// what cannot be looked at is not there, as far as this machine knows.
func Existing(path string) (sha256 string, there bool, err error) {
	dir, base, err := splitPath(path)
	if err != nil {
		return "", false, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", false, nil
	}
	defer func() { _ = root.Close() }()
	there, err = checkTarget(root, base)
	var system syscall.Errno
	if errors.As(err, &system) {
		return "", false, nil
	}
	if there {
		sha256, _ = sum(root, base)
	}
	return sha256, there, err
}

// Resolve gives the same text for the same place: absolute, and without symbolic links
// as far as its directories exist.
func Resolve(path string) string {
	path = absolute(path)
	var missing []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if resolved, err := filepath.EvalSymlinks(dir); err == nil {
			slices.Reverse(missing)
			return filepath.Join(append(append([]string{absolute(resolved)}, missing...), filepath.Base(path))...)
		}
		if dir == filepath.Dir(dir) {
			return path
		}
		missing = append(missing, filepath.Base(dir))
	}
}

// absolute leaves a path alone where the working directory is gone.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return filepath.Clean(path)
}

// renameNew renames a file to a name that nothing has, else it is fs.ErrExist, where a
// file system has no hard links: it takes the name first.
func renameNew(root *os.Root, name, base string) error {
	taken, err := root.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	if err = errors.Join(taken.Close(), root.Rename(name, base)); err != nil {
		return errors.Join(err, root.Remove(base))
	}
	return nil
}

// attempts bounds how often a temporary file is made anew that another process swept
// before it could be locked.
const attempts = 100

// createTemp makes the temporary file: new, of unpredictable name, readable by
// its owner alone before it holds a byte.
func createTemp(root *os.Root) (*os.File, string, error) {
	for range attempts {
		name := tempPrefix + rand.Text() + tempSuffix
		file, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
		if err != nil {
			return nil, "", fmt.Errorf("creating a temporary file: %w", pathless(err))
		}
		lockErr := lock(file) // where files cannot be locked, leftovers stay
		if _, err := root.Lstat(name); err != nil || errors.Is(lockErr, syscall.EWOULDBLOCK) {
			_, _ = file.Close(), root.Remove(name)
			continue
		}
		if err := ownerOnly(file); err != nil {
			return nil, "", errors.Join(err, pathless(file.Close()), pathless(root.Remove(name)))
		}
		return file, name, nil
	}
	return nil, "", errors.New("creating a temporary file: it is removed again and again")
}

// sweep removes what killed processes left in the directory: personal data, in
// the clear where there were no recipients. A lock tells it from the file of a
// process that lives. What cannot be removed stays.
func sweep(root *os.Root) {
	dir, err := root.Open(".")
	if err != nil {
		return
	}
	names, _ := dir.Readdirnames(-1)
	_ = dir.Close()
	for _, name := range names {
		if !strings.HasPrefix(name, tempPrefix) || !strings.HasSuffix(name, tempSuffix) {
			continue
		}
		left, err := root.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lock(left) == nil {
			_ = root.Remove(name)
		}
		_ = left.Close()
	}
}

// ownerOnly gives the file its mode, which the umask may have narrowed, and
// makes sure that the file system kept it.
func ownerOnly(file *os.File) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	chmodErr := file.Chmod(fileMode)
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("looking at the temporary file: %w", pathless(err))
	}
	if mode := info.Mode().Perm(); mode != fileMode {
		return errors.Join(fmt.Errorf("the file system gives the file mode %04o and does not take %04o", mode, fileMode), pathless(chmodErr))
	}
	return nil
}

// syncRoot flushes a directory's entries. File systems that cannot do that are
// taken as they are.
func syncRoot(root *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := root.Open(".")
	if err != nil {
		return pathless(err)
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return pathless(err)
	}
	return nil
}

// pathless drops the paths from an error of package os, also inside a join.
func pathless(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return fmt.Errorf("%s: %w", link.Op, link.Err)
	}
	return err
}

// pathlessFile drops the path from the errors of an os.File.
type pathlessFile struct{ file *os.File }

func (f pathlessFile) Read(p []byte) (int, error) {
	n, err := f.file.Read(p)
	return n, pathless(err)
}

func (f pathlessFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	return n, pathless(err)
}

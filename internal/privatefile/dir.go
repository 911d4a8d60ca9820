// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"crypto/rand"
	"errors"
	"fmt"
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
	base = filepath.Base(path)
	if os.IsPathSeparator(path[len(path)-1]) || base == "." || base == ".." {
		return "", "", errors.New("the path names a directory, not a file")
	}
	return filepath.Dir(path), base, nil
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

// checkTarget refuses to replace anything but a regular file.
func checkTarget(root *os.Root, base string) error {
	info, err := root.Lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at the path: %w", pathless(err))
	case info.IsDir():
		return errors.New("the path is a directory")
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("the path is a symbolic link: give the path of the file itself")
	case !info.Mode().IsRegular():
		return errors.New("the path is not a regular file")
	}
	return nil
}

// createTemp makes the temporary file: new, of unpredictable name, readable by
// its owner alone before it holds a byte.
func createTemp(root *os.Root) (*os.File, string, error) {
	name := tempPrefix + rand.Text() + tempSuffix
	file, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return nil, "", fmt.Errorf("creating a temporary file: %w", pathless(err))
	}
	_ = lock(file) // Where files cannot be locked, leftovers stay.
	if err := ownerOnly(file); err != nil {
		return nil, "", errors.Join(err, pathless(file.Close()), pathless(root.Remove(name)))
	}
	return file, name, nil
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

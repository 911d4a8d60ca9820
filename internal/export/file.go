// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"filippo.io/age"
)

const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700

	// The name of a temporary file is these around 26 random characters. A
	// process that is killed leaves it behind, for the next one to remove.
	tempPrefix, tempSuffix = ".streamchat-export-", ".tmp"

	bufferSize = 64 << 10
)

// File is where an export goes.
//
// renameio is not used: it does not build on Windows, may put the temporary file
// into $TMPDIR, names it from a non-cryptographic generator and does not flush
// the directory.
type File struct {
	// Path must name a regular file or nothing. Missing directories above it
	// are made with mode 0700; symbolic links among them are followed, one at
	// Path itself is refused.
	Path string
	// Recipients encrypt the file with age; nil leaves it clear. Not nil and
	// empty is an error.
	Recipients []age.Recipient
}

// Written is what File.Write left on disk.
type Written struct {
	SHA256      string // of the bytes on disk, lower-case hex
	ClearSHA256 string // of what was written before encryption, lower-case hex
	Size        int64  // bytes on disk
	ClearSize   int64  // bytes before encryption
}

// Export writes a user export: content gets a Writer, which Export closes.
// Everything else is as Write says.
func (f File) Export(ctx context.Context, content func(*Writer) error) (Written, Summary, error) {
	var summary Summary
	written, err := f.Write(ctx, func(dst io.Writer) error {
		w := NewWriter(dst)
		if err := content(w); err != nil {
			return err
		}
		var err error
		summary, err = w.Close()
		return err
	})
	if err != nil {
		return Written{}, Summary{}, err
	}
	return written, summary, nil
}

// Write puts what content writes into the file, whole or not at all, with mode
// 0600 whatever the umask. content's writer is buffered.
//
// The bytes, encrypted before they leave memory when there are recipients, go to
// a new file of unpredictable name in the same directory; that is flushed to
// disk, takes the place of Path in one step, and the directory is flushed. On an
// error, a panic of content or a ctx that ended before the replacement, the
// temporary file is removed and what was at Path stays (directories that were
// made stay too). Only a directory that cannot be flushed is reported after the
// replacement: the file is then complete but might not survive a power cut.
//
// On Windows the mode means nothing: the file inherits the directory's access
// list, and directories are not flushed.
//
// Errors are content's own, ctx's, or the file system's without the path, which
// may name a person; errors.Is finds the cause.
func (f File) Write(ctx context.Context, content func(io.Writer) error) (_ Written, err error) {
	if f.Recipients != nil && len(f.Recipients) == 0 {
		return Written{}, errors.New("the list of age recipients is empty")
	}
	dir, base, err := splitPath(f.Path)
	if err != nil {
		return Written{}, err
	}
	if err := ctx.Err(); err != nil {
		return Written{}, err
	}
	if err := makeDirs(dir); err != nil {
		return Written{}, fmt.Errorf("making the file's directory: %w", pathless(err))
	}
	// The directory is held open: all that follows happens in it, even if it is
	// renamed or its path comes to point elsewhere.
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Written{}, fmt.Errorf("opening the file's directory: %w", pathless(err))
	}
	defer func() { _ = root.Close() }()
	if err := checkTarget(root, base); err != nil {
		return Written{}, err
	}

	sweep(root)
	temp, name, err := createTemp(root)
	if err != nil {
		return Written{}, err
	}
	inPlace := false
	defer func() {
		if inPlace {
			return
		}
		_ = temp.Close() // a second Close is harmless
		if removeErr := root.Remove(name); removeErr != nil {
			err = errors.Join(err, fmt.Errorf("removing the temporary file: %w", pathless(removeErr)))
		}
	}()

	written, err := f.fill(ctx, temp, content)
	if err != nil {
		return Written{}, err
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return Written{}, fmt.Errorf("flushing the file: %w", pathless(err))
	}
	if err := ctx.Err(); err != nil {
		return Written{}, err
	}
	// Again, as content may have taken an hour.
	if err := checkTarget(root, base); err != nil {
		return Written{}, err
	}
	if err := root.Rename(name, base); err != nil {
		return Written{}, fmt.Errorf("moving the file into place: %w", pathless(err))
	}
	inPlace = true
	if err := syncRoot(root); err != nil {
		return Written{}, fmt.Errorf("the file is in place, but flushing its directory failed: %w", err)
	}
	return written, nil
}

// fill lets content write into temp, through age if there are recipients.
func (f File) fill(ctx context.Context, temp *os.File, content func(io.Writer) error) (Written, error) {
	disk := newCounter(pathlessWriter{temp})
	plain := &disk
	var encrypt io.WriteCloser
	if len(f.Recipients) > 0 {
		var err error
		if encrypt, err = age.Encrypt(&disk, f.Recipients...); err != nil {
			return Written{}, fmt.Errorf("encrypting the file: %w", err)
		}
		c := newCounter(encrypt)
		plain = &c
	}

	buffer := bufio.NewWriterSize(plain, bufferSize)
	if err := content(contextWriter{ctx, buffer}); err != nil {
		return Written{}, err
	}
	// This also finds an error that content ignored: bufio keeps it.
	if err := buffer.Flush(); err != nil {
		return Written{}, fmt.Errorf("writing the file: %w", err)
	}
	if encrypt != nil {
		if err := encrypt.Close(); err != nil {
			return Written{}, fmt.Errorf("writing the file: %w", err)
		}
	}
	return Written{
		SHA256:      disk.sum(),
		ClearSHA256: plain.sum(),
		Size:        disk.size,
		ClearSize:   plain.size,
	}, nil
}

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
// parent, so that a power cut after Write does not take them.
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

// pathlessWriter drops the path from the errors of an os.File.
type pathlessWriter struct{ file *os.File }

func (w pathlessWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	return n, pathless(err)
}

// contextWriter refuses to write once its context has ended.
type contextWriter struct {
	ctx context.Context
	dst io.Writer
}

func (w contextWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.dst.Write(p)
}

// counter passes bytes on and keeps their number and hash.
type counter struct {
	dst  io.Writer
	hash hash.Hash
	size int64
}

func newCounter(dst io.Writer) counter {
	return counter{dst: dst, hash: sha256.New()}
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.dst.Write(p)
	c.hash.Write(p[:n]) // never fails
	c.size += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// sum is the SHA-256 of the bytes so far, in lower-case hex.
func (c *counter) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

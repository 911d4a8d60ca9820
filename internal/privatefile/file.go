// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package privatefile writes files that hold personal data: readable by their
// owner alone, whole or not at all and, to age recipients, without a clear byte
// on the way.
//
// Errors are those of the context or of the file system without the path, which
// may name a person; errors.Is finds the cause.
package privatefile

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"runtime"

	"filippo.io/age"
)

// bufferSize is how many bytes are gathered before age or the disk sees them.
const bufferSize = 64 << 10

// File is a file that is being written, see [Begin]. It is for one goroutine.
//
// renameio is not used: it does not build on Windows, may put the temporary file
// into $TMPDIR, names it from a non-cryptographic generator and does not flush
// the directory.
type File struct {
	ctx    context.Context // ends every step
	root   *os.Root        // nil after Abort
	base   string
	target Target
	temp   *os.File
	name   string // of temp; "" when there is nothing to remove

	buffer *bufio.Writer
	clear  *counter
	sealed io.WriteCloser // nil: the file is not encrypted
	disk   *counter       // the same as clear then
}

// Target is where a file goes, and which file may make way for it.
type Target struct {
	Path string
	// Overwrite: whatever regular file is at Path is replaced.
	Overwrite bool
	// Own is the SHA-256, in lower-case hex, of a file that is replaced without that;
	// "" is none.
	Own string
}

// ErrExists: there is a file that may not be replaced.
var ErrExists = errors.New("there is a file already")

// Written is what a file came to hold.
type Written struct {
	SHA256      string // of the bytes on disk, lower-case hex
	ClearSHA256 string // of the bytes before encryption, lower-case hex
	Size        int64  // bytes on disk
}

// Begin starts a file at a path that names nothing yet, or a regular file that may be
// replaced, else it is [ErrExists]:
//
//	file, err := privatefile.Begin(ctx, privatefile.Target{Path: path}, recipients)
//	…
//	defer file.Abort()
//	… // write
//	written, err := file.Commit()
//
// What is written, encrypted to recipients before it leaves memory unless they
// are nil, goes to a new file of unpredictable name and mode 0600 in the same
// directory. Until Commit nothing is at the path but what was there before.
//
// Missing directories above the path are made with mode 0700, and stay; symbolic
// links among them are followed, one at the path itself is refused. Recipients that
// are empty but not nil are an error.
//
// On Windows the mode means nothing: the file inherits the directory's access
// list, and directories are not flushed.
func Begin(ctx context.Context, target Target, recipients []age.Recipient) (_ *File, err error) {
	if recipients != nil && len(recipients) == 0 {
		return nil, errors.New("the list of age recipients is empty")
	}
	dir, base, err := splitPath(target.Path)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := makeDirs(dir); err != nil {
		return nil, fmt.Errorf("making the file's directory: %w", pathless(err))
	}
	// The directory is held open: all that follows happens in it, even if it is
	// renamed or its path comes to point elsewhere.
	f := &File{ctx: ctx, base: base, target: target}
	if f.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("opening the file's directory: %w", pathless(err))
	}
	if err := f.begin(recipients); err != nil {
		return nil, errors.Join(err, f.Abort())
	}
	return f, nil
}

// begin makes the temporary file.
func (f *File) begin(recipients []age.Recipient) (err error) {
	if _, err := f.replaces(); err != nil {
		return err
	}
	sweep(f.root)
	if f.temp, f.name, err = createTemp(f.root); err != nil {
		return err
	}
	return f.through(f.temp, recipients)
}

// replaces reports whether there is a file that makes way.
func (f *File) replaces() (bool, error) {
	there, err := checkTarget(f.root, f.base)
	if err != nil || !there {
		return false, err
	}
	if f.target.Overwrite {
		return true, nil
	}
	if sum, ok := sum(f.root, f.base); ok && sum == f.target.Own {
		return true, nil
	}
	return false, ErrExists
}

// through leads what is written into temp.
func (f *File) through(temp *os.File, recipients []age.Recipient) (err error) {
	f.disk = newCounter(pathlessFile{temp})
	f.clear = f.disk
	if len(recipients) > 0 {
		if f.sealed, err = age.Encrypt(f.disk, recipients...); err != nil {
			return fmt.Errorf("encrypting the file: %w", err)
		}
		f.clear = newCounter(f.sealed)
	}
	f.buffer = bufio.NewWriterSize(f.clear, bufferSize)
	return nil
}

// Write implements io.Writer, buffered. It fails once the context has ended.
func (f *File) Write(p []byte) (int, error) {
	if err := f.open(); err != nil {
		return 0, err
	}
	return f.buffer.Write(p)
}

// WriteString implements io.StringWriter as Write does.
func (f *File) WriteString(s string) (int, error) {
	if err := f.open(); err != nil {
		return 0, err
	}
	return f.buffer.WriteString(s)
}

// open says why nothing can be written any more.
func (f *File) open() error {
	if f.name == "" {
		return os.ErrClosed
	}
	return f.ctx.Err()
}

// Commit flushes the file to disk, puts it in place in one step and flushes the
// directory. A file that appeared meanwhile is [ErrExists] as in Begin, and stays.
// A write that failed fails it too, and so does a context that ended. After an
// error Abort is still to be called. Only a directory that cannot be flushed is
// reported after the replacement: the file is then complete but might not survive
// a power cut.
func (f *File) Commit() (Written, error) {
	if err := f.open(); err != nil {
		return Written{}, err
	}
	if err := f.finish(); err != nil {
		return Written{}, fmt.Errorf("writing the file: %w", err)
	}
	err := f.temp.Sync()
	if runtime.GOOS == "windows" { // where an open file keeps its name
		err = errors.Join(err, f.temp.Close())
	}
	if err != nil {
		return Written{}, fmt.Errorf("flushing the file: %w", pathless(err))
	}
	if err := f.ctx.Err(); err != nil {
		return Written{}, err
	}
	// Again, as an hour may have passed.
	replaces, err := f.replaces()
	if err != nil {
		return Written{}, err
	}
	if err := f.place(replaces || f.target.Overwrite); err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = ErrExists // it came between the two steps
		}
		return Written{}, fmt.Errorf("moving the file into place: %w", pathless(err))
	}
	// Not earlier: with it goes the lock, and another process might sweep.
	_ = f.temp.Close()
	if err := syncRoot(f.root); err != nil {
		return Written{}, fmt.Errorf("the file is in place, but flushing its directory failed: %w", err)
	}
	return Written{SHA256: f.disk.sum(), ClearSHA256: f.clear.sum(), Size: f.disk.size}, nil
}

// place gives the file its name; without overwrite nothing may have it.
func (f *File) place(overwrite bool) (err error) {
	if overwrite {
		err = f.root.Rename(f.name, f.base)
	} else if err = f.root.Link(f.name, f.base); err == nil {
		if f.root.Remove(f.name) != nil {
			return nil //nolint:nilerr // the file has its name; Abort tries again, and says so
		}
	} else if !errors.Is(err, fs.ErrExist) {
		err = renameNew(f.root, f.name, f.base)
	}
	if err == nil {
		f.name = ""
	}
	return err
}

// finish brings what is buffered to the disk.
func (f *File) finish() error {
	if err := f.buffer.Flush(); err != nil {
		return err
	}
	if f.sealed != nil {
		return f.sealed.Close()
	}
	return nil
}

// Abort removes what was written, unless it was committed: then it only lets go
// of the directory. It may be called at any time and again.
func (f *File) Abort() (err error) {
	if f.root == nil {
		return nil
	}
	if f.temp != nil {
		_ = f.temp.Close() // a second Close is harmless
	}
	if f.name != "" {
		if err = f.root.Remove(f.name); err != nil {
			err = fmt.Errorf("removing the temporary file: %w", pathless(err))
		}
	}
	_ = f.root.Close()
	f.root, f.name = nil, ""
	return err
}

// counter passes bytes on and keeps their number and hash.
type counter struct {
	dst  io.Writer
	hash hash.Hash
	size int64
}

func newCounter(dst io.Writer) *counter {
	return &counter{dst: dst, hash: sha256.New()}
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.dst.Write(p)
	c.hash.Write(p[:n]) // never fails
	c.size += int64(n)
	return n, err
}

// sum is the SHA-256 of the bytes so far, in lower-case hex.
func (c *counter) sum() string { return hex.EncodeToString(c.hash.Sum(nil)) }

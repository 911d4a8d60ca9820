// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Scratch is a temporary file for what its process needs again: write all, then
// read it back once, then Close. It is always encrypted, by a key that never
// leaves memory, so that it gives nothing away when a killed process leaves it
// behind.
type Scratch struct {
	root   *os.Root
	file   *os.File
	name   string // "" once the file has no name any more
	key    *age.X25519Identity
	sealed io.WriteCloser
	buffer *bufio.Writer
}

// NewScratch makes a temporary file in a directory that exists.
func NewScratch(dir string) (_ *Scratch, err error) {
	s := &Scratch{}
	if s.root, err = os.OpenRoot(dir); err != nil {
		return nil, fmt.Errorf("opening the file's directory: %w", pathless(err))
	}
	if s.file, s.name, err = createTemp(s.root); err != nil {
		return nil, errors.Join(err, s.root.Close())
	}
	// Where that is possible the file loses its name at once.
	if s.root.Remove(s.name) == nil {
		s.name = ""
	}
	if s.key, err = age.GenerateX25519Identity(); err == nil {
		s.sealed, err = age.Encrypt(pathlessFile{s.file}, s.key.Recipient())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("encrypting the temporary file: %w", err), s.Close())
	}
	s.buffer = bufio.NewWriterSize(s.sealed, bufferSize)
	return s, nil
}

// Write implements io.Writer, buffered.
func (s *Scratch) Write(p []byte) (int, error) { return s.buffer.Write(p) }

// Reader ends the writing and gives back what was written.
func (s *Scratch) Reader() (io.Reader, error) {
	err := errors.Join(s.buffer.Flush(), s.sealed.Close())
	s.buffer, s.sealed = nil, nil // many wait to be read at a time
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	var plain io.Reader
	if err == nil {
		plain, err = age.Decrypt(pathlessFile{s.file}, s.key)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the temporary file back: %w", pathless(err))
	}
	return plain, nil
}

// Close removes the file.
func (s *Scratch) Close() error {
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, s.root.Remove(s.name))
	}
	return pathless(errors.Join(err, s.root.Close()))
}

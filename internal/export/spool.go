// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// spoolMemory is how much of a spool stays in memory.
const spoolMemory = 8 << 20

// ErrTooLarge says that an export does not fit where it was to go.
var ErrTooLarge = errors.New("the export is too large")

// spool keeps records for later in their order: in memory up to spoolMemory,
// beyond that in a temporary file. That is always encrypted, by a key that never
// leaves memory, so it gives nothing away whether or not the export itself is to
// be encrypted, also when a killed process leaves it behind.
type spool struct {
	dir  string // "": never a file, ErrTooLarge instead
	size int64

	memory bytes.Buffer
	root   *os.Root
	file   *os.File
	name   string // "" once the file has no name any more
	key    *age.X25519Identity
	sealed io.WriteCloser
	buffer *bufio.Writer
}

// add appends a record of a kind.
func (s *spool) add(kind byte, record []byte) error {
	head := binary.AppendUvarint([]byte{kind}, uint64(len(record)))
	s.size += int64(len(head) + len(record))
	if s.file == nil && s.size > spoolMemory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	var dst io.Writer = &s.memory
	if s.file != nil {
		dst = s.buffer
	}
	_, err := dst.Write(head)
	if err == nil {
		_, err = dst.Write(record)
	}
	if err != nil {
		return fmt.Errorf("writing the temporary file: %w", pathless(err))
	}
	return nil
}

// spill moves what is in memory to a file.
func (s *spool) spill() error {
	if s.dir == "" {
		return ErrTooLarge
	}
	var err error
	if s.root, err = os.OpenRoot(s.dir); err != nil {
		return fmt.Errorf("opening the file's directory: %w", pathless(err))
	}
	if s.file, s.name, err = createTemp(s.root); err != nil {
		return err
	}
	// Where that is possible the file loses its name at once.
	if s.root.Remove(s.name) == nil {
		s.name = ""
	}
	if s.key, err = age.GenerateX25519Identity(); err == nil {
		s.sealed, err = age.Encrypt(pathlessWriter{s.file}, s.key.Recipient())
	}
	if err != nil {
		return fmt.Errorf("encrypting the temporary file: %w", err)
	}
	s.buffer = bufio.NewWriterSize(s.sealed, bufferSize)
	_, err = s.memory.WriteTo(s.buffer)
	s.memory = bytes.Buffer{}
	return err
}

// each gives the records back, once and after the last add. The record is only
// valid during the call.
func (s *spool) each(do func(kind byte, record []byte) error) error {
	var src *bufio.Reader
	if s.file == nil {
		src = bufio.NewReader(&s.memory)
	} else {
		err := errors.Join(s.buffer.Flush(), s.sealed.Close())
		if err == nil {
			_, err = s.file.Seek(0, io.SeekStart)
		}
		var plain io.Reader
		if err == nil {
			plain, err = age.Decrypt(s.file, s.key)
		}
		if err != nil {
			return fmt.Errorf("reading the temporary file back: %w", pathless(err))
		}
		src = bufio.NewReaderSize(plain, bufferSize)
	}
	var record []byte
	for {
		kind, err := src.ReadByte()
		if err == io.EOF { //nolint:errorlint // a reader's plain end
			return nil
		}
		var size uint64
		if err == nil {
			size, err = binary.ReadUvarint(src)
		}
		if err == nil {
			if uint64(cap(record)) < size {
				record = make([]byte, size)
			}
			record = record[:size]
			_, err = io.ReadFull(src, record)
		}
		if err != nil {
			return fmt.Errorf("reading the temporary file back: %w", pathless(err))
		}
		if err := do(kind, record); err != nil {
			return err
		}
	}
}

// close removes the file.
func (s *spool) close() error {
	if s.root == nil {
		return nil
	}
	var err error
	if s.file != nil {
		err = s.file.Close()
		if s.name != "" {
			err = errors.Join(err, s.root.Remove(s.name))
		}
	}
	return pathless(errors.Join(err, s.root.Close()))
}

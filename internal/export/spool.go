// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// spoolMemory is how many bytes of a spool stay in memory.
const spoolMemory = 8 << 20

// spool keeps records for later in their order: in memory up to spoolMemory,
// beyond that in a temporary file.
type spool struct {
	dir     string // "": never a file, ErrTooLarge instead
	size    int64  // bytes
	memory  bytes.Buffer
	scratch *privatefile.Scratch // nil: all is in memory
}

// add appends a record of a kind.
func (s *spool) add(kind byte, record []byte) error {
	head := binary.AppendUvarint([]byte{kind}, uint64(len(record)))
	s.size += int64(len(head) + len(record))
	if s.scratch == nil && s.size > spoolMemory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	var dst io.Writer = &s.memory
	if s.scratch != nil {
		dst = s.scratch
	}
	_, err := dst.Write(head)
	if err == nil {
		_, err = dst.Write(record)
	}
	if err != nil {
		return fmt.Errorf("writing the temporary file: %w", err)
	}
	return nil
}

// spill moves what is in memory to a file.
func (s *spool) spill() (err error) {
	if s.dir == "" {
		return ErrTooLarge
	}
	if s.scratch, err = privatefile.NewScratch(s.dir); err != nil {
		return err
	}
	_, err = s.memory.WriteTo(s.scratch)
	s.memory = bytes.Buffer{}
	return err
}

// each gives the records back, once and after the last add. The record is only
// valid during the call.
func (s *spool) each(do func(kind byte, record []byte) error) error {
	var all io.Reader = &s.memory
	if s.scratch != nil {
		var err error
		if all, err = s.scratch.Reader(); err != nil {
			return err
		}
	}
	src := bufio.NewReaderSize(all, bufferSize)
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
			return fmt.Errorf("reading the temporary file back: %w", err)
		}
		if err := do(kind, record); err != nil {
			return err
		}
	}
}

// close removes the file.
func (s *spool) close() error {
	if s.scratch == nil {
		return nil
	}
	return s.scratch.Close()
}

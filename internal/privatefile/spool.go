// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// SpoolMemory is how many bytes of a spool stay in memory, if nothing else is said.
const SpoolMemory = 8 << 20

// ErrTooLarge says that what has to wait does not fit into memory, and may not go to a
// file.
var ErrTooLarge = errors.New("it is too large for memory")

// Spool keeps records for later in their order: in memory up to a size, beyond that
// in a [Scratch]. Add all, then read them back once, then Close. The zero value
// keeps them in memory alone.
type Spool struct {
	Dir    string // of the temporary file; "": never a file, ErrTooLarge instead
	Memory int64  // bytes that stay in memory; 0 is SpoolMemory, negative none

	size    int64
	memory  bytes.Buffer
	scratch *Scratch // nil: all is in memory
	src     *bufio.Reader
	record  []byte
}

// Add appends a record of a kind.
func (s *Spool) Add(kind byte, record []byte) error {
	head := binary.AppendUvarint([]byte{kind}, uint64(len(record)))
	s.size += int64(len(head) + len(record))
	limit := s.Memory
	if limit == 0 {
		limit = SpoolMemory
	}
	if s.scratch == nil && s.size > limit {
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

// OnDisk reports that the records are in a file.
func (s *Spool) OnDisk() bool { return s.scratch != nil }

// spill moves what is in memory to a file.
func (s *Spool) spill() (err error) {
	if s.Dir == "" {
		return ErrTooLarge
	}
	if s.scratch, err = NewScratch(s.Dir); err != nil {
		return err
	}
	_, err = s.memory.WriteTo(s.scratch)
	s.memory = bytes.Buffer{}
	return err
}

// Next gives a record back, after the last Add; io.EOF is the end. The record is only
// valid until the next call.
func (s *Spool) Next() (kind byte, record []byte, err error) {
	if s.src == nil {
		var all io.Reader = &s.memory
		if s.scratch != nil {
			if all, err = s.scratch.Reader(); err != nil {
				return 0, nil, err
			}
		}
		s.src = bufio.NewReaderSize(all, bufferSize)
	}
	kind, err = s.src.ReadByte()
	if err == io.EOF { //nolint:errorlint // a reader's plain end
		return 0, nil, io.EOF
	}
	var size uint64
	if err == nil {
		size, err = binary.ReadUvarint(s.src)
	}
	if err == nil {
		if uint64(cap(s.record)) < size {
			s.record = make([]byte, size)
		}
		s.record = s.record[:size]
		_, err = io.ReadFull(s.src, s.record)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("reading the temporary file back: %w", err)
	}
	return kind, s.record, nil
}

// Each gives all records back.
func (s *Spool) Each(do func(kind byte, record []byte) error) error {
	for {
		kind, record, err := s.Next()
		if err == io.EOF { //nolint:errorlint // Next's own
			return nil
		}
		if err == nil {
			err = do(kind, record)
		}
		if err != nil {
			return err
		}
	}
}

// Close removes the file.
func (s *Spool) Close() error {
	if s.scratch == nil {
		return nil
	}
	return s.scratch.Close()
}

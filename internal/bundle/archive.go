// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

func newPiped(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, 64<<10) }

// entryPart is what the manifest says of a part of the archive.
type entryPart struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// archive writes a ZIP as a stream, and keeps what the manifest says of it.
type archive struct {
	zip   *zip.Writer
	at    time.Time
	parts *privatefile.Spool
	// attachments and missing are the files of messages that are in the archive, and
	// those that are not; nil: they were not asked for.
	attachments, missing *privatefile.Spool
}

func newArchive(dst io.Writer, dir string, at time.Time) *archive {
	a := &archive{zip: zip.NewWriter(dst), at: at.UTC().Truncate(2 * time.Second), parts: &privatefile.Spool{Dir: dir, Memory: 1 << 20}}
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 4) })
	return a
}

func (a *archive) header(name string, method uint16) *zip.FileHeader {
	h := &zip.FileHeader{Name: name, Method: method, Modified: a.at}
	h.SetMode(0o600)
	return h
}

// deflated writes a part of text.
func (a *archive) deflated(name string, write func(io.Writer) error) error {
	w, err := a.zip.CreateHeader(a.header(name, zip.Deflate))
	if err != nil {
		return err
	}
	m := &meter{hash: sha256.New()}
	if err := write(io.MultiWriter(w, m)); err != nil {
		return err
	}
	return a.note(entryPart{name, m.size, hex.EncodeToString(m.hash.Sum(nil))})
}

// stored writes a file whose content is known, as it is: files of people are packed
// already, and a size that stands ahead of the content can be read by everything.
func (a *archive) stored(name string, f *heldFile) (sum string, err error) {
	h := a.header(name, zip.Store)
	h.CRC32, h.CompressedSize64, h.UncompressedSize64 = f.crc.Sum32(), uint64(f.size), uint64(f.size) //nolint:gosec // a size
	w, err := a.zip.CreateRaw(h)
	if err != nil {
		return "", err
	}
	content, err := f.content()
	if err == nil {
		_, err = io.Copy(w, content)
	}
	sum = hex.EncodeToString(f.hash.Sum(nil))
	return sum, err
}

func (a *archive) note(p entryPart) error {
	record, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return a.parts.Add(0, record)
}

// finish writes the ZIP's directory.
func (a *archive) finish() error { return a.zip.Close() }

func (a *archive) close() (err error) {
	for _, s := range []*privatefile.Spool{a.parts, a.attachments, a.missing} {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}
	return err
}

// meter measures what goes by.
type meter struct {
	hash interface {
		io.Writer
		Sum(b []byte) []byte
	}
	size int64
}

func (m *meter) Write(p []byte) (int, error) {
	m.size += int64(len(p))
	return m.hash.Write(p)
}

// heldMemory is how much of a file waits in memory.
const heldMemory = 1 << 20

// heldFile is a file that was fetched and waits for its place in the archive, in memory
// or in an encrypted temporary file: only a file that is whole goes in.
type heldFile struct {
	meter
	dir     string
	crc     interface{ Sum32() uint32 }
	memory  []byte
	scratch *privatefile.Scratch
}

// Reset implements attachment.Sink.
func (f *heldFile) Reset() error {
	err := f.close()
	hash, crc := sha256.New(), crc32.NewIEEE()
	f.hash, f.crc, f.size, f.memory = both{io.MultiWriter(hash, crc), hash}, crc, 0, nil
	return err
}

type both struct {
	io.Writer
	sum interface{ Sum(b []byte) []byte }
}

func (b both) Sum(to []byte) []byte { return b.sum.Sum(to) }

// Write implements io.Writer.
func (f *heldFile) Write(p []byte) (n int, err error) {
	if f.scratch == nil && len(f.memory)+len(p) > heldMemory {
		if f.dir == "" {
			return 0, privatefile.ErrTooLarge
		}
		if f.scratch, err = privatefile.NewScratch(f.dir); err != nil {
			return 0, err
		}
		if _, err = f.scratch.Write(f.memory); err != nil {
			return 0, err
		}
		f.memory = nil
	}
	if f.scratch == nil {
		f.memory = append(f.memory, p...)
	} else if _, err = f.scratch.Write(p); err != nil {
		return 0, err
	}
	return f.meter.Write(p)
}

func (f *heldFile) content() (io.Reader, error) {
	if f.scratch == nil {
		return bytes.NewReader(f.memory), nil
	}
	return f.scratch.Reader()
}

func (f *heldFile) close() (err error) {
	if f.scratch != nil {
		err = f.scratch.Close()
		f.scratch = nil
	}
	return err
}

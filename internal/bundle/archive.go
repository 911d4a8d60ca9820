// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math"
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
	tail  *directory
	at    time.Time
	parts *privatefile.Spool
	// attachments and missing are the files of messages that are in the archive, and
	// those that are not; nil: they were not asked for.
	attachments, missing *privatefile.Spool
}

func newArchive(dst io.Writer, dir string, at time.Time) *archive {
	tail := &directory{dst: dst}
	a := &archive{zip: zip.NewWriter(tail), tail: tail, at: at.UTC().Truncate(2 * time.Second), parts: &privatefile.Spool{Dir: dir, Memory: 1 << 20}}
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

const (
	zip64Field   = 1
	zip64Version = 45
)

// stored writes a file whose content is known, as it is: files of people are packed
// already, and a size that stands ahead of the content can be read by everything.
func (a *archive) stored(name string, f *heldFile) (sum string, err error) {
	h := a.header(name, zip.Store)
	size := uint64(f.size) //nolint:gosec // a size
	h.CRC32, h.CompressedSize64, h.UncompressedSize64 = f.crc.Sum32(), size, size
	if size >= math.MaxUint32 {
		// archive/zip gives the directory a ZIP64 field, and the file's own header none,
		// without which unzip and others take the file for damaged.
		h.ReaderVersion = zip64Version
		h.Extra = binary.LittleEndian.AppendUint16(nil, zip64Field)
		h.Extra = binary.LittleEndian.AppendUint16(h.Extra, 16)
		h.Extra = binary.LittleEndian.AppendUint64(h.Extra, size)
		h.Extra = binary.LittleEndian.AppendUint64(h.Extra, size)
	}
	w, err := a.zip.CreateRaw(h)
	if err != nil {
		return "", err
	}
	h.Extra = nil // the directory's is another
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

// finish writes the ZIP's directory. The last part was packed on its way.
func (a *archive) finish() error {
	if err := a.zip.Flush(); err != nil {
		return err
	}
	a.tail.begun = true
	err := a.zip.Close()
	if err == nil {
		err = a.tail.pass(len(a.tail.record)) // a last piece shorter than a signature
	}
	return err
}

// directory corrects the ZIP's directory on its way: of a file of 4 GiB or more
// archive/zip says twice where it is, which 7-Zip calls an error of the headers. What is
// in the ZIP64 field must not stand in the plain one.
type directory struct {
	dst    io.Writer
	begun  bool // only the end of the last part and the directory are to come
	found  bool
	record []byte
}

// What an entry of a directory begins with, and where in it things are.
const (
	entrySignature = "PK\x01\x02"
	entryLengths   = 28 // of the name, of the fields and of the comment
	entryOffset    = 42
	entryFixed     = 46
	descriptor     = 16 // the sizes after a part that was packed on its way
)

// Write implements io.Writer.
func (d *directory) Write(p []byte) (int, error) {
	if !d.begun {
		return d.dst.Write(p)
	}
	d.record = append(d.record, p...)
	if !d.found {
		ready := max(0, len(d.record)-descriptor-len(entrySignature))
		if at := d.first(); at >= 0 {
			d.found, ready = true, at
		}
		if err := d.pass(ready); err != nil || !d.found {
			return len(p), err
		}
	}
	for len(d.record) >= len(entrySignature) {
		size := len(d.record)
		if string(d.record[:4]) == entrySignature {
			if size < entryFixed {
				break
			}
			name, fields, comment := u16(d.record[entryLengths:]), u16(d.record[entryLengths+2:]), u16(d.record[entryLengths+4:])
			if size = entryFixed + name + fields + comment; size > len(d.record) {
				break
			}
			for extra := d.record[entryFixed+name : entryFixed+name+fields]; len(extra) >= 4; extra = extra[4+u16(extra[2:]):] {
				if u16(extra) == zip64Field && u16(extra[2:]) == 24 {
					binary.LittleEndian.PutUint32(d.record[entryOffset:], math.MaxUint32)
				}
			}
		}
		if err := d.pass(size); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// first finds the first entry, which follows the sizes of the last part.
func (d *directory) first() int {
	for at := 0; ; at++ {
		next := bytes.Index(d.record[at:], []byte(entrySignature))
		if next < 0 {
			return -1
		}
		if at += next; at >= descriptor && string(d.record[at-descriptor:][:4]) == "PK\x07\x08" {
			return at
		}
	}
}

// pass writes the first bytes of what is held.
func (d *directory) pass(n int) error {
	_, err := d.dst.Write(d.record[:n])
	d.record = d.record[n:]
	return err
}

func u16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }

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

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

const (
	// runBytes is how much is sorted in memory at a time.
	runBytes = 8 << 20
	// maxRuns bounds how many files are open at a time, of some 200 KB each.
	maxRuns = 64
)

// sorter sorts any number of records by their keys in the same memory: in memory as
// long as they fit, else in encrypted temporary files. Records of equal keys keep no
// order; keys should differ.
type sorter struct {
	dir     string
	limit   int // of memory; 0 is runBytes
	arena   []byte
	entries []entry
	runs    []*privatefile.Spool
}

// entry is a record in the arena: key, then value.
type entry struct{ start, value, end int }

func (s *sorter) add(key, value []byte) error {
	limit := cmp.Or(s.limit, runBytes)
	if len(s.arena)+len(key)+len(value) > limit && len(s.entries) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	start := len(s.arena)
	s.arena = append(append(s.arena, key...), value...)
	s.entries = append(s.entries, entry{start, start + len(key), len(s.arena)})
	return nil
}

func (s *sorter) sortArena() {
	slices.SortFunc(s.entries, func(a, b entry) int {
		return bytes.Compare(s.arena[a.start:a.value], s.arena[b.start:b.value])
	})
}

// spill makes what is in memory a run of its own.
func (s *sorter) spill() error {
	s.sortArena()
	run := &privatefile.Spool{Dir: s.dir, Memory: -1}
	s.runs = append(s.runs, run)
	var record []byte
	for _, e := range s.entries {
		record = pack(record[:0], s.arena[e.start:e.value], s.arena[e.value:e.end])
		if err := run.Add(0, record); err != nil {
			return err
		}
	}
	s.arena, s.entries = s.arena[:0], s.entries[:0]
	if len(s.runs) < maxRuns {
		return nil
	}
	all := &privatefile.Spool{Dir: s.dir, Memory: -1}
	err := merge(s.runs, func(key, value []byte) error {
		record = pack(record[:0], key, value)
		return all.Add(0, record)
	})
	for _, r := range s.runs {
		err = errors.Join(err, r.Close())
	}
	s.runs = append(s.runs[:0], all)
	return err
}

// each gives all back in order, once, after the last add. Key and value are only valid
// during the call.
func (s *sorter) each(do func(key, value []byte) error) error {
	if len(s.runs) == 0 {
		s.sortArena()
		for _, e := range s.entries {
			if err := do(s.arena[e.start:e.value], s.arena[e.value:e.end]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.arena, s.entries = nil, nil
	return merge(s.runs, do)
}

// close removes what is temporary.
func (s *sorter) close() (err error) {
	for _, run := range s.runs {
		err = errors.Join(err, run.Close())
	}
	s.arena, s.entries, s.runs = nil, nil, nil
	return err
}

func pack(out, key, value []byte) []byte {
	out = binary.AppendUvarint(out, uint64(len(key)))
	return append(append(out, key...), value...)
}

func unpack(record []byte) (key, value []byte) {
	size, n := binary.Uvarint(record)
	return record[n : n+int(size)], record[n+int(size):] //nolint:gosec // pack wrote it
}

// merge gives the records of sorted runs in order.
func merge(runs []*privatefile.Spool, do func(key, value []byte) error) error {
	var fronts fronts
	for _, run := range runs {
		f := &front{run: run}
		if more, err := f.next(); err != nil {
			return err
		} else if more {
			fronts = append(fronts, f)
		}
	}
	heap.Init(&fronts)
	for len(fronts) > 0 {
		first := fronts[0]
		if err := do(first.key, first.value); err != nil {
			return err
		}
		more, err := first.next()
		switch {
		case err != nil:
			return err
		case more:
			heap.Fix(&fronts, 0)
		default:
			heap.Pop(&fronts)
		}
	}
	return nil
}

// front is the next record of a run.
type front struct {
	run        *privatefile.Spool
	key, value []byte
}

func (f *front) next() (bool, error) {
	_, record, err := f.run.Next()
	if err == io.EOF { //nolint:errorlint // Next's own
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.key, f.value = unpack(record)
	return true, nil
}

type fronts []*front

func (f fronts) Len() int           { return len(f) }
func (f fronts) Less(i, j int) bool { return bytes.Compare(f[i].key, f[j].key) < 0 }
func (f fronts) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *fronts) Push(x any)        { *f = append(*f, x.(*front)) } //nolint:forcetypeassert // heap's own
func (f *fronts) Pop() any {
	last := len(*f) - 1
	x := (*f)[last]
	*f = (*f)[:last]
	return x
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package session

import (
	"fmt"
	"slices"
	"sync"
)

// Stakes are what the records of one run stand for, by subject: nobody is the subject of two
// of a kind, and none gives back whom another one holds. Terraform plans in any order, and an
// apply sees only what changes, so that a plan decides: of two blocks the one that is planned
// later sees the other, whatever the other's plan does.
type Stakes struct {
	mu    sync.Mutex
	of    map[Subject]map[string]*stake // by record
	left  map[Subject]bool
	given map[Subject]bool
	lots  int
}

// Subject is somebody or something under the one key that it has in a run.
type Subject struct{ kind, key string }

// Subject is that of an id, or of the pseudonym that stands for it.
func (s *Session) Subject(kind, id string) Subject { return Subject{kind, s.Pseudonyms.Key(id)} }

// Stake is what a record wants of a subject.
type Stake struct {
	// Holder names the record; see [Stakes.Lot].
	Holder string
	// Type is the resource type.
	Type string
	// Restricts: it is a restriction, and no deletion.
	Restricts bool
	// Begins: the record is new to the state, or the subject to the record.
	Begins bool
	// Owns: the restriction in force is the record's own.
	Owns bool
	// Final: nothing that it did can be taken back. Gone: nor can the subject ever be there
	// again, by Stream's answer to its call.
	Final, Gone bool
}

// Back is what a destroy gives back.
type Back int

// What there is to give back.
const (
	Nothing Back = iota
	Restriction
	Deletion
)

type stake struct {
	Stake
	stands, goes, written bool
	back                  Back
}

// Lot is a name for a record that has none yet.
func (s *Stakes) Lot() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lots++
	return fmt.Sprint("new ", s.lots)
}

func (s *Stakes) get(who Subject, has Stake) *stake {
	if s.of == nil {
		s.of = map[Subject]map[string]*stake{}
	}
	one := s.of[who][has.Holder]
	if one == nil {
		one = &stake{}
		s.of[who] = with(s.of[who], has.Holder, one)
	}
	one.Stake = has
	return one
}

// See notes a record that is in state; whether its block stays, a plan says.
func (s *Stakes) See(who Subject, has Stake) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.get(who, has)
}

// Clash is why a block cannot stand beside another one of the run.
type Clash struct {
	// Twice: both are of a kind, and one of them is new.
	Twice bool
	// TakenBy is the type of a block whose destroy gives the subject back and was planned
	// before this one was seen; "" where there is none.
	TakenBy string
}

// Stand notes a block that is planned to stay.
func (s *Stakes) Stand(who Subject, has Stake) (clash Clash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.get(who, has)
	own.stands = true
	for _, other := range s.of[who] {
		switch {
		case other == own:
		case other.stands && other.Restricts == has.Restricts && (other.Begins || has.Begins):
			clash.Twice = true
		case other.back == Restriction && !has.Final, other.back == Deletion && !has.Restricts && !has.Final:
			clash.TakenBy = other.Type
		}
	}
	return clash
}

// Wrote notes a record that an apply has stored.
func (s *Stakes) Wrote(who Subject, has Stake) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.get(who, has).written = true
}

// Go notes a record that is planned to let go of a subject, and what that gives back.
func (s *Stakes) Go(who Subject, has Stake, back Back) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.get(who, has)
	one.stands, one.goes, one.back = false, true, back
}

// Holders are the types of the other records that stand for a subject, each once; of
// deletions alone where deletions is set.
func (s *Stakes) Holders(who Subject, holder string, deletions bool) []string {
	return s.others(who, holder, func(o *stake) bool { return o.stands && !(deletions && o.Restricts) })
}

// Keepers are the types of the other records that are about a subject and not known to go; of
// deletions alone where deletions is set.
func (s *Stakes) Keepers(who Subject, holder string, deletions bool) []string {
	return s.others(who, holder, func(o *stake) bool { return !o.goes && !(deletions && o.Restricts) })
}

// Beside are the types of the other records in state that are about a subject, as far as
// their blocks are not known to go; open: without those that are final.
func (s *Stakes) Beside(who Subject, holder string, open bool) []string {
	return s.others(who, holder, func(o *stake) bool { return !o.goes && !(open && o.Final) })
}

func (s *Stakes) others(who Subject, holder string, which func(*stake) bool) (types []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, other := range s.of[who] {
		if name != holder && which(other) && !slices.Contains(types, other.Type) {
			types = append(types, other.Type)
		}
	}
	slices.Sort(types)
	return types
}

// Alone reports that the run has seen no other record of a subject at all: an apply plans the
// destruction of what create_before_destroy has left once more, and sees nothing but that.
func (s *Stakes) Alone(who Subject, holder string) bool {
	return len(s.others(who, holder, func(*stake) bool { return true })) == 0
}

// Unowned reports that an apply has stored another record which takes the restriction of
// somebody for a stranger's, and none whose own it is.
func (s *Stakes) Unowned(who Subject, holder string) bool {
	return len(s.others(who, holder, func(o *stake) bool { return o.written && !o.Owns })) > 0 && !s.Owned(who, holder)
}

// Owned reports that the restriction of somebody is another record's own.
func (s *Stakes) Owned(who Subject, holder string) bool {
	return len(s.others(who, holder, func(o *stake) bool { return o.Owns })) > 0
}

// Gone reports that a record says of a subject that it can never be there again.
func (s *Stakes) Gone(who Subject) bool {
	return len(s.others(who, "", func(o *stake) bool { return o.Gone })) > 0
}

// Leave notes that a record is dropped which owned a restriction that stays in force, for
// another record of the run to own it.
func (s *Stakes) Leave(who Subject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = with(s.left, who, true)
}

// Inherit reports that a restriction was left, to the first that asks.
func (s *Stakes) Inherit(who Subject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.left[who]
	delete(s.left, who)
	return left
}

// Give notes that this run gives a subject back, and reports that nothing of it did before.
func (s *Stakes) Give(who Subject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.given[who]
	s.given = with(s.given, who, true)
	return first
}

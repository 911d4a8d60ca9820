// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Story is what happens to a small world. People, rooms and blocks are numbers and names
// that always mean somebody, and a step that means nothing in its place is skipped, so
// that every part of a story is a story.
type Story struct {
	World  World
	Guards Guards
	Steps  []Step
}

// World is what Stream holds at first.
type World struct {
	People int
	// Crowd is how many more there are, numbered from 1000 on, and of no account but that a
	// batch of them takes several calls.
	Crowd int
	// Held have the hold field, Admins and Leavers a role.
	Held, Admins, Leavers []int
	Rooms                 []Room
}

// Room is a channel: its members, and the author of each message.
type Room struct{ Members, By []int }

// Guards are those of the provider block.
type Guards struct {
	Protect     []int
	Hold, Roles bool
	// Unknown is allow_unknown_subjects.
	Unknown bool
}

// Any reports that there is a guard.
func (g Guards) Any() bool { return g.Hold || g.Roles || len(g.Protect) > 0 }

// Step is one thing that happens: the fields that are set, in their order.
type Step struct {
	Set          *Block
	Drop         string    // takes a block out
	Remove       string    // the same with a removed block: the record is only forgotten
	Rename, Move [2]string // without and with a moved block
	Taint        string
	Event        *Event
	Wait         bool // the grace period is over
	Guards       *Guards
	Run          *Run
}

// Block is a resource block. A name is unique among its kind.
type Block struct {
	Kind Kind
	Name string
	// Who are people, rooms or, for a message, a room and its message.
	Who []int
	// Veiled: by the write-only argument. Query: by a data source that is read in each plan.
	Veiled, Query bool
	// Crowd: and the crowd.
	Crowd bool
	// Mode is that of the user, Messages and Conversations of what is theirs.
	Mode, Messages, Conversations string
	KeepFiles, Hard               bool
	Grace, Undo                   bool
	Restore, Forget, Record       bool // on_destroy, on_missing
	Mark, Revoke, Drop, First     bool // First: create_before_destroy
	Heir                          []int
	Label                         string
	// Expect is expected_wo: "right" or "wrong". Since: whoever was active is refused.
	Expect string
	Since  bool
	Hours  int
	// Exports is the export that an erasure waits for, After any block.
	Exports, After string
	// Late: who it is about is not known in the plan. Keep is OpenTofu's destroy = false.
	Late, Keep bool
	// Import is an import block beside it, Alias the second provider block.
	Import, Alias bool
}

// Kind is a resource.
type Kind string

// The ten resources.
const (
	Erase       Kind = "user_erasure"
	EraseAll    Kind = "user_erasure_batch"
	EraseRoom   Kind = "channel_erasure"
	EraseRooms  Kind = "channel_erasure_batch"
	EraseSlip   Kind = "message_erasure"
	Truncate    Kind = "channel_truncation"
	Restrict    Kind = "user_deactivation"
	Export      Kind = "user_export"
	ExportRooms Kind = "channel_export"
	Policy      Kind = "retention_policy"
)

var kinds = []Kind{Erase, EraseAll, EraseRoom, EraseRooms, EraseSlip, Truncate, Restrict, Export, ExportRooms, Policy}

func (b *Block) address() string { return "streamchat_" + string(b.Kind) + "." + b.Name }

// Event is what somebody else does at Stream.
type Event struct {
	What string
	Who  int
	Room int
}

// What others do.
const (
	softly     = "deletes softly"
	pruning    = "prunes"
	finally    = "deletes for good"
	restores   = "restores"
	deactivate = "deactivates"
	reactivate = "reactivates"
	holds      = "puts on hold"
	frees      = "ends the hold"
	promotes   = "makes an admin"
	speaks     = "speaks"
	connects   = "connects"
	renames    = "gets another name"
	joins      = "joins"
	leaves     = "leaves"
	closes     = "deletes the room"
	forgets    = "forgets all tasks"
)

var events = []string{softly, softly, pruning, finally, restores, deactivate, reactivate, reactivate, holds, frees, promotes, connects, connects, renames, speaks, joins, leaves, closes, forgets}

// Run is a plan and its apply.
type Run struct {
	Replace string
	// Only is -target.
	Only string
	// Between happens when the plan is made. Shift is how far the write-only values point
	// to others by then, Guards what the provider block says by then.
	Between *Event
	Shift   int
	Guards  *Guards
	// Fault strikes the apply. At the At-th request like Call of the apply, During happens
	// or the apply is cut: "interrupt" or "kill".
	Fault  *Fault
	Call   string
	At     int
	During *Event
	Cut    string
}

// calm reports that nobody interferes from the plan on.
func (r *Run) calm() bool {
	return r.Between == nil && r.During == nil && r.Shift == 0 && r.Guards == nil && r.Fault == nil && r.Cut == ""
}

// Fault is one of the emulator's.
type Fault struct {
	Kind, Op string
	Times    int
}

// tell writes a line of what happens in a story.
func tell(b *strings.Builder, format string, args ...any) {
	fmt.Fprintf(b, "  "+format+"\n", args...)
}

// Case is a shrunk story.
type Case struct {
	Name string
	// Fault is what is wrong, as long as it is; Shows are its signs.
	Fault string
	Shows []string
	// Races: it shows now and then, so that a run without it proves nothing.
	Races bool
	Story Story
}

func clone(s Story) (copied Story) {
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, &copied)
	}
	if err != nil {
		panic(err)
	}
	return copied
}

// String is the story as Go, for the table of cases.
func (s Story) String() string { return literal(reflect.ValueOf(s), true) }

func literal(v reflect.Value, named bool) string {
	name := ""
	if named && v.Kind() != reflect.Pointer {
		name = strings.ReplaceAll(v.Type().String(), "crossing.", "")
	}
	switch v.Kind() {
	case reflect.Pointer:
		return "&" + literal(v.Elem(), true)
	case reflect.Struct:
		var fields []string
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() && !(f.Kind() == reflect.Slice && f.Len() == 0) {
				fields = append(fields, v.Type().Field(i).Name+": "+literal(f, true))
			}
		}
		return name + "{" + strings.Join(fields, ", ") + "}"
	case reflect.Slice, reflect.Array:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = literal(v.Index(i), false)
		}
		between, end := ", ", ""
		if v.Type().Elem() == reflect.TypeFor[Step]() {
			between, end = ",\n\t", ",\n"
			if len(parts) > 0 {
				parts[0] = "\n\t" + parts[0]
			}
		}
		return name + "{" + strings.Join(parts, between) + end + "}"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	default:
		return fmt.Sprint(v.Interface())
	}
}

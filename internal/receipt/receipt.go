// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package receipt keeps the receipts of records in a directory of the operator's, so that
// the evidence does not depend on the state: a file for each record, replaced whenever the
// record changes, and kept when the record is dropped.
//
// A record is named by lot, once, in its receipt (record_id). Whatever could be derived
// instead changes while the record lives (the request, the address, the list of a batch),
// is shared by two records (the subject, the app, the call), or tells who somebody is.
package receipt

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// An Ending is the field of a receipt that says when and how its record ended.
type Ending string

// The endings of a record that leaves the state.
const (
	Forgotten   Ending = "forgotten_at"   // nothing else happened
	Restored    Ending = "restored_at"    // with what can be brought back
	Reactivated Ending = "reactivated_at" // with the restriction
	Removed     Ending = "removed_at"     // with the setting
)

// ended are the words for how a record stood that no longer stands: whoever counts an archive
// by status must not find what is called off among what is to come.
var ended = map[Ending]map[string]string{
	Forgotten:   {"scheduled": "undone"},
	Restored:    {"completed": "undone"},
	Reactivated: {"scheduled": "undone", "deactivated": "undone"},
	Removed:     {"enabled": "removed"},
}

// Dir is a directory of receipts; nil where the operator wants none. One process at a time
// writes a receipt, as Terraform's lock on the state sees to.
type Dir struct {
	path string

	mu      sync.Mutex
	written map[string]bool // names of files that this process has written for records that live
}

// NewDir is the directory at a path; nil for "".
func NewDir(path string) *Dir {
	if path == "" {
		return nil
	}
	return &Dir{path: path, written: map[string]bool{}}
}

// NewID names a record that has no name yet.
func NewID() string { return strings.ToLower(rand.Text()) }

var (
	validID   = regexp.MustCompile(`^[a-z2-7]{26}$`)
	validType = regexp.MustCompile(`^streamchat_[a-z_]{1,64}$`)
)

// head is what a file is named by.
type head struct {
	Record string `json:"record"`
	ID     string `json:"record_id"`
}

// ID is the name of the record in its receipt; "" where it has none.
func ID(document string) string {
	var h head
	if json.Unmarshal([]byte(document), &h) != nil || !validID.MatchString(h.ID) {
		return ""
	}
	return h.ID
}

// Check makes sure that a receipt could be written.
func (d *Dir) Check(ctx context.Context) error {
	if d == nil {
		return nil
	}
	file, err := privatefile.Begin(ctx, privatefile.Target{Path: filepath.Join(d.path, "receipt.json"), Overwrite: true}, nil)
	if err != nil {
		return err
	}
	return file.Abort()
}

// Write replaces the receipt of a record that lives.
func (d *Dir) Write(ctx context.Context, document string) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	name, err := d.write(ctx, document)
	d.written[name] = true
	return err
}

// End replaces the receipt of a record that is dropped by its last one, which says how it
// ended. Where the record lives on in another resource, which has written it in this
// process, that one's receipt stays.
func (d *Dir) End(ctx context.Context, document string, how Ending, at time.Time) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if name, err := fileName(document); err == nil && d.written[name] {
		return nil
	}
	last, err := with(document, last(document, how, at))
	if err == nil {
		_, err = d.write(ctx, last)
	}
	return err
}

// last are the fields of a last receipt. A scheduled record that is only forgotten gives
// nobody their access back.
func last(document string, how Ending, at time.Time) map[string]any {
	fields := map[string]any{string(how): at.UTC().Format(time.RFC3339Nano)}
	var h struct{ Status string }
	_ = json.Unmarshal([]byte(document), &h) // what cannot be read has no name either
	if word, ok := ended[how][h.Status]; ok {
		fields["status"] = word
		if how == Forgotten {
			fields["access_still_blocked"] = true
		}
	}
	return fields
}

func (d *Dir) write(ctx context.Context, document string) (name string, err error) {
	if ID(document) == "" { // of a version that did not name records: its file is never replaced
		if document, err = with(document, map[string]any{"record_id": NewID()}); err != nil {
			return "", err
		}
	}
	if name, err = fileName(document); err != nil {
		return "", err
	}
	file, err := privatefile.Begin(ctx, privatefile.Target{Path: filepath.Join(d.path, name), Overwrite: true}, nil)
	if err != nil {
		return name, err
	}
	_, err = file.WriteString(document)
	if err == nil {
		_, err = file.Commit()
	}
	if abortErr := file.Abort(); err == nil {
		err = abortErr
	}
	return name, err
}

var errNoReceipt = errors.New("the record's receipt is not one")

// fileName says what a receipt is of and which record it is, and nothing of anybody.
func fileName(document string) (string, error) {
	var h head
	if json.Unmarshal([]byte(document), &h) != nil || !validID.MatchString(h.ID) || !validType.MatchString(h.Record) {
		return "", errNoReceipt // its words would quote the receipt
	}
	return fmt.Sprintf("%s-%s.json", strings.TrimPrefix(h.Record, "streamchat_"), h.ID), nil
}

// with sets fields of a receipt.
func with(document string, more map[string]any) (string, error) {
	fields := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(document), &fields) != nil {
		return "", errNoReceipt
	}
	for field, value := range more {
		fields[field], _ = json.Marshal(value) // a text or a bool
	}
	return erasure.Canonical(fields), nil
}

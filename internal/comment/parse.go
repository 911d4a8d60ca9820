// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
)

// more is what tfjson leaves out.
type more struct {
	Errored  bool
	Values   json.RawMessage // a state's
	Deferred []struct {
		Invocation *struct{ Type, Address string } `json:"action_invocation"`
	} `json:"deferred_action_invocations"`
}

// parse reads a plan, and refuses what is none: whatever is skipped here would pass for a plan
// that does nothing.
func parse(raw []byte) (*tfjson.Plan, more, error) {
	var shown tfjson.Plan
	var more more
	if err := unambiguous(raw); err != nil {
		return nil, more, err
	}
	if err := shown.UnmarshalJSON(raw); err != nil {
		return nil, more, err
	}
	if err := json.Unmarshal(raw, &more); err != nil {
		return nil, more, err
	}
	if more.Values != nil {
		return nil, more, errors.New("this is a state")
	}
	if _, err := time.Parse(time.RFC3339, shown.Timestamp); err != nil {
		return nil, more, errors.New("it does not say when it was made")
	}
	for i, rc := range shown.ResourceChanges {
		if rc == nil || rc.Change == nil || !known(rc) {
			return nil, more, fmt.Errorf("resource_changes[%d] is none", i)
		}
	}
	for i, action := range shown.ActionInvocations {
		if action == nil || action.Address == "" || action.Type == "" {
			return nil, more, fmt.Errorf("action_invocations[%d] is none", i)
		}
	}
	for i, deferred := range shown.DeferredChanges {
		if deferred == nil || deferred.ResourceChange == nil {
			return nil, more, fmt.Errorf("deferred_changes[%d] is none", i)
		}
	}
	for i, deferred := range more.Deferred {
		if deferred.Invocation == nil {
			return nil, more, fmt.Errorf("deferred_action_invocations[%d] is none", i)
		}
	}
	return &shown, more, nil
}

// known reports that a change says of what it is, and what is done in words that are known.
func known(rc *tfjson.ResourceChange) bool {
	words := []tfjson.Action{tfjson.ActionNoop, tfjson.ActionCreate, tfjson.ActionRead, tfjson.ActionUpdate, tfjson.ActionDelete, tfjson.ActionForget}
	return rc.Address != "" && rc.Type != "" && (rc.Mode == tfjson.ManagedResourceMode || rc.Mode == tfjson.DataResourceMode) && len(rc.Change.Actions) > 0 &&
		!slices.ContainsFunc(rc.Change.Actions, func(a tfjson.Action) bool { return !slices.Contains(words, a) })
}

// free are the objects whose names are not the CLI's own.
var free = []string{
	"after", "after_sensitive", "after_unknown", "before", "before_sensitive", "checks", "config_sensitive", "config_unknown", "config_values", "configuration",
	"identity", "output_changes", "planned_values", "prior_state", "variables",
}

// unambiguous refuses an object with a name twice, of which each reader takes another, and names
// of the CLI's that are not as it writes them: Go's reader does not mind their case.
func unambiguous(raw []byte) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	if err := value(in, false); err != nil {
		return err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

var own = regexp.MustCompile(`^[a-z0-9_]+$`)

func value(in *json.Decoder, chosen bool) error {
	token, err := in.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		for in.More() {
			if err := value(in, chosen); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		names := map[string]bool{}
		for in.More() {
			token, err := in.Token()
			if err != nil {
				return err
			}
			name, _ := token.(string)
			if names[name] || !chosen && !own.MatchString(name) {
				return errors.New("an object has a name twice, or one that no CLI writes")
			}
			names[name] = true
			if err := value(in, chosen || slices.Contains(free, name)); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = in.Token() // the end
	return err
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
)

// ParseRecipients reads age public keys: age1… (X25519) or age1pq1…
// (post-quantum, MLKEM768-X25519), not both kinds in one file, since one
// classic key would undo the post-quantum ones. Keys that need a plugin, tagged
// keys and SSH keys are refused, and so is an empty list: whoever asks for
// encryption does not mean a clear file. Leave the call out when no recipients
// are configured. Errors name a key by its index from 0, never by its value.
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	if len(keys) == 0 {
		return nil, errors.New("the list of age recipients is empty")
	}
	recipients := make([]age.Recipient, len(keys))
	hybrid := 0
	for i, key := range keys {
		r, err := parseRecipient(key)
		if err != nil {
			return nil, fmt.Errorf("age recipient %d %w", i, err)
		}
		if _, ok := r.(*age.HybridRecipient); ok {
			hybrid++
		}
		if hybrid != 0 && hybrid != i+1 {
			return nil, fmt.Errorf("age recipient %d is not of the same kind as those before it: "+
				"post-quantum (age1pq1…) and X25519 (age1…) recipients cannot share a file", i)
		}
		recipients[i] = r
	}
	return recipients, nil
}

// parseRecipient reads one key. age's own errors quote it, so none is passed on.
func parseRecipient(key string) (age.Recipient, error) {
	// In Bech32 the kind of key stands before the last "1".
	kind := key[:max(0, strings.LastIndexByte(key, '1'))]
	var r age.Recipient
	var err error
	switch {
	case key == "":
		return nil, errors.New("is empty")
	case key != strings.TrimSpace(key):
		return nil, errors.New("has white space around it")
	case strings.HasPrefix(strings.ToUpper(key), "AGE-SECRET-KEY-"), strings.HasPrefix(strings.ToUpper(key), "AGE-PLUGIN-"):
		return nil, errors.New("is a secret key: give the public key (age1…), and replace this one, as it may have been recorded")
	case strings.HasPrefix(key, "ssh-"):
		return nil, errors.New("is an SSH key: only age1… and age1pq1… are supported")
	case kind == "age1pq":
		r, err = age.ParseHybridRecipient(key)
	case kind == "age":
		r, err = age.ParseX25519Recipient(key)
	case strings.HasPrefix(kind, "age1"):
		return nil, errors.New("needs an age plugin or is a tagged key: only age1… (X25519) and age1pq1… are supported, " +
			"and no program is ever run")
	default:
		return nil, errors.New("is no age public key (age1… or age1pq1…)")
	}
	if err != nil {
		return nil, errors.New("is not valid: mistyped or cut off?")
	}
	return r, nil
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"strings"
	"testing"

	"filippo.io/age"
)

func newX25519(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func newHybrid(t testing.TB) *age.HybridIdentity {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestParseRecipients(t *testing.T) {
	classic, hybrid := newX25519(t).Recipient().String(), newHybrid(t).Recipient().String()
	for name, keys := range map[string][]string{
		"classic":  {classic},
		"classics": {classic, newX25519(t).Recipient().String(), classic},
		"hybrid":   {hybrid},
		"hybrids":  {hybrid, newHybrid(t).Recipient().String()},
	} {
		recipients, err := ParseRecipients(keys)
		if err != nil || len(recipients) != len(keys) {
			t.Errorf("%s: %d recipients, %v", name, len(recipients), err)
		}
	}
}

func TestParseRecipientsErrors(t *testing.T) {
	classic, hybrid := newX25519(t), newHybrid(t)
	good, pq := classic.Recipient().String(), hybrid.Recipient().String()
	for name, test := range map[string]struct {
		keys []string
		want string
	}{
		"nil":              {nil, "the list of age recipients is empty"},
		"empty list":       {[]string{}, "the list of age recipients is empty"},
		"empty":            {[]string{good, ""}, "age recipient 1 is empty"},
		"newline":          {[]string{good + "\n"}, "age recipient 0 has white space around it"},
		"mistyped":         {[]string{good, good[:20] + "b" + good[21:]}, "age recipient 1 is not valid: mistyped or cut off?"},
		"cut":              {[]string{good[:len(good)-1]}, "age recipient 0 is not valid: mistyped or cut off?"},
		"post-quantum cut": {[]string{pq[:len(pq)-1]}, "age recipient 0 is not valid: mistyped or cut off?"},
		"upper case":       {[]string{strings.ToUpper(good)}, "age recipient 0 is no age public key"},
		"secret":           {[]string{classic.String()}, "age recipient 0 is a secret key: "},
		"secret lower":     {[]string{strings.ToLower(classic.String())}, "age recipient 0 is a secret key: "},
		"secret hybrid":    {[]string{good, hybrid.String()}, "age recipient 1 is a secret key: "},
		"secret plugin":    {[]string{"AGE-PLUGIN-YUBIKEY-1QQPCANARY"}, "age recipient 0 is a secret key: "},
		"plugin": {[]string{"age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt"},
			"age recipient 0 needs an age plugin or is a tagged key: "},
		"tagged": {[]string{"age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e"},
			"age recipient 0 needs an age plugin or is a tagged key: "},
		"SSH":             {[]string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5canary a@b"}, "age recipient 0 is an SSH key: "},
		"other":           {[]string{"canary"}, "age recipient 0 is no age public key"},
		"mixed":           {[]string{good, pq}, "age recipient 1 is not of the same kind"},
		"mixed otherwise": {[]string{pq, pq, good}, "age recipient 2 is not of the same kind"},
	} {
		t.Run(name, func(t *testing.T) {
			recipients, err := ParseRecipients(test.keys)
			if err == nil || recipients != nil {
				t.Fatalf("%d recipients, %v", len(recipients), err)
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %q, want %q", err, test.want)
			}
			for _, key := range test.keys {
				if key != "" && strings.Contains(err.Error(), key) {
					t.Errorf("the error quotes the key: %q", err)
				}
			}
		})
	}
}

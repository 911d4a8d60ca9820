// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Receipts writes the receipts of a state, as "show -json" prints it, into a directory:
// also after a run that ended red, when no output has them. It returns their number; one that
// is no receipt does not keep back the others.
func Receipts(state io.Reader, dir string) (int, error) {
	raw, err := io.ReadAll(state)
	if err != nil {
		return 0, err
	}
	var s tfjson.State
	if err := s.UnmarshalJSON(raw); err != nil {
		return 0, fmt.Errorf("state: %w", err)
	}
	if s.Values == nil {
		return 0, nil
	}
	return writeReceipts(s.Values.RootModule, dir)
}

func writeReceipts(m *tfjson.StateModule, dir string) (n int, err error) {
	if m == nil {
		return 0, nil
	}
	for _, r := range m.Resources {
		receipt, _ := r.AttributeValues["receipt"].(string)
		if receipt == "" || !strings.HasPrefix(r.Type, prefix) {
			continue
		}
		request, _ := r.AttributeValues["request_id"].(string)
		name := fileName(request, r.Address)
		if !json.Valid([]byte(receipt)) {
			err = errors.Join(err, fmt.Errorf("%s is not written: the receipt in the state is no JSON", name))
			continue
		}
		if failure := replace(dir, name, receipt+"\n"); failure != nil {
			return n, errors.Join(err, failure)
		}
		n++
	}
	for _, child := range m.ChildModules {
		more, failure := writeReceipts(child, dir)
		n, err = n+more, errors.Join(err, failure)
	}
	return n, err
}

// replace puts a file in the place of what has its name, be it a link: nothing is written
// where a link leads.
func replace(dir, name, content string) error {
	file, err := os.CreateTemp(dir, ".receipt-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// fileName is of the request, which a person looks for, and of the address, which makes
// it one record's own. An address may have an id in it, so only its hash is shown.
func fileName(request, address string) string {
	sum := sha256.Sum256([]byte(address))
	return strings.Trim(clip(unfit.ReplaceAllString(request, "-"), 64)+"-"+hex.EncodeToString(sum[:6]), "-…") + ".json"
}

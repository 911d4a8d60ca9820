// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Receipts writes the receipts of a state, as "show -json" prints it, into a directory:
// also after a run that ended red, when no output has them. It returns their number.
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
		if err := os.WriteFile(filepath.Join(dir, fileName(request, r.Address)), []byte(receipt+"\n"), 0o600); err != nil {
			return n, err
		}
		n++
	}
	for _, child := range m.ChildModules {
		more, err := writeReceipts(child, dir)
		n += more
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// fileName is of the request, which a person looks for, and of the address, which makes
// it one record's own. An address may have an id in it, so only its hash is shown.
func fileName(request, address string) string {
	sum := sha256.Sum256([]byte(address))
	return strings.Trim(clip(unfit.ReplaceAllString(request, "-"), 64)+"-"+hex.EncodeToString(sum[:6]), "-…") + ".json"
}

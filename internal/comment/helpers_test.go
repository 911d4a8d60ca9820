// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
)

func reader(content []byte) io.Reader {
	if content == nil {
		return nil
	}
	return bytes.NewReader(content)
}

func read(t *testing.T, plan, log []byte) *comment.Plan {
	t.Helper()
	p, err := comment.Read(reader(plan), reader(log))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// plan is a saved plan as the CLIs show it, of changes that a test makes up.
func plan(t *testing.T, changes ...any) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"format_version": "1.2", "terraform_version": "1.11.4", "timestamp": "2026-01-01T00:00:00Z", "complete": true, "resource_changes": append([]any{}, changes...)})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func change(address, action string, before, after map[string]any) map[string]any {
	at := max(0, strings.Index(address, "streamchat_"))
	typeName, _, _ := strings.Cut(address[at:], ".")
	body := map[string]any{"actions": []string{action}, "before": before, "after": after, "after_unknown": map[string]any{}}
	return map[string]any{"address": address, "mode": "managed", "type": typeName, "name": "x", "change": body}
}

func erasures(n int) []any {
	acts := make([]any, n)
	for i := range acts {
		request := fmt.Sprintf("DSR-%04d", i)
		acts[i] = change(`streamchat_user_erasure.dsr["`+request+`"]`, "create", nil, map[string]any{
			"user_id": fmt.Sprintf("member-%d", i), "request_id": request, "app_name": "Acme", "irreversible": true, "labels": map[string]any{"legal_basis": "Art. 17(1)(b)"},
			"delete": map[string]any{"user": "hard", "messages": "hard", "conversations": "hard", "files": true, "polls": true}, "not_covered": []string{"calls", "uploads"},
		})
	}
	return acts
}

func many(n int) []byte {
	var log strings.Builder
	for i := range n {
		log.WriteString(logged("warning", "Irreversible deletion", fmt.Sprintf("Subject: state present, role user, created 2021-05-%02d, last active 2025-07-%02d.\nWill be gone for good: the user.\n\nThis cannot be undone.", i%28+1, i%27+1),
			fmt.Sprintf(`streamchat_user_erasure.dsr["DSR-%04d"]`, i)))
	}
	return []byte(log.String())
}

func logged(severity, summary, detail, address string) string {
	raw, err := json.Marshal(map[string]any{"@level": "warn", "type": "diagnostic", "diagnostic": map[string]any{"severity": severity, "summary": summary, "detail": detail, "address": address}})
	if err != nil {
		panic(err)
	}
	return string(raw) + "\n"
}

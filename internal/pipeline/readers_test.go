// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package pipeline_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/comment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/function"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/provider"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
)

// Whoever reads what the provider writes knows each of its resources, and no other: a new one
// fails here, not before an auditor.
func TestReadersKnowEveryResource(t *testing.T) {
	t.Parallel()
	var resources []string
	for _, create := range provider.New("test", clock.Real{})().Resources(t.Context()) {
		var meta resource.MetadataResponse
		create().Metadata(t.Context(), resource.MetadataRequest{ProviderTypeName: "streamchat"}, &meta)
		resources = append(resources, meta.TypeName)
	}
	slices.Sort(resources)
	if got := comment.Kinds(); !slices.Equal(got, resources) {
		t.Errorf("the comment knows %v, the provider has %v: say in judge.go what they do", got, resources)
	}
	named := map[string]bool{}
	for _, found := range regexp.MustCompile(`"(streamchat_\w+)",?`).FindAllStringSubmatch(read(t, "../../policy/streamchat.rego"), -1) {
		named[found[1]] = true
	}
	if got, want := slices.Sorted(maps.Keys(named)), slices.Sorted(slices.Values(slices.Concat(resources, comment.Actions()))); !slices.Equal(got, want) {
		t.Errorf("the policy knows %v, the provider has %v", got, want)
	}
	dir := t.TempDir()
	archive := receipt.NewDir(dir)
	for _, name := range resources {
		document := `{"record":"` + name + `","status":"completed","attempts":[{"status":"completed"}]}`
		if _, err := function.Letter(document); err != nil {
			t.Errorf("receipt_text, %s: %v", name, err)
		}
		if err := archive.Write(t.Context(), document); err != nil {
			t.Errorf("receipts_dir, %s: %v", name, err)
		}
		if files, _ := filepath.Glob(filepath.Join(dir, strings.TrimPrefix(name, "streamchat_")+"-*.json")); len(files) != 1 {
			all, _ := os.ReadDir(dir)
			t.Errorf("receipts_dir, %s: %v", name, all)
		}
	}
	if _, err := function.Letter(`{"record":"streamchat_mystery","attempts":[{"status":"completed"}]}`); err == nil {
		t.Error("receipt_text tells of what it does not know")
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// A comment carries what it said of each act, hidden and short, so that the next one can
// tell what changed.
const memoryHead, memoryTail = "\n<!-- streamchat-acts:", " -->\n"

var memoryOf = regexp.MustCompile(`<!-- streamchat-acts:([A-Za-z0-9+/=]+) -->`)

// digests are what is known of each act, by its key.
func (p *Plan) digests() map[string]string {
	all := map[string]string{}
	for _, a := range p.acts {
		all[a.key] = digest(a.effect, a.count, a.facts, a.whole)
	}
	return all
}

func digest(of ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", of))
	return base64.RawStdEncoding.EncodeToString(sum[:6])
}

// keyOf tells acts apart whose addresses are shown alike, since ids in them are hidden.
func keyOf(shown, address string) string {
	if shown == address {
		return shown
	}
	return shown + "\x00" + digest(address)
}

// whole is all of a change but what the provider itself writes: whatever else differs, somebody
// changed.
func (c change) whole() string {
	strip := func(values map[string]any) map[string]any {
		kept := maps.Clone(values)
		maps.DeleteFunc(kept, func(name string, _ any) bool { return attributes[name] })
		return kept
	}
	results := map[string]bool{} // whose, whatever became of them
	for _, values := range []map[string]any{c.before, c.after, c.unknown} {
		of, _ := values["results"].(map[string]any)
		for key := range of {
			results[key] = true
		}
	}
	raw, _ := json.Marshal([]any{c.typeName, strip(c.before), strip(c.after), strip(c.unknown), results}) // was JSON
	return string(raw)
}

func (p *Plan) memory() string {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_ = json.NewEncoder(zip).Encode(p.digests()) // a buffer takes everything
	_ = zip.Close()
	return memoryHead + base64.StdEncoding.EncodeToString(packed.Bytes()) + memoryTail
}

// comparison is what changed since the last comment.
type comparison struct {
	known, unreadable      bool // there is a last comment; it says nothing of its acts
	fresh, changed, absent []string
}

func (p *Plan) compare(previous string) (c comparison) {
	if strings.TrimSpace(previous) == "" {
		return c
	}
	c.known = true
	before, err := remember(previous)
	if err != nil {
		c.unreadable = true
		return c
	}
	now := p.digests()
	for key, digest := range now {
		switch last, ok := before[key]; {
		case !ok:
			c.fresh = append(c.fresh, key)
		case last != digest:
			c.changed = append(c.changed, key)
		}
	}
	for key := range before {
		if _, ok := now[key]; !ok {
			c.absent = append(c.absent, key)
		}
	}
	slices.Sort(c.fresh)
	slices.Sort(c.changed)
	slices.Sort(c.absent)
	return c
}

func remember(previous string) (digests map[string]string, err error) {
	found := memoryOf.FindAllStringSubmatch(previous, -1)
	if len(found) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	packed, err := base64.StdEncoding.DecodeString(found[len(found)-1][1])
	if err != nil {
		return nil, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(zip, 16<<20))
	if err != nil {
		return nil, err
	}
	return digests, json.Unmarshal(raw, &digests)
}

func (c comparison) mark(a act) string {
	if _, ok := slices.BinarySearch(c.fresh, a.key); ok {
		return "**new** "
	}
	if _, ok := slices.BinarySearch(c.changed, a.key); ok {
		return "**changed** "
	}
	return ""
}

func (c comparison) write(b *strings.Builder) {
	switch {
	case !c.known:
		return
	case c.unreadable:
		b.WriteString("\nThe last comment does not tell what it was about, so nothing is compared.\n")
		return
	case len(c.fresh)+len(c.changed)+len(c.absent) == 0:
		b.WriteString("\nNothing has changed since the last comment.\n")
		return
	}
	b.WriteString("\nSince the last comment:\n\n")
	for _, part := range []struct {
		name string
		of   []string
	}{{"new", c.fresh}, {"changed", c.changed}, {"no longer there", c.absent}} {
		if len(part.of) == 0 {
			continue
		}
		quoted := make([]string, min(len(part.of), most))
		for i := range quoted {
			address, _, _ := strings.Cut(part.of[i], "\x00")
			quoted[i] = code(address)
		}
		more := ""
		if n := len(part.of) - len(quoted); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(b, "- %s: %d (%s%s)\n", part.name, len(part.of), strings.Join(quoted, ", "), more)
	}
}

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
	"regexp"
	"slices"
	"strings"
)

// A comment carries what it said of each act, hidden and short, so that the next one can
// tell what changed.
const memoryHead, memoryTail = "\n<!-- streamchat-acts:", " -->\n"

var memoryOf = regexp.MustCompile(`<!-- streamchat-acts:([A-Za-z0-9+/=]+) -->`)

func (p *Plan) digests() map[string]string {
	all := map[string]string{}
	for _, a := range p.acts {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q %d %q %q %q", a.effect, a.modes, a.request, a.app, a.count, a.facts, a.subjects, a.pseudonym))
		all[a.address] = base64.RawStdEncoding.EncodeToString(sum[:6])
	}
	return all
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
	for address, digest := range now {
		switch last, ok := before[address]; {
		case !ok:
			c.fresh = append(c.fresh, address)
		case last != digest:
			c.changed = append(c.changed, address)
		}
	}
	for address := range before {
		if _, ok := now[address]; !ok {
			c.absent = append(c.absent, address)
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
	if _, ok := slices.BinarySearch(c.fresh, a.address); ok {
		return "**new** "
	}
	if _, ok := slices.BinarySearch(c.changed, a.address); ok {
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
			quoted[i] = code(part.of[i])
		}
		more := ""
		if n := len(part.of) - len(quoted); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(b, "- %s: %d (%s%s)\n", part.name, len(part.of), strings.Join(quoted, ", "), more)
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// pageBytes is how much of messages goes on a page: with its frame it stays below
	// 2 MB.
	pageBytes = 1_000_000
	// fragmentBytes bounds one message on a page.
	fragmentBytes = 500_000
	// inlineBytes is how much goes on the first page instead of pages of its own.
	inlineBytes = 600_000
	// listed is how many conversations a page lists.
	listed = 1_000
)

//go:embed page.tmpl
var pageText string

//go:embed style.css
var style string

var templates = template.Must(template.New("").Parse(pageText))

// frame is what every page needs.
type frame struct {
	Title string
	Style template.CSS
	CSP   string
}

// framed makes the frame of a page that may show the archive's own pictures and
// recordings and nothing else, and runs nothing.
func framed(title string) frame {
	sum := sha256.Sum256([]byte(style))
	return frame{Title: title, Style: template.CSS(style), //nolint:gosec // it is embedded
		CSP: "default-src 'none'; img-src 'self' file:; media-src 'self' file:; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'"}
}

type pageView struct {
	frame
	Heading, With  string
	Previous, Next string
	Conversations  []conversationView
}

type conversationView struct {
	Href, Name, With, Count, Span string
	Pages                         []link
}

type link struct{ Href, Label string }

type indexView struct {
	frame
	App               string
	At                instant
	Summary           string
	Profile, Custom   []field
	Inline            bool
	Conversations     []conversationView
	MoreConversations []link
	Reactions         bool
	ReactionPages     []link
	Files             string
	Gaps              []Gap
	Maker             string
}

// section is what is shown together: a conversation, or the reactions (nil).
type pager struct {
	m    *maker
	base string // leads from a page to the archive's root

	inline bool
	kept   []kept // inline: to be shown anew when they become too many
	size   int

	of        *conversation // of the page
	reactions conversation
	body      bytes.Buffer
	day       string
	now       page
	n         int // messages so far
	previous  string
}

type kept struct {
	key, record []byte
	files       []filed
}

// pages writes the pages, the first one last.
func (m *maker) pages() error {
	p := &pager{m: m, inline: true, reactions: conversation{name: "Your reactions"}}
	err := m.each(p.take)
	if err == nil && !p.inline {
		err = p.flush(true)
	}
	if err != nil {
		return err
	}
	return m.index(p)
}

func (p *pager) take(key, record []byte, files []filed) error {
	if err := p.m.ctx.Err(); err != nil {
		return err
	}
	if p.inline {
		p.kept = append(p.kept, kept{bytes.Clone(key), bytes.Clone(record), files})
		// What it takes on a page is about as much again as in the JSON.
		if p.size += len(record) + 500; p.size <= inlineBytes {
			return nil
		}
		p.inline, p.base = false, "../"
		all := p.kept
		p.kept = nil
		for _, k := range all {
			if err := p.page(k.key, k.record, k.files); err != nil {
				return err
			}
		}
		return nil
	}
	return p.page(key, record, files)
}

// section finds what a record belongs to.
func (p *pager) section(key []byte) *conversation {
	if key[0] == 'r' {
		return &p.reactions
	}
	cid, _, _ := bytes.Cut(key[1:], []byte{0})
	return p.m.cids[string(cid)]
}

// page puts a record on a page of its conversation.
func (p *pager) page(key, record []byte, files []filed) error {
	c := p.section(key)
	if c != p.of {
		if err := p.flush(true); err != nil {
			return err
		}
		p.of, p.previous, p.day = c, "", ""
	}
	fragment, at, err := p.fragment(c, record, files)
	if err != nil {
		return err
	}
	if p.body.Len() > 0 && p.body.Len()+len(fragment) > pageBytes {
		if err := p.flush(false); err != nil {
			return err
		}
		p.day = ""
		if fragment, at, err = p.fragment(c, record, files); err != nil {
			return err
		}
	}
	p.body.Write(fragment)
	if p.now.messages == 0 {
		p.now.first = at
	}
	p.now.last = at
	p.now.messages++
	return nil
}

// fragment shows a record, after its day where that begins.
func (p *pager) fragment(c *conversation, record []byte, files []filed) ([]byte, time.Time, error) {
	var out bytes.Buffer
	object := gjson.ParseBytes(record)
	at := moment(object)
	var err error
	if c == &p.reactions {
		err = templates.ExecuteTemplate(&out, "reaction", reaction(object))
	} else {
		if day := (instant{at}).Day(); day != p.day && !at.IsZero() {
			p.day = day
			err = templates.ExecuteTemplate(&out, "day", map[string]string{"Date": at.UTC().Format(time.DateOnly), "Text": day})
		}
		p.n++
		before := out.Len()
		anchor := fmt.Sprintf("m%d", p.n)
		if err == nil {
			err = templates.ExecuteTemplate(&out, "message", p.m.message(object, files, p.base, anchor))
		}
		if err == nil && out.Len()-before > fragmentBytes {
			out.Truncate(before)
			short := messageView{Anchor: anchor, Time: &instant{at}, Notes: []string{"too large for a page: it is in export.json, id " + cut(object.Get("id").Str, 300)}}
			err = templates.ExecuteTemplate(&out, "message", short)
		}
	}
	return out.Bytes(), at, err
}

// flush writes the page that is full, or the last of its conversation.
func (p *pager) flush(last bool) error {
	if p.of == nil || p.body.Len() == 0 {
		return nil
	}
	c := p.of
	name := func(n int) string {
		if c == &p.reactions {
			return fmt.Sprintf("reactions-%04d.html", n)
		}
		return fmt.Sprintf("conversation-%05d-%04d.html", c.order, n)
	}
	p.now.file = name(len(c.pages) + 1)
	v := pageView{frame: framed(c.name), Heading: c.name, With: c.with, Previous: p.previous}
	if !last {
		v.Next = name(len(c.pages) + 2)
	}
	err := p.m.zip.deflated("pages/"+p.now.file, func(w io.Writer) error {
		if err := templates.ExecuteTemplate(w, "pagehead", v); err != nil {
			return err
		}
		before, after := "", ""
		if c == &p.reactions {
			before, after = `<ul class="plain">`, "</ul>"
		}
		for _, piece := range [][]byte{[]byte(before), p.body.Bytes(), []byte(after)} {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return templates.ExecuteTemplate(w, "pagefoot", v)
	})
	c.pages = append(c.pages, p.now)
	p.previous, p.now = p.now.file, page{}
	p.body.Reset()
	return err
}

// index writes the first page.
func (m *maker) index(p *pager) error {
	list := make([]*conversation, len(m.cids))
	for _, c := range m.cids {
		list[c.order-1] = c
	}
	v := indexView{
		frame: framed("Your data"), App: m.App, At: instant{m.At}, Summary: m.summary(), Inline: p.inline && len(m.cids) > 0,
		Reactions: m.result.Reactions > 0, ReactionPages: links(p.reactions.pages, "pages/"), Files: m.filesText(), Gaps: m.gaps(),
		Maker: "Made by terraform-provider-streamchat " + m.Version + ".",
	}
	v.Profile, v.Custom = profileView(gjson.ParseBytes(m.profile))
	for chunk := range slices.Chunk(list, listed) {
		views := make([]conversationView, 0, len(chunk))
		prefix := "pages/"
		if v.Conversations != nil {
			prefix = ""
		}
		for _, c := range chunk {
			views = append(views, conversationShown(c, prefix))
		}
		if v.Conversations == nil {
			v.Conversations = views
			continue
		}
		name := fmt.Sprintf("conversations-%04d.html", len(v.MoreConversations)+2)
		label := fmt.Sprintf("Conversations %d to %d", chunk[0].order, chunk[len(chunk)-1].order)
		v.MoreConversations = append(v.MoreConversations, link{"pages/" + name, label})
		more := pageView{frame: framed(label), Heading: label, Conversations: views}
		if err := m.zip.deflated("pages/"+name, func(w io.Writer) error { return templates.ExecuteTemplate(w, "list", more) }); err != nil {
			return err
		}
	}
	return m.zip.deflated("index.html", func(w io.Writer) error {
		if err := templates.ExecuteTemplate(w, "index", v); err != nil {
			return err
		}
		if p.inline {
			if err := p.writeInline(w, list); err != nil {
				return err
			}
		}
		return templates.ExecuteTemplate(w, "afterinline", v)
	})
}

// writeInline writes everything on the first page, the conversations in its order.
func (p *pager) writeInline(w io.Writer, list []*conversation) error {
	of := map[*conversation][]kept{}
	for _, k := range p.kept {
		c := p.section(k.key)
		of[c] = append(of[c], k)
	}
	write := func(c *conversation) error {
		p.day = ""
		for _, k := range of[c] {
			fragment, _, err := p.fragment(c, k.record, k.files)
			if err == nil {
				_, err = w.Write(fragment)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	text := func(s string) error { _, err := io.WriteString(w, s); return err }
	if len(list) > 0 {
		if err := text("<section aria-labelledby=\"messages\"><h2 id=\"messages\">Your messages</h2>\n"); err != nil {
			return err
		}
		for _, c := range list {
			if err := templates.ExecuteTemplate(w, "conversation", map[string]any{"Order": c.order, "Name": c.name, "With": c.with}); err != nil {
				return err
			}
			if err := write(c); err != nil {
				return err
			}
		}
		if err := text("</section>\n"); err != nil {
			return err
		}
	}
	if len(of[&p.reactions]) == 0 {
		return nil
	}
	if err := text("<section aria-labelledby=\"reactions\"><h2 id=\"reactions\">Your reactions</h2>\n<ul class=\"plain\">\n"); err != nil {
		return err
	}
	if err := write(&p.reactions); err != nil {
		return err
	}
	return text("</ul></section>\n")
}

// conversationShown is a line of the index; prefix leads to the pages.
func conversationShown(c *conversation, prefix string) conversationView {
	v := conversationView{Href: fmt.Sprintf("#c%d", c.order), Name: c.name, With: c.with, Count: many(c.messages, "message")}
	if len(c.pages) > 0 {
		v.Href = prefix + c.pages[0].file
	}
	if len(c.pages) > 1 {
		v.Pages = links(c.pages, prefix)
	}
	if !c.first.IsZero() {
		v.Span = span(c.first, c.last)
	}
	return v
}

func links(pages []page, prefix string) (all []link) {
	for _, p := range pages {
		all = append(all, link{prefix + p.file, span(p.first, p.last)})
	}
	return all
}

func span(first, last time.Time) string {
	from, to := instant{first}.Date(), instant{last}.Date()
	if from == to {
		return from
	}
	return from + " to " + to
}

func many(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + what + "s"
}

func (m *maker) summary() string {
	parts := []string{
		many(m.result.Messages, "message") + " in " + many(int64(len(m.cids)), "conversation"), many(m.result.Reactions, "reaction"),
		many(m.result.Attachments, "attachment"),
	}
	return "There are " + strings.Join(parts, ", ") + " of yours."
}

func (m *maker) filesText() string {
	switch {
	case m.result.Attachments == 0:
		return "Your messages have no attachments."
	case m.Fetcher == nil:
		return fmt.Sprintf("Your messages have %s. The files themselves are not in this archive; their links are in export.json, and expire.", many(m.result.Attachments, "attachment"))
	case m.result.Missing == 0:
		return fmt.Sprintf("%s of your messages: they stand beside the messages, and all together in the folder attachments.", many(m.result.Saved, "file"))
	}
	return fmt.Sprintf("%s of your messages: they stand beside the messages, and all together in the folder attachments. %s could not be saved; MANIFEST.json names each.",
		many(m.result.Saved, "file"), many(m.result.Missing, "file"))
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
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
	Which          string // of several pages
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
	Picture           string // the file
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

// pages writes the pages, the first one last.
func (m *maker) pages() (err error) {
	p := &pager{m: m, inline: m.size <= inlineBytes, reactions: conversation{name: "Your reactions"}}
	p.drafts = privatefile.Spool{Dir: m.Dir, Memory: 4 << 20}
	p.links.dir = m.Dir
	defer func() { err = errors.Join(err, p.close()) }()
	if !p.inline {
		p.base = "../"
	}
	for _, step := range []func() error{
		func() error { return m.each(p.draft) },
		m.sorted.close,
		p.links.resolve,
		p.write,
		func() error { return m.index(p) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// index writes the first page.
func (m *maker) index(p *pager) error {
	v := indexView{
		frame: framed("Your data"), App: m.App, At: instant{m.At}, Summary: m.summary(), Inline: p.inline && len(m.cids) > 0,
		Reactions: m.result.Reactions > 0, ReactionPages: links(p.reactions.pages, "pages/"), Files: m.filesText(), Gaps: m.gaps(),
		Maker: "Made by terraform-provider-streamchat " + m.Version + ".",
	}
	v.Profile, v.Custom = profileView(gjson.ParseBytes(m.profile))
	switch {
	case kindOf("image", m.face) == "image" && m.face.File != "":
		v.Picture = m.face.File
	case m.face.Name != "":
		v.Profile = append(v.Profile, field{"Picture's file", cmp.Or(m.face.File, why[m.face.Reason], "not saved")})
	}
	for chunk := range slices.Chunk(m.list, listed) {
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
			if err := p.writeInline(w, m.list); err != nil {
				return err
			}
		}
		return templates.ExecuteTemplate(w, "afterinline", v)
	})
}

// writeInline writes everything on the first page, the conversations in its order.
func (p *pager) writeInline(w io.Writer, list []*conversation) error {
	out := &writer{dst: w}
	if len(list) > 0 {
		out.text("<section aria-labelledby=\"messages\"><h2 id=\"messages\">Your messages</h2>\n")
		for _, c := range list {
			out.template("conversation", map[string]any{"Order": c.order, "Name": c.name, "With": c.with})
			out.text(p.body[c].String())
		}
		out.text("</section>\n")
	}
	if body := p.body[&p.reactions]; body != nil {
		out.text("<section aria-labelledby=\"reactions\"><h2 id=\"reactions\">Your reactions</h2>\n")
		out.text(body.String())
		out.text("</section>\n")
	}
	return out.err
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
	case m.result.Attachments == 0 && m.result.Saved+m.result.Missing == 0:
		return "Your messages have no attachments."
	case m.Fetcher == nil:
		return fmt.Sprintf("Your messages have %s. The files themselves are not in this archive; their links are in export.json, and expire.", many(m.result.Attachments, "attachment"))
	case m.result.Missing == 0:
		return fmt.Sprintf("%s of yours, beside the messages and all together in the folder attachments.", many(int64(len(m.saved)), "file"))
	}
	return fmt.Sprintf("%s of yours, beside the messages and all together in the folder attachments. %s could not be saved; MANIFEST.json names each.",
		many(int64(len(m.saved)), "file"), many(m.result.Missing, "file"))
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// pager makes pages of the records in two passes, since what a message refers to can be
// on a page that comes later. The first draws each record, with a slot where a reference
// goes, and decides which page it is on; the second fills the slots.
type pager struct {
	m      *maker
	base   string // leads from a page to the archive's root
	inline bool   // all is on the first page

	reactions conversation
	drafts    privatefile.Spool
	links     linker
	all       []drafted
	body      map[*conversation]*bytes.Buffer // inline: what the second pass made

	// Where the first pass is.
	of   *conversation
	day  string
	size int // of the page
	n    int // messages
}

// drafted is a page, the nth of its conversation.
type drafted struct {
	of *conversation
	n  int
}

const (
	draftPage   byte = 'p' // a page begins
	draftRecord byte = 'r'
)

func (p *pager) close() error { return errors.Join(p.drafts.Close(), p.links.close()) }

// section finds what a record belongs to.
func (p *pager) section(key []byte) *conversation {
	if key[0] == 'r' {
		return &p.reactions
	}
	return p.m.cids[cidOf(key)]
}

// draft draws a record and puts it on a page.
func (p *pager) draft(key, record []byte, files []filed) error {
	if err := p.m.ctx.Err(); err != nil {
		return err
	}
	c, object := p.section(key), gjson.ParseBytes(record)
	at := moment(object)
	p.n++
	anchor := fmt.Sprintf("m%d", p.n)
	fragment, refs, err := p.draw(c, object, files, anchor)
	if err != nil {
		return err
	}
	size := len(fragment) + len(refs)*linkBytes
	if c != p.of || !p.inline && p.size > 0 && p.size+size > pageBytes {
		if err := p.begin(c); err != nil {
			return err
		}
	}
	if day := (instant{at}).Day(); c != &p.reactions && !at.IsZero() && day != p.day {
		p.day = day
		var out bytes.Buffer
		heading := map[string]any{"Date": at.UTC().Format(time.DateOnly), "Text": day, "Inline": p.inline}
		if err := templates.ExecuteTemplate(&out, "day", heading); err != nil {
			return err
		}
		fragment = append(out.Bytes(), fragment...)
	}
	p.size += size
	file := ""
	if !p.inline {
		now := &c.pages[len(c.pages)-1]
		now.add(at)
		file = now.file
	}
	if c != &p.reactions {
		if err := p.links.define(object, target{Own: true, File: file, Anchor: anchor, At: at, In: c.order, Text: excerpt(object)}); err != nil {
			return err
		}
	}
	for _, ref := range refs {
		if err := p.links.refer(ref, c.order); err != nil {
			return err
		}
	}
	return p.drafts.Add(draftRecord, fragment)
}

// begin begins a page.
func (p *pager) begin(c *conversation) error {
	p.of, p.day, p.size = c, "", 0
	n := len(c.pages)
	if !p.inline {
		name := fmt.Sprintf("conversation-%05d-%04d.html", c.order, n+1)
		if c == &p.reactions {
			name = fmt.Sprintf("reactions-%04d.html", n+1)
		}
		c.pages = append(c.pages, page{file: name})
	}
	p.all = append(p.all, drafted{c, n})
	return p.drafts.Add(draftPage, nil)
}

// draw shows a record. refs are what it refers to, in the order of the slots.
func (p *pager) draw(c *conversation, object gjson.Result, files []filed, anchor string) (_ []byte, refs []ref, err error) {
	var out bytes.Buffer
	if c == &p.reactions {
		v := reaction(object)
		err = templates.ExecuteTemplate(&out, "reaction", v)
		return out.Bytes(), v.refs, err
	}
	v := p.m.message(object, files, p.base, anchor)
	if err = templates.ExecuteTemplate(&out, "message", v); err == nil && out.Len() > fragmentBytes {
		out.Reset()
		v = messageView{Anchor: anchor, Time: shownAt(object), Notes: []string{"too large for a page: it is in export.json, id " + cut(object.Get("id").Str, 300)}}
		err = templates.ExecuteTemplate(&out, "message", v)
	}
	return out.Bytes(), v.refs, err
}

// write makes the pages of what was drawn.
func (p *pager) write() error {
	p.body = map[*conversation]*bytes.Buffer{}
	if _, _, err := p.drafts.Next(); err != nil && err != io.EOF { //nolint:errorlint // Next's own
		return err
	}
	for _, d := range p.all {
		var err error
		if p.inline {
			p.body[d.of] = &bytes.Buffer{}
			err = p.fill(p.body[d.of], d)
		} else {
			err = p.m.zip.deflated("pages/"+d.of.pages[d.n].file, func(w io.Writer) error { return p.page(w, d) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pager) page(w io.Writer, d drafted) error {
	c := d.of
	v := pageView{frame: framed(c.name), Heading: c.name, With: c.with}
	if d.n > 0 {
		v.Previous = c.pages[d.n-1].file
	}
	if d.n < len(c.pages)-1 {
		v.Next = c.pages[d.n+1].file
	}
	if len(c.pages) > 1 {
		v.Which = fmt.Sprintf("Page %d of %d: %s", d.n+1, len(c.pages), span(c.pages[d.n].first, c.pages[d.n].last))
		v.Title = fmt.Sprintf("%s, page %d", c.name, d.n+1)
	}
	out := &writer{dst: w}
	out.template("pagehead", v)
	if out.err == nil {
		out.err = p.fill(w, d)
	}
	out.template("pagefoot", v)
	return out.err
}

// fill writes the records of a page, with the references in their slots.
func (p *pager) fill(w io.Writer, d drafted) error {
	out := &writer{dst: w}
	if d.of == &p.reactions {
		out.text("<ul class=\"plain\">\n")
		defer out.text("</ul>\n")
	}
	for out.err == nil {
		kind, fragment, err := p.drafts.Next()
		if err == io.EOF || kind == draftPage { //nolint:errorlint // Next's own
			break
		}
		if err != nil {
			return err
		}
		for {
			before, after, more := bytes.Cut(fragment, []byte{0})
			out.bytes(before)
			if !more {
				break
			}
			to, err := p.links.next()
			if err != nil {
				return err
			}
			v := p.shown(to, d)
			if after[0] == slotBrief[1] {
				v.Text = ""
			}
			out.template("to", v)
			fragment = after[1:]
		}
	}
	return out.err
}

// shown is what a page says of something that a record on it refers to.
func (p *pager) shown(to target, on drafted) targetView {
	v := targetView{Own: to.Own, Who: to.Who, Text: to.Text}
	if !to.At.IsZero() {
		v.At = &instant{to.At}
	}
	if to.In > 0 && to.In != on.of.order {
		v.In = clip(p.m.list[to.In-1].name, maxLinkName)
	}
	if to.Own {
		v.Href = "#" + to.Anchor
		if !p.inline && to.File != on.of.pages[on.n].file {
			v.Href = to.File + v.Href
		}
	}
	return v
}

// writer writes until something fails.
type writer struct {
	dst io.Writer
	err error
}

func (w *writer) bytes(b []byte) {
	if w.err == nil {
		_, w.err = w.dst.Write(b)
	}
}

func (w *writer) text(s string) { w.bytes([]byte(s)) }

func (w *writer) template(name string, view any) {
	if w.err == nil {
		w.err = templates.ExecuteTemplate(w.dst, name, view)
	}
}

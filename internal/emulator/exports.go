// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// exportPath is where the emulator serves what Stream keeps in a bucket.
	exportPath = "/exports/"
	// urlLife is how long a signed URL is good for.
	urlLife = 24 * time.Hour
	// fileLife is how long the file itself is kept.
	fileLife = 60 * 24 * time.Hour

	maxExportUsers    = 25
	maxExportChannels = 25
)

// exportFile is a finished export.
type exportFile struct {
	contentType string
	body        []byte
	madeAt      stamp
	owner       *user // of an upload
}

func exportRoutes() []route {
	return []route{
		newRoute("GET /users/{id}/export", opExportUser, serverOnly, (*Emulator).exportUser),
		newRoute("POST /export/users", opExportUsers, serverOnly, (*Emulator).exportUsers),
		newRoute("POST /export_channels", opExportChannels, serverOnly, (*Emulator).exportChannels),
	}
}

// exportUser is GET /users/{id}/export: everything in one answer.
func (e *Emulator) exportUser(c *call) error {
	// unproven: dossier 15, an unknown or deleted user. A deactivated one can
	// be exported: the right to one's data does not depend on activity.
	u, err := e.liveUser(c.path("id"))
	if err != nil {
		return err
	}
	if u.messages.size() > e.opts.ExportLimit || u.reactions.size() > e.opts.ExportLimit {
		// unproven: dossier 15, code and text.
		return bad("the user %s has more than %d messages or reactions", u.id, e.opts.ExportLimit)
	}
	c.out.key("user").open('{')
	c.out.userFields(u)
	c.out.shut('}')
	c.out.key("messages").open('[')
	for _, m := range u.messagesByTime() {
		c.out.exportedMessage(e, m)
	}
	c.out.shut(']')
	c.out.key("reactions").open('[')
	for r := range u.reactions.all() {
		c.out.reaction(r, false)
	}
	c.out.shut(']')
	return nil
}

func (u *user) messagesByTime() []*message {
	list := slices.Collect(u.messages.all())
	slices.SortStableFunc(list, (*message).compare)
	return list
}

// exportedMessage writes a message as in the export of its author: nobody is
// embedded, user is null.
func (e *enc) exportedMessage(em *Emulator, m *message) {
	e.open('{')
	e.messageHead(m, m.deletedAt)
	e.knull("user")
	e.messageBody(em, m, "", false)
	e.ktimeIf("deleted_at", m.deletedAt)
	e.fieldsExcept(m.fields, "attachments")
	e.shut('}')
}

// exportUsers is POST /export/users: a task and a file of line-separated JSON.
func (e *Emulator) exportUsers(c *call) error {
	var in struct {
		UserIDs []string `json:"user_ids"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.UserIDs) == 0 || len(in.UserIDs) > maxExportUsers {
		return bad("user_ids must contain 1 to %d items", maxExportUsers)
	}
	var list []*user
	for _, id := range unique(in.UserIDs) {
		u, err := e.liveUser(id) // unproven: dossier 7.2 has no sample of an unknown id
		if err != nil {
			return err
		}
		list = append(list, u)
	}
	e.exportTask(c, "users", "jsonl", "application/x-ndjson", func(out *enc) {
		for _, u := range list {
			e.exportLine(out, "user", func() { out.user(u) })
			msgs := u.messagesByTime()
			// unproven: dossier 7.2, whether the limit cuts or fails.
			for _, m := range msgs[max(0, len(msgs)-e.opts.ExportLimit):] {
				e.exportLine(out, "message", func() { out.exportedMessage(e, m) })
			}
			for r := range u.reactions.all() {
				e.exportLine(out, "reaction", func() { out.reaction(r, false) })
			}
		}
	})
	return nil
}

// exportLine writes one line of a v2 file.
// unproven: dossier 7.3 and 15, the envelope of a line.
func (e *Emulator) exportLine(out *enc, typ string, data func()) {
	out.b = append(out.b, '{')
	out.kstr("type", typ)
	out.key("data")
	data()
	out.b = append(out.b, '}', '\n')
}

// exportTask starts a task that writes a file.
func (e *Emulator) exportTask(c *call, kind, ext, contentType string, write func(*enc)) {
	name := kind + "/" + newID() + "." + ext
	t := e.startTask(c, func(at stamp) {
		out := enc{resign: c.resign}
		write(&out)
		e.files[name] = &exportFile{contentType: contentType, body: out.b, madeAt: at}
	}, func(asked *call, out *enc) {
		out.open('{')
		out.kstr("url", e.sign(asked, name))
		out.shut('}')
	})
	c.out.kstr("task_id", t.id)
}

// sign makes a URL that is good for a day. Every call makes a new one.
func (e *Emulator) sign(c *call, name string) string {
	e.signed++
	life := urlLife
	if strings.HasPrefix(name, uploadPath) {
		life = uploadURLLife
	}
	q := url.Values{}
	q.Set("Expires", strconv.FormatInt(c.now.add(life).time().Unix(), 10))
	q.Set("Nonce", strconv.FormatUint(e.signed, 10))
	q.Set("Signature", e.signature(name, q.Get("Expires"), q.Get("Nonce")))
	u := url.URL{Scheme: "http", Host: c.r.Host, Path: exportPath + name, RawQuery: q.Encode()}
	if c.r.TLS != nil {
		u.Scheme = "https"
	}
	return u.String()
}

func (e *Emulator) signature(parts ...string) string {
	mac := hmac.New(sha256.New, []byte(e.opts.APISecret))
	for _, p := range parts {
		_, _ = fmt.Fprintf(mac, "%s\n", p)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// download serves a file, as a bucket would: without API key and token, by the
// signature in the URL.
func (e *Emulator) download(c *call, name string) *response {
	denied := func(status int, code, message string) *response {
		return newResponse(status, "application/xml",
			fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message))
	}
	expires, nonce := c.query.Get("Expires"), c.query.Get("Nonce")
	if !hmac.Equal([]byte(c.query.Get("Signature")), []byte(e.signature(name, expires, nonce))) {
		return denied(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature does not match")
	}
	if until, err := strconv.ParseInt(expires, 10, 64); err != nil || c.now.time().Unix() >= until {
		return denied(http.StatusForbidden, "AccessDenied", "Request has expired")
	}
	f := e.files[name]
	if f == nil || f.owner == nil && c.now >= f.madeAt.add(fileLife) {
		return denied(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return newResponse(http.StatusOK, f.contentType, f.body)
}

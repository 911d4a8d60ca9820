// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
)

const (
	// uploadPath is where the files of users are, under exportPath.
	uploadPath = "uploads/"
	// uploadURLLife is how long a link to one is good for. Every reading of a message
	// signs it anew (dossier 11).
	uploadURLLife = 14 * 24 * time.Hour
	maxUpload     = 100 << 20
)

func uploadRoutes() []route {
	return []route{
		newRoute("POST /channels/{type}/{id}/file", opUploadChannelFile, anyone, (*Emulator).upload),
		newRoute("POST /channels/{type}/{id}/image", opUploadChannelImage, anyone, (*Emulator).upload),
		newRoute("POST /uploads/file", opUploadFile, anyone, (*Emulator).upload),
		newRoute("POST /uploads/image", opUploadImage, anyone, (*Emulator).upload),
	}
}

// upload keeps the file of a multipart form.
func (e *Emulator) upload(c *call) error {
	_, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return bad("the body must be multipart/form-data")
	}
	if c.path("type") != "" {
		if _, err := c.pathChannel(); err != nil {
			return err
		}
	}
	form := multipart.NewReader(strings.NewReader(string(c.body)), params["boundary"])
	var user object
	var name string
	var body []byte
	for {
		part, err := form.NextPart()
		if err == io.EOF { //nolint:errorlint // the form's plain end
			break
		}
		if err != nil {
			return bad("the form cannot be read")
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return bad("the form cannot be read")
		}
		switch part.FormName() {
		case "file":
			name, body = part.FileName(), content
		case "user":
			if err := decode(content, &user); err != nil {
				return err
			}
		}
	}
	switch {
	case body == nil:
		return bad("file is a required field")
	case len(body) > maxUpload: // unproven: code and text
		return bad("the file is larger than 100 MB")
	}
	owner, err := c.named("", user, "user")
	if err != nil {
		return err
	}
	c.out.kstr("file", e.sign(c, e.keepUpload(owner, newID()+"."+path.Base(name), body, c.now)))
	return nil
}

func (e *Emulator) keepUpload(owner *user, name string, body []byte, at stamp) string {
	name = uploadPath + url.PathEscape(name)
	e.files[name] = &exportFile{contentType: cmp.Or(mime.TypeByExtension(path.Ext(name)), "application/octet-stream"), body: body, madeAt: at, owner: owner}
	return name
}

// eraseUploads is what files: true does.
func (e *Emulator) eraseUploads(owner *user) {
	for name, f := range e.files {
		if f.owner == owner {
			delete(e.files, name)
		}
	}
}

// seedFile keeps {"name", "user_id", "text" or "base64"}. A message names it in its
// attachments as "upload:" and the name.
func (e *Emulator) seedFile(o object, now stamp) error {
	var name, owner, text, packed string
	for key, v := range map[string]any{"name": &name, "user_id": &owner, "text": &text, "base64": &packed} {
		if err := takeInto(&o, key, v); err != nil {
			return err
		}
	}
	body, err := base64.StdEncoding.DecodeString(packed)
	switch {
	case err != nil:
		return fmt.Errorf("the file %q is not base64", name)
	case name == "" || e.users[owner] == nil:
		return fmt.Errorf("the file %q has no name, or the user %q does not exist", name, owner)
	case packed == "":
		body = []byte(text)
	}
	e.keepUpload(e.users[owner], name, body, now)
	return nil
}

var uploadLink = regexp.MustCompile(`"(?:upload:|https?://[^"/]+` + exportPath + uploadPath + `)([^"?]+)(?:\?[^"]*)?"`)

// resign signs the links to uploads anew, as Stream does for every reading.
func (c *call) resign(raw []byte) []byte {
	return uploadLink.ReplaceAllFunc(raw, func(link []byte) []byte {
		quoted, err := json.Marshal(c.e.sign(c, uploadPath+string(uploadLink.FindSubmatch(link)[1])))
		if err != nil {
			return link
		}
		return quoted
	})
}

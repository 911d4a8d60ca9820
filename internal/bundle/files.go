// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tidwall/gjson"
	"golang.org/x/sync/errgroup"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// file is a file that a message links to, and what became of it.
type file struct {
	Attachment int    `json:"-"` // which of the message's attachments
	Field      string `json:"field,omitempty"`
	Name       string `json:"name"`           // as the person knows it
	Type       string `json:"type,omitempty"` // the attachment's
	Message    string `json:"message_id,omitempty"`
	File       string `json:"file,omitempty"` // in the archive, when it was saved
	Size       int64  `json:"size,omitempty"`
	SHA256     string `json:"sha256,omitempty"`
	// Reason is why it is missing.
	Reason attachment.Reason `json:"reason,omitempty"`

	url string
}

// filed is what [maker.pages] gets of a file.
type filed struct {
	Attachment int
	Field      string
	Name       string
	File       string
	Size       int64
	Reason     attachment.Reason
}

func (f file) filed() filed { return filed{f.Attachment, f.Field, f.Name, f.File, f.Size, f.Reason} }

// linksElsewhere are fields of an attachment whose addresses are no files of the
// person's: pages they linked to, and pictures of other sites.
var linksElsewhere = map[string]bool{
	"title_link": true, "og_scrape_url": true, "author_link": true, "author_icon": true, "footer_icon": true, "text": true, "title": true,
	"fallback": true, "pretext": true, "author_name": true, "footer": true,
}

// filesOf are the files that a message links to: what Stream's fields name, and of an
// attachment of a kind of the app's own every address that leads to an allowed host. others
// are the attachments that are no files: pages that were linked to, cards of the app's own.
func filesOf(message gjson.Result, allowed func(address string) bool) (files []file, others int64) {
	id := message.Get("id").Str
	seen := map[string]bool{}
	n := -1
	for _, a := range message.Get("attachments").Array() {
		n++
		asset, image, thumb := a.Get("asset_url").Str, a.Get("image_url").Str, a.Get("thumb_url").Str
		// Of a page that the person linked to, a picture of its own is none of their files;
		// the link is in the message.
		preview := a.Get("og_scrape_url").Str != "" || a.Get("type").Str == "giphy" || a.Get("title_link").Str != "" && asset == ""
		found := false
		add := func(field, address string) {
			if address == "" || preview && !allowed(address) {
				return
			}
			found = true
			if same := sameFile(address); !seen[same] {
				seen[same] = true
				files = append(files, file{Attachment: n, Field: field, Name: nameOf(a, address), Type: a.Get("type").Str, Message: id, url: address})
			}
		}
		add("asset_url", asset)
		add("image_url", image)
		if asset == "" && image == "" {
			add("thumb_url", thumb)
		}
		elsewhere(a, "", func(field, address string) {
			if field != "thumb_url" && allowed(address) {
				add(field, address)
			}
		})
		switch {
		case found:
		case uploads[a.Get("type").Str] && !preview: // one that never came up
			files = append(files, file{Attachment: n, Name: nameOf(a, ""), Type: a.Get("type").Str, Message: id})
		default:
			others++
		}
	}
	return files, others
}

// uploads are the types of attachments that Stream and its SDKs give to files.
var uploads = set("image file video audio voiceRecording")

// elsewhere finds addresses in other fields of an attachment.
func elsewhere(object gjson.Result, field string, found func(field, address string)) {
	switch {
	case object.IsObject() || object.IsArray():
		for name, value := range object.ForEach {
			of := cmp.Or(name.Str, field)
			if !linksElsewhere[of] && of != "actions" && of != "giphy" {
				elsewhere(value, of, found)
			}
		}
	case object.Type == gjson.String && strings.Contains(object.Str, "://"):
		found(field, object.Str)
	}
}

// signature is in the query of a link that Stream signed, and of no other.
var signature = regexp.MustCompile(`(?i)[?&]((x-amz-)?signature=|s=[0-9a-f]{32}(&|$))`)

// passing is what else the query of such a link says of how it is signed and scaled. On
// hosts of the app's own another part of it can say which file it is.
var passing = regexp.MustCompile(`(?i)^((x-amz-.*|signature|s|expires|policy|key-pair-id|response-.*)|` +
	`(h|w|oh|ow|ro|resize|crop|fit|auto|q|dpr|fm|ixlib))=`)

// sameFile is what two links to one file have in common: all of it, but for how Stream
// signs and scales.
func sameFile(address string) string {
	address, _, _ = strings.Cut(address, "#")
	if !signature.MatchString(address) {
		return address
	}
	base, query, _ := strings.Cut(address, "?")
	lasting := slices.DeleteFunc(strings.Split(query, "&"), passing.MatchString)
	return base + "?" + strings.Join(lasting, "&")
}

// nameOf is what a person knows a file by.
func nameOf(a gjson.Result, address string) string {
	last := "file"
	if u, err := url.Parse(address); err == nil && u.Path != "" && u.Path != "/" {
		last = path.Base(u.Path)
	}
	name := cmp.Or(a.Get("title").Str, a.Get("name").Str, a.Get("file_name").Str, a.Get("fallback").Str)
	if name == "" {
		return last
	}
	if path.Ext(name) == "" {
		name += path.Ext(last)
	}
	return name
}

// maxName bounds a name in the archive, its number included.
const maxName = 80

// safeName is a name that every system can write, whatever the file is called: plain
// letters, digits, "-", "_" and ".", and with a number ahead that keeps it apart from
// all others and from names with a meaning.
func safeName(n int64, name string) string {
	ext := path.Ext(name)
	if len(ext) > 10 || strings.ContainsFunc(ext, func(r rune) bool { return r != '.' && !plain(r) }) {
		ext = ""
	}
	stem := strings.Map(func(r rune) rune {
		if plain(r) {
			return r
		}
		return '-'
	}, strings.TrimSuffix(name, ext))
	for strings.Contains(stem, "--") {
		stem = strings.ReplaceAll(stem, "--", "-")
	}
	if runs[strings.ToLower(ext)] {
		ext += asText
	}
	number := fmt.Sprintf("%06d", n)
	if room := maxName - len(number) - 1 - len(ext); len(stem) > room {
		stem = stem[:room]
	}
	stem = strings.Trim(stem, "-_.")
	if stem == "" {
		stem = "file"
	}
	return number + "-" + stem + strings.TrimSuffix(ext, ".")
}

// runs are files that a browser runs what is in when somebody opens one: whoever sent one
// to the person is not known. asText after such a name makes it show the text.
var runs = set(".html .htm .shtml .xhtml .xht .svg .svgz .xml .xsl .xslt .mht .mhtml .rdf .rss .atom .webarchive")

const asText = ".txt"

// keptAsText reports that a file in the archive has such a name.
func keptAsText(file string) bool {
	name, ok := strings.CutSuffix(file, asText)
	return ok && runs[strings.ToLower(path.Ext(name))]
}

func plain(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_')
}

// Attachments are fetched a few at a time, ahead of their turn.
const fetches = 4

// work is a message on its way through files; of one without files only the record is
// there.
type work struct {
	key, record []byte
	fetched     []fetched
}

type fetched struct {
	file
	answer chan answer // nil: an earlier message has the same file
}

type answer struct {
	held   *heldFile
	reason attachment.Reason
	err    error
}

// files fetches the attachments into the archive and notes what became of each beside
// its message.
func (m *maker) files() error {
	if m.Fetcher == nil {
		return nil
	}
	m.filed = &privatefile.Spool{Dir: m.Dir}
	m.zip.attachments = &privatefile.Spool{Dir: m.Dir, Memory: 1 << 20}
	m.zip.missing = &privatefile.Spool{Dir: m.Dir, Memory: 1 << 20}
	m.saved = map[fileKey]savedFile{}
	group, ctx := errgroup.WithContext(m.ctx)
	var cancel context.CancelFunc
	m.fetching, cancel = inTime(ctx)
	defer cancel()
	if err := m.fetchPicture(); err != nil {
		return err
	}
	queue, room := make(chan work, 16), make(chan struct{}, fetches)
	group.Go(func() error {
		defer close(queue)
		return m.fetchAll(ctx, queue, room)
	})
	group.Go(func() (err error) {
		for w := range queue {
			if err == nil {
				err = m.file(w, room)
			} else {
				w.drop(room)
			}
		}
		return err
	})
	return group.Wait()
}

// errLate ends what is fetched while there is time left to write the bundle.
var errLate = errors.New("no time left for files")

// inTime is the context in which files are fetched: of the time that is left, a quarter is
// kept for what comes after them.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, end.Add(-time.Until(end)/4), errLate)
}

// picture is the field of a user that says where their picture is.
const picture = "image"

// fetchPicture fetches the person's own picture, where it lies on an allowed host: on
// others it is no upload of theirs, but a page of the net.
func (m *maker) fetchPicture() error {
	address := gjson.GetBytes(m.profile, picture).Str
	if failure := m.Fetcher.Check(address); failure != nil {
		return nil //nolint:nilerr // it stays a link
	}
	f := file{Field: picture, Name: nameOf(gjson.Result{}, address), Type: "profile", url: address}
	a := m.fetch(f)
	err := a.err
	if err == nil {
		err = m.store(&f, a)
	}
	m.face = f.filed()
	return err
}

// fileKey stands for a file that links lead to.
type fileKey [16]byte

func keyOf(address string) fileKey {
	sum := sha256.Sum256([]byte(sameFile(address)))
	return fileKey(sum[:16])
}

// savedFile is a file that is in the archive already.
type savedFile struct {
	file   string
	size   int64
	sha256 string
}

// fetchAll starts the fetching of all files in order. room is for files that are being
// fetched or wait for their turn.
func (m *maker) fetchAll(ctx context.Context, queue chan<- work, room chan<- struct{}) error {
	allowed := func(address string) bool { return m.Fetcher.Check(address) == nil }
	asked := map[fileKey]bool{}
	for key := range m.saved { // the picture
		asked[key] = true
	}
	return m.sorted.each(func(key, value []byte) error {
		w := work{key: append([]byte(nil), key...), record: append([]byte(nil), value...)}
		if key[0] == 'm' {
			files, others := filesOf(gjson.ParseBytes(w.record), allowed)
			m.result.NoFiles += others
			for _, f := range files {
				next := fetched{file: f}
				if key := keyOf(f.url); !asked[key] {
					asked[key], next.answer = true, make(chan answer, 1)
				}
				w.fetched = append(w.fetched, next)
			}
		}
		// The message belongs to whoever takes it from the queue.
		asking := slices.DeleteFunc(slices.Clone(w.fetched), func(f fetched) bool { return f.answer == nil })
		select {
		case queue <- w:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		// From here on every answer is waited for.
		for _, f := range asking {
			room <- struct{}{}
			go func() { f.answer <- m.fetch(f.file) }()
		}
		return nil
	})
}

// drop gives up on what is being fetched.
func (w work) drop(room <-chan struct{}) {
	for _, f := range w.fetched {
		if f.answer == nil {
			continue
		}
		if a := <-f.answer; a.held != nil {
			_ = a.held.close()
		}
		<-room
	}
}

// fetch fetches one file. A link that has expired is renewed once.
func (m *maker) fetch(f file) answer {
	ctx, held := m.fetching, &heldFile{dir: m.Dir}
	err := m.Fetcher.Fetch(ctx, f.url, held)
	var failure *attachment.Error
	if errors.As(err, &failure) && failure.Reason == attachment.ReasonGone && m.Message != nil && f.Message != "" {
		if renewed := m.renewed(ctx, f); renewed != "" && renewed != f.url {
			err = m.Fetcher.Fetch(ctx, renewed, held)
		}
	}
	if err == nil {
		return answer{held: held}
	}
	closed := held.close()
	if errors.As(err, &failure) {
		return answer{reason: failure.Reason, err: closed}
	}
	if m.ctx.Err() == nil && errors.Is(context.Cause(ctx), errLate) && (errors.Is(err, errLate) || errors.Is(err, context.DeadlineExceeded)) {
		return answer{reason: attachment.ReasonTime, err: closed}
	}
	return answer{err: errors.Join(err, closed)}
}

// renewed reads the message again for a link that is good, or "".
func (m *maker) renewed(ctx context.Context, f file) string {
	message, err := m.Message(ctx, f.Message)
	if err != nil {
		return ""
	}
	files, _ := filesOf(gjson.ParseBytes(message), func(string) bool { return true })
	for _, again := range files {
		if sameFile(again.url) == sameFile(f.url) {
			return again.url
		}
	}
	return ""
}

// file puts the files of a message into the archive, and notes it for the pages.
func (m *maker) file(w work, room <-chan struct{}) (err error) {
	var notes []filed
	for i := range w.fetched {
		f := &w.fetched[i].file
		if w.fetched[i].answer == nil {
			err = m.again(f)
		} else {
			a := <-w.fetched[i].answer
			if err = a.err; err == nil {
				err = m.store(f, a)
			}
			<-room
		}
		if err != nil {
			work{fetched: w.fetched[i+1:]}.drop(room)
			return err
		}
		notes = append(notes, f.filed())
	}
	beside, err := json.Marshal(notes)
	if err != nil {
		return err
	}
	return m.filed.Add(w.key[0], pack(nil, pack(nil, w.key, beside), w.record))
}

// again notes a file that an earlier message has as well. Where that one's link did not
// lead to it, this one's may.
func (m *maker) again(f *file) error {
	if had, ok := m.saved[keyOf(f.url)]; ok {
		f.File, f.Size, f.SHA256 = had.file, had.size, had.sha256
		m.result.Saved++
		return noteFile(m.zip.attachments, f)
	}
	a := m.fetch(*f)
	if a.err != nil {
		return a.err
	}
	return m.store(f, a)
}

func (m *maker) store(f *file, a answer) (err error) {
	if f.Reason = a.reason; a.held == nil {
		m.result.Missing++
		return noteFile(m.zip.missing, f)
	}
	defer func() { err = errors.Join(err, a.held.close()) }()
	m.result.Saved++
	f.File, f.Size = "attachments/"+safeName(int64(len(m.saved)+1), f.Name), a.held.size
	if f.SHA256, err = m.zip.stored(f.File, a.held); err != nil {
		return err
	}
	m.saved[keyOf(f.url)] = savedFile{f.File, f.Size, f.SHA256}
	return noteFile(m.zip.attachments, f)
}

func noteFile(list *privatefile.Spool, f *file) error {
	record, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return list.Add(0, record)
}

// each gives what the pages show, in order.
func (m *maker) each(do func(key, record []byte, files []filed) error) error {
	if m.filed == nil {
		return m.sorted.each(func(key, value []byte) error { return do(key, value, nil) })
	}
	return m.filed.Each(func(_ byte, record []byte) error {
		head, value := unpack(record)
		key, beside := unpack(head)
		var files []filed
		if err := json.Unmarshal(beside, &files); err != nil {
			return err
		}
		return do(key, value, files)
	})
}

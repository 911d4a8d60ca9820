// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package bundle

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/attachment"
)

// What a page shows of one thing. It is bounded, so that no page grows with what is in
// a message; export.json holds all of it.
const (
	maxText   = 40_000 // bytes of a message
	maxField  = 2_000  // bytes of a field
	maxFields = 60     // fields of one thing
	maxShown  = 100    // attachments of a message
)

// instant is a time as it is shown.
type instant struct{ time.Time }

func (i instant) Exact() string { return i.UTC().Format(time.RFC3339) }
func (i instant) Clock() string { return i.UTC().Format("15:04") }
func (i instant) Day() string   { return i.UTC().Format("Monday, 2 January 2006") }
func (i instant) Long() string  { return i.UTC().Format("2 January 2006, 15:04") }
func (i instant) Date() string  { return i.UTC().Format("2 January 2006") }

// shownAt is when something was made, nil where it does not say.
func shownAt(object gjson.Result) *instant {
	if at := moment(object); !at.IsZero() {
		return &instant{at}
	}
	return nil
}

// field is a name and what stands under it.
type field struct{ Name, Value string }

type messageView struct {
	Anchor    string
	Time      *instant
	Reply     bool
	Notes     []string
	Quotes    bool
	Quoted    string
	refs      []ref // what the slots are filled with
	Text      string
	Files     []attachmentView
	Poll      *pollView
	Reactions string
	Fields    []field
}

type attachmentView struct {
	Saved  []savedView
	Lost   []lostView
	Link   string
	Fields []field
}

type savedView struct {
	Kind, Path, Name, Size string
	AsText                 bool
}

type lostView struct{ Name, Why string }

type pollView struct {
	Name, Description string
	Options           []optionView
	Answers           []string
	Closed            bool
}

type optionView struct {
	Text  string
	Count int64
}

// Slot is where a reference goes.
func (messageView) Slot() template.HTML { return slot }

// QuoteSlot is that of a quote, which is shown beneath where it is known.
func (v messageView) QuoteSlot() template.HTML {
	if v.Quoted != "" {
		return slotBrief
	}
	return slot
}

type reactionView struct {
	Time   *instant
	What   string
	Fields []field
	refs   []ref
}

// Slot is where a reference goes.
func (reactionView) Slot() template.HTML { return slot }

// reactions are what the common types of reactions look like.
var reactions = map[string]string{
	"like": "👍", "love": "❤️", "haha": "😂", "wow": "😮", "sad": "😢", "angry": "😠", "laugh": "😂", "fire": "🔥", "thumbsup": "👍",
}

func reactionText(kind string) string {
	if picture := reactions[kind]; picture != "" {
		return picture + " " + kind
	}
	return kind
}

// ownFields are fields of a message that a page shows in their own way, or leaves to
// the JSON because they say nothing to a reader. What is not among them is shown by
// its name.
var ownFields = set(`id text html type user attachments latest_reactions own_reactions reaction_counts reaction_scores reaction_groups
	reply_count deleted_reply_count cid created_at updated_at deleted_at shadowed mentioned_users mentioned_group_ids silent pinned
	pinned_at pinned_by pin_expires parent_id show_in_channel quoted_message quoted_message_id poll poll_id mml thread_participants
	message_text_updated_at user_id mentioned_channel mentioned_here channel deleted_for_me`)

var attachmentFields = set(`asset_url image_url thumb_url title title_link og_scrape_url type fallback name mime_type file_size
	original_width original_height duration waveform_data actions giphy author_icon footer_icon color`)

func set(words string) map[string]bool {
	all := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		all[word] = true
	}
	return all
}

// cut bounds a text.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return head(s, limit) + " … (all of it is in export.json)"
}

// head is the beginning of a text.
func head(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// label makes the name of a field words.
func label(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	if first, size := utf8.DecodeRuneInString(words); first != utf8.RuneError {
		words = strings.ToUpper(string(first)) + words[size:]
	}
	return cut(words, 100)
}

// maxDepth is how deep a field is shown in words; what is deeper is shown as JSON.
const maxDepth = 4

// said is what a value says; "" is nothing.
func said(value gjson.Result) string { return cut(words(value, maxDepth), maxField) }

func words(value gjson.Result, depth int) string {
	switch {
	case value.Type == gjson.Null:
		return ""
	case value.Type == gjson.String:
		if at, err := time.Parse(time.RFC3339Nano, value.Str); err == nil {
			return instant{at}.Long()
		}
		return value.Str
	case value.IsBool() && value.Bool():
		return "yes"
	case value.IsBool():
		return "no"
	case !value.IsArray() && !value.IsObject() || depth == 0:
		return value.Raw
	case value.IsObject() && value.Get("id").Type == gjson.String && (size(value) == 1 || value.Get("role").Exists()):
		return cmp.Or(value.Get("name").Str, value.Get("id").Str) // a user
	}
	var all []string
	between := ", "
	for name, element := range value.ForEach {
		text := words(element, depth-1)
		if text == "" {
			continue
		}
		if value.IsObject() {
			text = label(name.Str) + ": " + text
		}
		if element.IsObject() {
			between = "\n"
		}
		all = append(all, text)
	}
	return strings.Join(all, between)
}

func size(object gjson.Result) (n int) {
	for range object.ForEach {
		n++
	}
	return n
}

// rest are the fields that are not shown otherwise.
func rest(object gjson.Result, shown map[string]bool) (fields []field) {
	for name, value := range object.ForEach {
		text := ""
		if !shown[name.Str] {
			text = said(value)
		}
		switch {
		case text == "":
		case len(fields) == maxFields:
			return append(fields, field{"More", "in export.json"})
		default:
			fields = append(fields, field{label(name.Str), text})
		}
	}
	return fields
}

// message is what a page shows of a message. base leads to the archive's root.
func (m *maker) message(message gjson.Result, files []filed, base, anchor string) messageView {
	v := messageView{Anchor: anchor, Time: shownAt(message), Text: cut(message.Get("text").Str, maxText), Fields: rest(message, ownFields)}
	note := func(yes bool, format string, args ...any) {
		if yes {
			v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
		}
	}
	v.Reply = message.Get("parent_id").Str != ""
	if v.Reply {
		v.refs = append(v.refs, refTo(message.Get("parent_id").Str, message.Get("parent_message")))
	}
	note(v.Reply && message.Get("show_in_channel").Bool(), "also shown in the conversation")
	note(message.Get("reply_count").Int() > 0, "replies: %d", message.Get("reply_count").Int())
	if edited, err := time.Parse(time.RFC3339Nano, message.Get("message_text_updated_at").Str); err == nil {
		note(true, "edited %s", instant{edited}.Long())
	}
	deleted, err := time.Parse(time.RFC3339Nano, message.Get("deleted_at").Str)
	note(err == nil, "deleted %s, and kept by the service", instant{deleted}.Long())
	note(err != nil && message.Get("type").Str == "deleted", "deleted, and kept by the service")
	note(message.Get("pinned").Bool(), "pinned")
	note(message.Get("silent").Bool(), "sent silently")
	note(message.Get("shadowed").Bool(), "shown to you alone")
	note(message.Get("type").Str == "system" || message.Get("type").Str == "ephemeral", "%s message", message.Get("type").Str)
	if people := names(message.Get("mentioned_users")); people != "" {
		note(true, "mentions %s", people)
	}
	quoted := message.Get("quoted_message")
	if quotes := refTo(message.Get("quoted_message_id").Str, quoted); quotes.id != "" {
		v.Quotes, v.Quoted, v.refs = true, cut(quoted.Get("text").Str, maxField), append(v.refs, quotes)
	}
	v.Files = m.attachments(message, files, base)
	v.Poll = poll(message)
	v.Reactions = counts(message.Get("reaction_counts"))
	return v
}

// names are those of a list of users, or their ids.
func names(users gjson.Result) string {
	var all []string
	for _, user := range users.Array() {
		if name := cmp.Or(user.Get("name").Str, user.Get("id").Str, user.Str); name != "" && len(all) < 20 {
			all = append(all, cut(name, 100))
		}
	}
	return strings.Join(all, ", ")
}

func counts(of gjson.Result) string {
	var all []string
	if !of.IsObject() {
		return ""
	}
	for kind, n := range of.ForEach {
		if n.Int() > 0 && len(all) < maxFields {
			all = append(all, fmt.Sprintf("%s × %d", cut(reactionText(kind.Str), 100), n.Int()))
		}
	}
	return strings.Join(all, ", ")
}

func poll(message gjson.Result) *pollView {
	poll := message.Get("poll")
	if !poll.IsObject() {
		if message.Get("poll_id").Str != "" {
			return &pollView{Name: "its question is not in this export"}
		}
		return nil
	}
	v := &pollView{
		Name: cut(poll.Get("name").Str, maxField), Description: cut(poll.Get("description").Str, maxField), Closed: poll.Get("is_closed").Bool(),
	}
	votes := map[string]int64{}
	for option, n := range poll.Get("vote_counts_by_option").ForEach {
		votes[option.Str] = n.Int()
	}
	for _, option := range poll.Get("options").Array() {
		if len(v.Options) < maxFields {
			v.Options = append(v.Options, optionView{cut(option.Get("text").Str, maxField), votes[option.Get("id").Str]})
		}
	}
	for _, vote := range poll.Get("own_votes").Array() {
		if text := vote.Get("answer_text").Str; text != "" && len(v.Answers) < maxFields {
			v.Answers = append(v.Answers, cut(text, maxField))
		}
	}
	return v
}

// why says in words why a file is missing.
var why = map[attachment.Reason]string{
	attachment.ReasonAddress:  "not saved, its link cannot be used",
	attachment.ReasonHost:     "not saved, it lies on a server that this export does not fetch from",
	attachment.ReasonPrivate:  "not saved, its link leads into a private network",
	attachment.ReasonRedirect: "not saved, its link leads on to another server",
	attachment.ReasonSize:     "not saved, it is larger than this export takes",
	attachment.ReasonGone:     "not saved, it is gone or its link has expired",
	attachment.ReasonServer:   "not saved, its server failed",
	attachment.ReasonNetwork:  "not saved, its server could not be reached",
	attachment.ReasonTime:     "not saved, there was no time left for it",
}

func (m *maker) attachments(message gjson.Result, files []filed, base string) (views []attachmentView) {
	n := -1
	for _, a := range message.Get("attachments").Array() {
		if n++; n == maxShown {
			return append(views, attachmentView{Lost: []lostView{{"More attachments", "see export.json"}}})
		}
		v := attachmentView{Fields: rest(a, attachmentFields)}
		for _, f := range files {
			if f.Attachment != n {
				continue
			}
			name := cut(f.Name, 200)
			if f.File == "" {
				v.Lost = append(v.Lost, lostView{name, cmp.Or(why[f.Reason], "not saved")})
				continue
			}
			v.Saved = append(v.Saved, savedView{Kind: kindOf(a.Get("type").Str, f), Path: base + f.File, Name: name, Size: bytesText(f.Size), AsText: keptAsText(f.File)})
		}
		if m.Fetcher == nil {
			if address := cmp.Or(a.Get("asset_url").Str, a.Get("image_url").Str, a.Get("thumb_url").Str); address != "" && a.Get("og_scrape_url").Str == "" {
				v.Lost = append(v.Lost, lostView{cut(nameOf(a, address), 200), "the file itself is not in this archive"})
			}
		}
		if link := cmp.Or(a.Get("og_scrape_url").Str, a.Get("title_link").Str); link != "" {
			v.Link = webLink(link)
			if title := a.Get("title").Str; title != "" {
				v.Fields = append([]field{{"Link to", cut(title, maxField)}}, v.Fields...)
			}
		}
		if length := a.Get("duration"); length.Exists() {
			name := "Duration"
			if standardTypes[a.Get("type").Str] && length.Type == gjson.Number {
				name = "Duration (seconds)"
			}
			v.Fields = append(v.Fields, field{name, said(length)})
		}
		if kind := a.Get("type").Str; kind != "" && !standardTypes[kind] {
			v.Fields = append([]field{{"Kind", label(kind)}}, v.Fields...)
		}
		views = append(views, v)
	}
	return views
}

var standardTypes = set("image file video audio voiceRecording giphy")

// webLink is an address that may be followed, or "".
func webLink(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(address) > maxField {
		return ""
	}
	return address
}

// kindOf says how a page shows a file: only what a browser draws without running
// anything in it.
func kindOf(kind string, f filed) string {
	switch strings.ToLower(path.Ext(f.File)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".bmp":
		return "image"
	case ".mp3", ".m4a", ".aac", ".ogg", ".oga", ".wav", ".opus", ".flac":
		return "audio"
	case ".webm", ".mp4", ".mov", ".m4v", ".ogv":
		if kind == "voiceRecording" || kind == "audio" {
			return "audio"
		}
		return "video"
	case "":
		switch kind {
		case "image", "audio", "video":
			return kind
		case "voiceRecording":
			return "audio"
		}
	}
	return "file"
}

func bytesText(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " bytes"
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

func reaction(of gjson.Result) reactionView {
	to := refTo(of.Get("message_id").Str, of.Get("message"))
	to.said.Text = clip(of.Get("message.text").Str, maxLinkText)
	return reactionView{
		Time: shownAt(of), What: cut(reactionText(of.Get("type").Str), 200), Fields: rest(of, reactionFields), refs: []ref{to},
	}
}

var reactionFields = set("message_id message user_id user type score created_at updated_at")

// profileFields are Stream's own fields of a user, and what they are called.
var profileFields = []field{
	{"id", "User id"}, {"name", "Name"}, {"image", "Picture"}, {"role", "Role"}, {"teams", "Teams"}, {"language", "Language"},
	{"created_at", "Created"}, {"updated_at", "Changed"}, {"last_active", "Last active"}, {"deactivated_at", "Deactivated"},
	{"banned", "Banned"}, {"ban_expires", "Ban ends"}, {"shadow_banned", "Banned without a notice"}, {"invisible", "Invisible"},
	{"blocked_user_ids", "Blocked people"}, {"devices", "Devices"}, {"privacy_settings", "Privacy settings"},
	{"push_notifications", "Notifications"}, {"revoke_tokens_issued_before", "Signed out before"},
	{"avg_response_time", "Average response time (seconds)"}, {"teams_role", "Roles in teams"}, {"bypass_moderation", "Not moderated"},
}

// profileView shows the user: what Stream has of everybody, and what the app added.
func profileView(user gjson.Result) (own, custom []field) {
	shown := set("online")
	for _, f := range profileFields {
		shown[f.Name] = true
		if value := said(user.Get(f.Name)); value != "" {
			own = append(own, field{f.Value, value})
		}
	}
	return own, rest(user, shown)
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// message is a message in a channel.
type message struct {
	id        string
	text      string
	typ       string // regular, reply or system; deleted follows from deletedAt
	user      *user
	channel   *channel
	createdAt stamp
	updatedAt stamp
	deletedAt stamp
	pinnedAt  stamp
	seq       uint64
	parent    *message
	replies   *bag[*message]
	reactions []*reaction
	// fields are attachments, custom data and whatever else has no meaning here.
	fields    object
	mentioned []*user
	quoted    string
	pollID    string
	pinnedBy  string

	gone           bool
	pruned         bool
	silent         bool
	showInChannel  bool
	pinned         bool
	byDeactivation bool // deleted with its author's deactivation
}

func (m *message) isGone() bool { return m.gone }

// compare orders messages by time and, within a microsecond, by arrival.
func (m *message) compare(o *message) int {
	return cmp.Or(cmp.Compare(m.createdAt, o.createdAt), cmp.Compare(m.seq, o.seq))
}

const (
	maxText      = 5000
	maxMessageID = 255
)

// reservedMessageFields are Stream's own.
var reservedMessageFields = []string{
	"cid", "created_at", "updated_at", "deleted_at", "latest_reactions", "own_reactions", "reaction_counts",
	"reaction_scores", "reaction_groups", "reply_count", "deleted_reply_count", "quoted_message", "command",
	"shadowed", "thread_participants", "channel",
}

func messageRoutes() []route {
	return []route{
		newRoute(http.MethodGet, "messages/:", opGetMessage, anyone, (*Emulator).getMessage),
		newRoute(http.MethodPost, "messages/:", opUpdateMessage, anyone, (*Emulator).updateMessage),
		newRoute(http.MethodPut, "messages/:", opUpdateMessagePartial, anyone, (*Emulator).updateMessagePartial),
		newRoute(http.MethodDelete, "messages/:", opDeleteMessage, anyone, (*Emulator).deleteMessage),
		newRoute(http.MethodPost, "messages/:/undelete", opUndeleteMessage, serverOnly, (*Emulator).undeleteMessage),
		newRoute(http.MethodGet, "messages/:/replies", opGetReplies, anyone, (*Emulator).getReplies),
		newRoute(http.MethodGet, "search", opSearch, anyone, (*Emulator).search),
	}
}

func (e *Emulator) addMessage(m *message) {
	m.seq = e.nextSeq()
	e.messages[m.id] = m
	m.user.messages.add(m)
	ch := m.channel
	if n := len(ch.msgs.list); n > 0 && m.createdAt < ch.msgs.list[n-1].createdAt {
		ch.unsorted = true
	}
	ch.msgs.add(m)
	if m.parent != nil {
		if m.parent.replies == nil {
			m.parent.replies = &bag[*message]{}
		}
		m.parent.replies.add(m)
	}
}

// removeMessage is a hard deletion: the row goes, its reactions and replies too.
func (e *Emulator) removeMessage(m *message) {
	if m.gone {
		return
	}
	m.gone = true
	delete(e.messages, m.id)
	m.user.messages.lost()
	m.channel.msgs.lost()
	if m.parent != nil && m.parent.replies != nil {
		m.parent.replies.lost()
	}
	e.dropReactions(m)
	if m.replies != nil {
		for r := range m.replies.all() {
			e.removeMessage(r)
		}
		m.replies = nil
	}
}

// pruneMessage leaves a tombstone without content.
func (e *Emulator) pruneMessage(m *message, at stamp) {
	m.softDelete(at)
	m.byDeactivation = false
	m.pruned = true
	m.text, m.fields, m.mentioned, m.quoted, m.pollID = "", nil, nil, "", ""
	e.dropReactions(m)
}

func (m *message) softDelete(at stamp) {
	if m.deletedAt == 0 {
		m.deletedAt = at
		m.updatedAt = at
	}
}

func (m *message) undelete() { m.deletedAt, m.byDeactivation = 0, false }

// cut is when the message was truncated or left behind by its deleted channel;
// 0 if it shows.
func (m *message) cut() stamp {
	if from := m.channel.visibleFrom(); m.createdAt <= from {
		return from
	}
	return 0
}

// messageData is what a request says about a message.
type messageData struct {
	id            string
	text          string
	typ           string
	userID        string
	newUser       string // from a nested object: created if missing
	parentID      string
	quoted        string
	pollID        string
	mentioned     []string
	showInChannel bool
	silent        bool
	pinned        bool
	fields        object
}

func parseMessage(o object) (*messageData, error) {
	d := &messageData{}
	for _, f := range o {
		var err error
		switch f.key {
		case "id":
			err = decode(f.raw, &d.id)
		case "text":
			err = decode(f.raw, &d.text)
		case "type":
			err = decode(f.raw, &d.typ)
		case "user_id":
			err = decode(f.raw, &d.userID)
		case "user":
			var u struct {
				ID string `json:"id"`
			}
			err = decode(f.raw, &u)
			d.newUser = u.ID
		case "parent_id":
			err = decode(f.raw, &d.parentID)
		case "quoted_message_id":
			err = decode(f.raw, &d.quoted)
		case "poll_id":
			err = decode(f.raw, &d.pollID)
		case "mentioned_users":
			err = decode(f.raw, &d.mentioned)
		case "show_in_channel":
			err = decode(f.raw, &d.showInChannel)
		case "silent":
			err = decode(f.raw, &d.silent)
		case "pinned":
			err = decode(f.raw, &d.pinned)
		case "attachments":
			var list []object
			if err = decode(f.raw, &list); err == nil && len(list) > 0 {
				d.fields.set(f.key, f.raw)
			}
		case "html", "pinned_at", "pin_expires", "pinned_by":
			// Follows from the rest.
		default:
			if slices.Contains(reservedMessageFields, f.key) {
				err = bad("message.%s is a reserved field", f.key)
			}
			d.fields.set(f.key, f.raw)
		}
		if err != nil {
			return nil, err
		}
	}
	if utf8.RuneCountInString(d.text) > maxText {
		return nil, &apiError{http.StatusBadRequest, codeTooLong, "message text length limit of 5000 exceeded"}
	}
	return d, checkCustom(d.fields)
}

// sendMessage is POST /channels/{type}/{id}/message.
func (e *Emulator) sendMessage(c *call) error {
	var in struct {
		Message *object `json:"message"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.Message == nil {
		return bad("message is a required field")
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	m, err := e.post(c, ch, *in.Message, "", "regular")
	if err != nil {
		return err
	}
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	return nil
}

// callerID is whose own reactions a message shows.
func (c *call) callerID(asked string) string {
	if !c.server {
		return c.actor.id
	}
	return asked
}

// post adds a message from a request, in the name of by if it names nobody.
func (e *Emulator) post(c *call, ch *channel, o object, by, typ string) (*message, error) {
	d, err := parseMessage(o)
	if err != nil {
		return nil, err
	}
	if d.typ == "" {
		d.typ = typ
	}
	if d.typ != "regular" && d.typ != "system" {
		return nil, bad("message.type must be one of [regular system]")
	}
	var author *user
	switch {
	case !c.server:
		author = c.actor
	case d.userID == "" && d.newUser != "":
		author, err = e.userOrNew(d.newUser, c.now)
	default:
		author, err = c.actingUser(cmp.Or(d.userID, by), "message.user")
	}
	if err != nil {
		return nil, err
	}
	switch {
	case d.id == "":
		d.id = author.id + "-" + newID()
	case len(d.id) > maxMessageID || strings.ContainsAny(d.id, ",%"):
		return nil, bad("message id %s is not valid", d.id)
	case e.messages[d.id] != nil:
		return nil, bad("a message with ID %s already exists", d.id)
	}
	m := &message{
		id: d.id, text: d.text, typ: d.typ, user: author, channel: ch, createdAt: c.now, updatedAt: c.now,
		fields: d.fields, quoted: d.quoted, pollID: d.pollID, silent: d.silent, showInChannel: d.showInChannel,
	}
	if d.pinned {
		m.pinned, m.pinnedAt, m.pinnedBy = true, c.now, author.id
	}
	if d.parentID != "" {
		m.parent = e.messages[d.parentID]
		if m.parent == nil || m.parent.channel != ch {
			return nil, errNoMessage(d.parentID)
		}
		if m.parent.parent != nil {
			return nil, &apiError{http.StatusBadRequest, 21, "a reply can not have replies"}
		}
		m.typ = "reply"
	}
	if d.pollID != "" && e.polls[d.pollID] == nil {
		return nil, errNoPoll(d.pollID)
	}
	if m.mentioned, err = e.existing("message", d.mentioned); err != nil {
		return nil, err
	}
	e.addMessage(m)
	return m, nil
}

func errNoMessage(id string) error {
	return notFound("message with id %s doesn't exist", id)
}

// seen is the message of the path, if the caller may see it.
func (c *call) seen(id string) (*message, error) {
	m := c.e.messages[id]
	if m == nil {
		return nil, errNoMessage(id)
	}
	if !c.server && m.channel.members[c.actor.id] == nil {
		return nil, notAllowed("User '%s' with role %s is not allowed to perform action %s in scope '%s'",
			c.actor.id, c.actor.role, c.op, m.channel.typ)
	}
	return m, nil
}

// own is the message of the path, if the caller may change it.
func (c *call) own(id string) (*message, error) {
	m, err := c.seen(id)
	if err != nil {
		return nil, err
	}
	if !c.server && m.user != c.actor {
		return nil, notAllowed("User '%s' with role %s is not allowed to perform action %s in scope '%s'",
			c.actor.id, c.actor.role, c.op, m.channel.typ)
	}
	return m, nil
}

// alive refuses what cannot be done to the message of a deleted channel.
func (m *message) alive() error {
	if m.channel.deletedAt != 0 {
		return bad("the channel %s has been deleted", m.channel.cid) // the text's end is proven, dossier 5.2
	}
	return nil
}

// getMessage is GET /messages/{id}.
func (e *Emulator) getMessage(c *call) error {
	m, err := c.seen(c.arg(0))
	if err != nil {
		return err
	}
	c.out.key("message").open('{')
	c.out.messageFields(e, m, c.callerID(c.query.Get("user_id")), c.server && c.flag("show_deleted_message"))
	c.out.key("channel")
	c.out.channel(e, m.channel)
	c.out.shut('}')
	return nil
}

// getManyMessages is GET /channels/{type}/{id}/messages?ids=a,b.
func (e *Emulator) getManyMessages(c *call) error {
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	ids := c.query.Get("ids")
	if ids == "" {
		return bad("ids is a required field")
	}
	c.out.key("messages").open('[')
	for _, id := range unique(strings.Split(ids, ",")) {
		if m := e.messages[id]; m != nil && m.channel == ch {
			c.out.message(e, m, c.callerID(""))
		}
	}
	c.out.shut(']')
	return nil
}

// updateMessage is POST /messages/{id}: it replaces the message's data.
func (e *Emulator) updateMessage(c *call) error {
	var in struct {
		Message *object `json:"message"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.Message == nil {
		return bad("message is a required field")
	}
	m, err := c.own(c.arg(0))
	if err != nil {
		return err
	}
	if err := m.alive(); err != nil {
		return err
	}
	if m.deletedAt != 0 {
		return bad("message with id %s has been deleted", m.id)
	}
	d, err := parseMessage(*in.Message)
	if err != nil {
		return err
	}
	if c.server {
		if _, err := c.actingUser(cmp.Or(d.userID, d.newUser), "message.user"); err != nil {
			return err
		}
	}
	mentioned, err := e.existing("message", d.mentioned)
	if err != nil {
		return err
	}
	m.text, m.fields, m.mentioned, m.silent, m.updatedAt = d.text, d.fields, mentioned, d.silent, c.now
	m.pin(d.pinned, cmp.Or(d.userID, m.user.id), c.now)
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	return nil
}

func (m *message) pin(pinned bool, by string, now stamp) {
	if pinned == m.pinned {
		return
	}
	m.pinned, m.pinnedAt, m.pinnedBy = pinned, now, by
	if !pinned {
		m.pinnedAt, m.pinnedBy = 0, ""
	}
}

// updateMessagePartial is PUT /messages/{id}.
func (e *Emulator) updateMessagePartial(c *call) error {
	var in struct {
		Set    object   `json:"set"`
		Unset  []string `json:"unset"`
		UserID string   `json:"user_id"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	m, err := c.own(c.arg(0))
	if err != nil {
		return err
	}
	if err := m.alive(); err != nil {
		return err
	}
	if m.deletedAt != 0 {
		return bad("message with id %s has been deleted", m.id)
	}
	fields, text, pinned := m.fields.clone(), m.text, m.pinned
	for _, f := range in.Set {
		switch {
		case f.key == "text":
			err = decode(f.raw, &text)
		case f.key == "pinned":
			err = decode(f.raw, &pinned)
		case f.key == "pin_expires":
		case f.key == "id" || slices.Contains(reservedMessageFields, f.key):
			err = bad("message.%s is a reserved field", f.key)
		default:
			fields.setPath(f.key, f.raw)
		}
		if err != nil {
			return err
		}
	}
	for _, k := range in.Unset {
		fields.unsetPath(k)
	}
	if err := checkCustom(fields); err != nil {
		return err
	}
	m.fields, m.text, m.updatedAt = fields, text, c.now
	m.pin(pinned, cmp.Or(in.UserID, m.user.id), c.now)
	c.out.key("message")
	c.out.message(e, m, c.callerID(in.UserID))
	return nil
}

// deleteMessage is DELETE /messages/{id}. Both modes return the message as
// deleted.
func (e *Emulator) deleteMessage(c *call) error {
	m, err := c.own(c.arg(0))
	if err != nil {
		return err
	}
	if by := c.query.Get("deleted_by"); by != "" && c.server {
		if _, err := e.activeUser(by); err != nil {
			return err
		}
	}
	if c.flag("delete_for_me") {
		return bad("delete_for_me is not emulated")
	}
	hard := c.flag("hard")
	if !hard {
		if err := m.alive(); err != nil {
			return err
		}
	}
	// unproven: dossier 15, a second soft deletion leaves the same tombstone.
	m.softDelete(c.now)
	m.byDeactivation = false
	c.out.key("message")
	c.out.message(e, m, c.callerID(""))
	if hard {
		e.removeMessage(m)
	}
	return nil
}

// undeleteMessage is POST /messages/{id}/undelete.
func (e *Emulator) undeleteMessage(c *call) error {
	var in struct {
		By string `json:"undeleted_by"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	m, err := c.seen(c.arg(0))
	if err != nil {
		return err
	}
	if in.By == "" {
		return bad("undeleted_by is a required field")
	}
	if _, err := e.activeUser(in.By); err != nil {
		return err
	}
	if err := m.alive(); err != nil {
		return err
	}
	switch {
	case m.deletedAt == 0 || m.pruned:
		return bad("message with id %s is not deleted", m.id)
	case m.parent != nil && m.parent.deletedAt != 0:
		return bad("the parent message %s has been deleted", m.parent.id)
	}
	m.undelete()
	m.updatedAt = c.now
	c.out.key("message")
	c.out.message(e, m, in.By)
	return nil
}

// getReplies is GET /messages/{id}/replies.
func (e *Emulator) getReplies(c *call) error {
	m, err := c.seen(c.arg(0))
	if err != nil {
		return err
	}
	limit := c.number("limit", 25)
	if limit < 0 || limit > 300 {
		return bad("limit must be 300 or less")
	}
	var list []*message
	if m.replies != nil {
		for r := range m.replies.all() {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, (*message).compare)
	for param, keep := range map[string]func(order int) bool{
		"id_lt":  func(o int) bool { return o < 0 },
		"id_lte": func(o int) bool { return o <= 0 },
		"id_gt":  func(o int) bool { return o > 0 },
		"id_gte": func(o int) bool { return o >= 0 },
	} {
		id := c.query.Get(param)
		if id == "" {
			continue
		}
		pivot := e.messages[id]
		if pivot == nil {
			return errNoMessage(id)
		}
		list = slices.DeleteFunc(list, func(r *message) bool { return !keep(r.compare(pivot)) })
	}
	// The newest page, unless it is asked for what comes after a message.
	if len(list) > limit && c.query.Get("id_gt") == "" && c.query.Get("id_gte") == "" {
		list = list[len(list)-limit:]
	}
	c.out.key("messages").open('[')
	for _, r := range page(list, 0, limit) {
		c.out.message(e, r, c.callerID(""))
	}
	c.out.shut(']')
	return nil
}

// message writes a message as the endpoints of channels and messages return it.
func (e *enc) message(em *Emulator, m *message, caller string) {
	e.open('{')
	e.messageFields(em, m, caller, false)
	e.shut('}')
}

// messageFields writes a message's members; original shows a soft-deleted one
// as it was.
func (e *enc) messageFields(em *Emulator, m *message, caller string, original bool) {
	deletedAt := m.deletedAt
	if deletedAt == 0 {
		deletedAt = m.cut() // unproven: what a truncated message looks like
	}
	if original && !m.pruned {
		deletedAt = 0
	}
	e.messageHead(m, deletedAt)
	e.key("user")
	e.user(m.user)
	e.messageBody(em, m, caller, true)
	e.ktimeIf("deleted_at", deletedAt)
	if m.quoted != "" {
		if q := em.messages[m.quoted]; q != nil {
			e.key("quoted_message").open('{')
			e.messageHead(q, q.deletedAt)
			e.key("user")
			e.user(q.user)
			e.kstr("cid", q.channel.cid)
			e.ktime("created_at", q.createdAt)
			e.ktime("updated_at", q.updatedAt)
			e.shut('}')
		}
	}
	if p := em.polls[m.pollID]; p != nil {
		e.key("poll")
		e.poll(em, p)
	}
	e.fieldsExcept(m.fields, "attachments")
}

func (e *enc) messageHead(m *message, deletedAt stamp) {
	e.kstr("id", m.id)
	e.kstr("text", m.text)
	e.kstr("html", m.html())
	if deletedAt != 0 {
		e.kstr("type", "deleted")
	} else {
		e.kstr("type", m.typ)
	}
}

func (m *message) html() string {
	if m.text == "" {
		return ""
	}
	return "<p>" + html.EscapeString(m.text) + "</p>\n"
}

// messageBody writes what an export and the API have in common. In the export
// of a user nobody's objects are embedded.
func (e *enc) messageBody(em *Emulator, m *message, caller string, embed bool) {
	e.key("attachments")
	if raw, ok := m.fields.get("attachments"); ok {
		e.raw(raw)
	} else {
		e.raw([]byte("[]"))
	}
	e.reactionSummary(m, caller, embed)
	live, deleted := 0, 0
	if m.replies != nil {
		for r := range m.replies.all() {
			if r.deletedAt == 0 {
				live++
			} else {
				deleted++
			}
		}
	}
	e.kint("reply_count", live)
	e.kint("deleted_reply_count", deleted)
	if m.parent != nil {
		e.kstr("parent_id", m.parent.id)
		e.kbool("show_in_channel", m.showInChannel)
	}
	e.kstr("cid", m.channel.cid)
	e.ktime("created_at", m.createdAt)
	e.ktime("updated_at", m.updatedAt)
	e.kbool("shadowed", false)
	e.key("mentioned_users").open('[')
	if embed {
		for _, u := range m.mentioned {
			if !u.wiped {
				e.user(u)
			}
		}
	}
	e.shut(']')
	e.kbool("silent", m.silent)
	e.kbool("pinned", m.pinned)
	e.ktimeOrNull("pinned_at", m.pinnedAt)
	e.key("pinned_by")
	if embed {
		e.user(em.users[m.pinnedBy])
	} else {
		e.null()
	}
	e.knull("pin_expires")
	if m.quoted != "" {
		e.kstr("quoted_message_id", m.quoted)
	}
	if m.pollID != "" {
		e.kstr("poll_id", m.pollID)
	}
}

func (e *enc) fieldsExcept(o object, but string) {
	for _, f := range o {
		if f.key != but {
			e.key(f.key).raw(f.raw)
		}
	}
}

var messageSchema = &schema{
	noun: "messages",
	fields: map[string]fieldRule{
		"id":                 rule(kindString, opsRange...),
		"text":               rule(kindString, rangeAnd("$any", "$autocomplete", "$q")...),
		"type":               rule(kindString, opsRange...),
		"cid":                rule(kindString, opsRange...),
		"parent_id":          rule(kindString, opsRange...),
		"user.id":            rule(kindString, opsEqIn...),
		"user_id":            rule(kindString, opsEqIn...),
		"mentioned_users.id": rule(kindStrings, "$contains"),
		"created_at":         rule(kindDate, opsRange...),
		"updated_at":         rule(kindDate, opsRange...),
		"reply_count":        rule(kindNumber, opsRange...),
		"pinned":             rule(kindBool, opsEq...),
		"attachments":        rule(kindStrings, "$exists"),
		"attachments.type":   rule(kindStrings, opsEqIn...),
	},
	custom: []string{"$eq", "$gt", "$gte", "$in", "$lt", "$lte"},
}

func (m *message) value(field string) value {
	switch field {
	case "id":
		return textValue(m.id)
	case "text":
		return textValue(m.text)
	case "type":
		return textValue(m.typ)
	case "cid":
		return textValue(m.channel.cid)
	case "user.id", "user_id":
		return textValue(m.user.id)
	case "parent_id":
		if m.parent == nil {
			return value{kind: kindString}
		}
		return textValue(m.parent.id)
	case "created_at":
		return timeValue(m.createdAt)
	case "updated_at":
		return timeValue(m.updatedAt)
	case "pinned":
		return boolValue(m.pinned)
	case "reply_count":
		if m.replies == nil {
			return intValue(0)
		}
		return intValue(m.replies.size())
	case "mentioned_users.id":
		var ids []string
		for _, u := range m.mentioned {
			ids = append(ids, u.id)
		}
		return listValue(ids)
	case "attachments.type":
		raw, _ := m.fields.get("attachments")
		var list []struct {
			Type string `json:"type"`
		}
		_ = json.Unmarshal(raw, &list)
		var types []string
		for _, a := range list {
			types = append(types, a.Type)
		}
		return listValue(types)
	}
	return customValue(m.fields.path(strings.TrimPrefix(field, "custom.")))
}

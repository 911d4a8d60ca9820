// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"cmp"
	"encoding/json"
)

// deleteChannel is DELETE /channels/{type}/{id}.
func (e *Emulator) deleteChannel(c *call) error {
	cid := c.path("type") + ":" + c.path("id")
	hard := c.flag("hard_delete")
	ch, ok := e.channels[cid]
	// unproven: dossier 15, a repeated soft deletion.
	if !ok || ch.deletedAt != 0 && !hard {
		return errNoChannel(cid)
	}
	if err := c.mayDelete(ch); err != nil {
		return err
	}
	if ch.deletedAt == 0 {
		ch.deletedAt = c.now
	}
	if hard {
		// unproven: dossier 5.2, queued like DeleteChannels.
		e.later(c, func(stamp) { e.removeChannel(ch) })
	}
	// Without custom fields, creator and last message, as in the suite of 2021.
	c.out.key("channel").open('{')
	c.out.kstr("id", ch.id)
	c.out.kstr("type", ch.typ)
	c.out.kstr("cid", ch.cid)
	c.out.ktime("created_at", ch.createdAt)
	c.out.ktime("updated_at", ch.updatedAt)
	c.out.ktime("deleted_at", ch.deletedAt)
	c.out.knull("created_by")
	c.out.kbool("frozen", ch.frozen)
	c.out.kbool("disabled", ch.disabled)
	c.out.channelConfig(ch)
	c.out.shut('}')
	return nil
}

// mayDelete: of the end users only the creator deletes a channel.
func (c *call) mayDelete(ch *channel) error {
	if c.server || ch.createdByID == c.actor.id {
		return nil
	}
	return notAllowed("User '%s' with role %s is not allowed to perform action DeleteChannel in scope '%s'",
		c.actor.id, c.actor.role, ch.typ)
}

// deleteChannels is POST /channels/delete: a task for a back end, at once for
// an end user.
func (e *Emulator) deleteChannels(c *call) error {
	var in struct {
		CIDs []string `json:"cids"`
		Hard bool     `json:"hard_delete"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if len(in.CIDs) == 0 || len(in.CIDs) > maxIDs {
		return bad("cids must contain 1 to %d items", maxIDs)
	}
	cids := unique(in.CIDs)
	targets := map[string]*channel{}
	for _, cid := range cids {
		if ch := e.channels[cid]; ch != nil {
			if err := c.mayDelete(ch); err != nil {
				return err
			}
			targets[cid] = ch
		}
	}
	if len(targets) == 0 {
		return notFound("channels not found")
	}
	for _, ch := range targets {
		if ch.deletedAt == 0 {
			ch.deletedAt = c.now // the queries miss it at once
		}
	}
	if !c.server {
		c.deletedAtOnce(cids, targets, in.Hard)
		return nil
	}
	t := e.startItemTask(c, cids, func(cid string) string {
		if targets[cid] == nil {
			return missingChannel
		}
		return ""
	}, func(done []string, _ stamp) {
		if !in.Hard {
			return
		}
		for _, cid := range done {
			e.removeChannel(targets[cid])
		}
	})
	c.out.kstr("task_id", t.id)
	return nil
}

const missingChannel = "channel not found" // unproven: dossier 15, some cids unknown

// deletedAtOnce finishes an end user's deletion and writes its result.
func (c *call) deletedAtOnce(cids []string, targets map[string]*channel, hard bool) {
	c.out.key("result").open('{')
	for _, cid := range cids {
		c.out.key(cid).open('{')
		if ch := targets[cid]; ch == nil {
			c.out.kstr("status", "error")
			c.out.kstr("error", missingChannel)
		} else {
			if hard {
				c.e.removeChannel(ch)
			}
			c.out.kstr("status", "ok")
		}
		c.out.shut('}')
	}
	c.out.shut('}')
}

// truncateChannel is POST /channels/{type}/{id}/truncate.
func (e *Emulator) truncateChannel(c *call) error {
	var in struct {
		Hard        bool            `json:"hard_delete"`
		TruncatedAt json.RawMessage `json:"truncated_at"`
		Message     *object         `json:"message"`
		UserID      string          `json:"user_id"`
		User        object          `json:"user"`
		MemberIDs   []string        `json:"member_ids"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	ch, err := c.pathChannel()
	if err != nil {
		return err
	}
	at, err := parseStamp(in.TruncatedAt)
	if err != nil {
		return err
	}
	at = cmp.Or(at, c.now)
	switch {
	case len(in.MemberIDs) > maxIDs:
		return bad("member_ids must contain at most %d items", maxIDs)
	case len(in.MemberIDs) == 0 && at < ch.truncatedAt:
		return bad("truncated_at must be more recent than previous one")
	}
	by := ""
	u, err := c.namedIfAny(in.UserID, in.User, "user")
	if err != nil {
		return err
	}
	if u != nil {
		by = u.id
	}
	posted, err := c.systemMessage(ch, in.Message, by)
	if err != nil {
		return err
	}
	if len(in.MemberIDs) > 0 {
		ch.hideFrom(in.MemberIDs, at)
	} else {
		e.truncate(c, ch, at, by, in.Hard)
	}
	if posted != nil {
		// The message is later than the truncation that it announces.
		posted.createdAt = max(posted.createdAt, at+1000)
		posted.updatedAt = posted.createdAt
		e.addMessage(posted)
	}
	c.out.key("channel")
	c.out.channel(e, ch)
	if posted != nil {
		c.out.key("message")
		c.out.message(e, posted, by)
	}
	return nil
}

// hideFrom hides the history from some members.
func (ch *channel) hideFrom(ids []string, at stamp) {
	for _, id := range ids {
		if m := ch.members[id]; m != nil {
			m.hideBefore = at
		}
	}
}

func (e *Emulator) truncate(c *call, ch *channel, at stamp, by string, hard bool) {
	ch.truncatedAt, ch.truncatedBy, ch.updatedAt = at, by, c.now
	if hard {
		// There is no task to ask for, but the rows go later, and their ids are
		// taken until then.
		e.later(c, func(stamp) { e.dropBefore(ch, at) })
	}
}

// dropBefore hard-deletes a channel's messages up to a time.
func (e *Emulator) dropBefore(ch *channel, at stamp) {
	for m := range ch.msgs.all() {
		if m.createdAt <= at {
			e.removeMessage(m)
		}
	}
}

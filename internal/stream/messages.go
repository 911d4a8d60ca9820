// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is what Stream says about a message, without its content.
type Message struct {
	ID string
	// AuthorID is who wrote it, "" when Stream did not say.
	AuthorID string
	// CID is the channel that it is in, "" when Stream did not say. Reactions: it has some.
	CID       string
	Reactions bool
	// Replies: it has some, which a hard deletion takes along.
	Replies bool
	// Deleted: it is a tombstone. After a soft deletion Stream still has the
	// content.
	Deleted   bool
	CreatedAt *time.Time // UTC, nil when Stream did not say
}

// ValidMessageID is Stream's rule for message ids (stream-api.md §13), less the
// two that an HTTP path takes for something else. Slashes and the like are
// escaped.
func ValidMessageID(id string) bool {
	n := utf8.RuneCountInString(id)
	return n >= 1 && n <= 255 && utf8.ValidString(id) && !strings.ContainsAny(id, ",%") && id != "." && id != ".."
}

// GetMessage looks a message up (GET /messages/{id}, stream-api.md §6). One that
// never existed or was deleted hard is KindNotFound: Stream does not tell.
func (c *Client) GetMessage(ctx context.Context, id string) (Message, error) {
	if !ValidMessageID(id) {
		return Message{}, refuse(OpGetMessage, "the id is none that a message can have")
	}
	return call(ctx, c, request{op: OpGetMessage, path: []string{id}}, func(body []byte) (Message, error) {
		return decodeMessage(body, id)
	})
}

// DeleteMessage deletes a message, at once (DELETE /messages/{id}, stream-api.md
// §6). Hard takes its reactions and replies along; soft keeps the content at
// Stream. The answer must hold that very message as deleted. A message that is
// not there is KindNotFound.
func (c *Client) DeleteMessage(ctx context.Context, id string, hard bool) (Message, error) {
	if !ValidMessageID(id) {
		return Message{}, refuse(OpDeleteMessage, "the id is none that a message can have")
	}
	query := url.Values{"hard": {strconv.FormatBool(hard)}}
	return call(ctx, c, request{op: OpDeleteMessage, path: []string{id}, query: query}, func(body []byte) (Message, error) {
		message, err := decodeMessage(body, id)
		if err == nil && !message.Deleted {
			err = shapeError("the message is not marked as deleted in it")
		}
		return message, err
	})
}

func decodeMessage(body []byte, id string) (Message, error) {
	answer, _ := decodeObject(body)
	message, err := decodeRow(answer["message"])
	if err == nil && message.ID != id {
		err = shapeError("the answer is about another message")
	}
	if err != nil {
		return Message{}, err
	}
	return message, nil
}

// maxReplyPages bounds the pages of replies that are read of one message.
const maxReplyPages = 10

// Repliers are the authors of the replies to a message (GET /messages/{id}/replies,
// stream-api.md §6), the newest first. all is false when there are more than are read.
func (c *Client) Repliers(ctx context.Context, id string) (authors []string, all bool, err error) {
	query := url.Values{"limit": {strconv.Itoa(reactionPage)}}
	for range maxReplyPages {
		page, err := call(ctx, c, request{op: OpGetReplies, path: []string{id}, query: query}, func(body []byte) (page []Message, err error) {
			answer, _ := decodeObject(body)
			rows, err := answer.list("messages")
			for i := 0; i < len(rows) && err == nil; i++ {
				var message Message
				message, err = decodeRow(rows[i])
				page = append(page, message)
			}
			return page, err
		})
		if err != nil {
			return nil, false, err
		}
		for _, reply := range page {
			authors = append(authors, reply.AuthorID)
		}
		if len(page) < reactionPage {
			return authors, true, nil
		}
		query.Set("id_lt", page[0].ID)
	}
	return authors, false, nil
}

func decodeRow(raw json.RawMessage) (Message, error) {
	row, ok := decodeObject(raw)
	if !ok {
		return Message{}, shapeError("message is not an object")
	}
	got, err := row.must("id")
	if err != nil {
		return Message{}, err
	}
	kind, err := row.must("type")
	if err != nil {
		return Message{}, err
	}
	created, err := row.moment("created_at")
	if err != nil {
		return Message{}, err
	}
	message := Message{ID: got, Deleted: kind == "deleted", CreatedAt: created}
	message.CID, _ = row.text("cid")
	var latest []json.RawMessage
	var counts object
	_, _ = json.Unmarshal(row["latest_reactions"], &latest), json.Unmarshal(row["reaction_counts"], &counts)
	message.Reactions = len(latest) > 0 || len(counts) > 0
	var replies float64
	_ = json.Unmarshal(row["reply_count"], &replies)
	message.Replies = replies > 0
	message.AuthorID, err = row.author()
	return message, err
}

// author is who wrote a message, "" where it does not say.
func (o object) author() (id string, err error) {
	user, _ := decodeObject(o["user"])
	if id, err = user.text("id"); id == "" && err == nil {
		id, err = o.text("user_id")
	}
	return id, err
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
)

// Reacted reports that a user is among those who reacted to a message, as far as
// ReactionsBy can read. A message that is gone has no reactions.
func (c *Client) Reacted(ctx context.Context, messageID, userID string) (bool, error) {
	list, _, err := c.ReactionsBy(ctx, messageID, userID, maxOffset+reactionPage)
	if IsNotFound(err) {
		err = nil
	}
	return len(list) > 0, err
}

// ReactionsBy returns the reactions of a user to a message, one of each type,
// as Stream sent them (GET /messages/{id}/reactions, stream-api.md §6). total is
// how many reactions of all people the message is known to have: reading stops
// there. all is false when Stream gives no more although there should be. A
// message that is gone is KindNotFound. The offset ends at maxOffset, so a
// message's newest 1,300 can be read.
func (c *Client) ReactionsBy(ctx context.Context, messageID, userID string, total int) (list []json.RawMessage, all bool, err error) {
	types := map[string]bool{}
	for offset, read := 0, 0; read < total; {
		page, err := call(ctx, c, request{
			op: OpGetReactions, path: []string{messageID},
			query: url.Values{"limit": {strconv.Itoa(reactionPage)}, "offset": {strconv.Itoa(offset)}},
		}, func(body []byte) ([]json.RawMessage, error) {
			answer, ok := decodeObject(body)
			if !ok {
				return nil, shapeError("the answer is not an object")
			}
			return answer.list("reactions")
		})
		if err != nil {
			return nil, false, err
		}
		if len(page) == 0 {
			return list, false, nil
		}
		for _, raw := range page {
			reaction, _ := decodeObject(raw)
			by, err := reaction.text("user_id")
			if err != nil {
				return nil, false, unexpected(OpGetReactions, 200, err)
			}
			if by != userID {
				continue
			}
			kind, err := reaction.must("type")
			if err != nil {
				return nil, false, unexpected(OpGetReactions, 200, err)
			}
			// One that comes in between moves the pages, so that one comes twice.
			if !types[kind] {
				types[kind] = true
				list = append(list, raw)
			}
		}
		if read = offset + len(page); read < total && offset == maxOffset {
			return list, false, nil
		}
		offset = min(read, maxOffset)
	}
	return list, true, nil
}

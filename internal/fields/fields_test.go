// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package fields_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/fields"
)

// kinds are the types of Stream's OpenAPI description that are somebody's. The fields of
// the other types that an export reaches hold nobody.
var kinds = map[string]fields.Kind{
	"ExportUserResponse": fields.Export, "UserResponse": fields.User, "FullUserResponse": fields.User, "MessageResponse": fields.Message,
	"DraftResponse": fields.Draft, "DraftPayloadResponse": fields.Written, "ReactionResponse": fields.Reaction,
	"ReactionGroupResponse": fields.Group, "ReactionGroupUserResponse": fields.Reaction, "PollResponseData": fields.Poll,
	"PollVoteResponseData": fields.Vote, "ReminderResponseData": fields.Reminder, "SharedLocationResponseData": fields.Location,
	"ChannelResponse": fields.Channel, "ChannelMemberResponse": fields.Member, "ChannelMemberPartialResponse": fields.Member,
	"UserGroupResponse": fields.UserGroup, "UserGroupMember": fields.Member, "DeviceResponse": fields.Device,
	"UserMuteResponse": fields.Mute, "ChannelMute": fields.Mute, "Attachment": fields.Attached,
}

// The table has every field of Stream's that holds somebody, or a reference to one, in all
// that its description of a user's export reaches.
func TestFieldsOfTheDescription(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var described map[string]map[string]any
	if err := json.Unmarshal(raw, &described); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, properties := range described {
		is := kinds[name]
		for field, typ := range properties {
			within := false
			for list, nested := typ.([]any); nested; list, nested = typ.([]any) {
				within = within || list[0] == "map"
				typ = list[1]
			}
			of := is.Of(field)
			want := kinds[typ.(string)]
			switch {
			case want != fields.Custom && within: // an object by whatever names
				of = of.Of("anything")
			case typ == "string" && (strings.HasSuffix(field, "user_id") || strings.HasSuffix(field, "user_ids") || strings.HasSuffix(field, "_by_id")):
				want = fields.UserID
			case typ == "string" && (field == "created_by" || field == "truncated_by"):
				want = fields.UserID
			default:
			}
			if want == fields.Custom {
				continue
			}
			n++
			if of != want && !(of == fields.Cast && want == fields.Vote) {
				t.Errorf("%s.%s holds %q, the table says %q", name, field, want, of)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d fields", n)
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

// three share a room, and all have said something there; two have a conversation.
var (
	three = World{Rooms: []Room{{Members: []int{0, 1, 2}, By: []int{0, 1, 2}}}}
	both  = World{Rooms: []Room{{Members: []int{0, 1}, By: []int{0, 1}}}}
)

var cases = []Case{
	{
		Name: "a saved plan of a batch meets other people",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: EraseAll, Name: "a", Who: []int{0}, Veiled: true, Mode: "hard"}},
			{Run: &Run{Shift: 1}},
		}},
	},
	{
		Name: "a saved plan of a staged batch meets other people",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: EraseAll, Name: "a", Who: []int{0}, Veiled: true, Mode: "hard", Grace: true}},
			{Run: &Run{Shift: 1}},
		}},
	},
	{
		Name: "somebody else deletes softly in the period",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Mode: "hard", Grace: true, Who: []int{0}}}, {Run: &Run{}},
			{Event: &Event{What: softly}}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody else deletes for good in the period",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Mode: "hard", Grace: true, Who: []int{0}}}, {Run: &Run{}},
			{Event: &Event{What: finally}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a query does not list whom the batch restricted",
		Story: Story{World: World{Leavers: []int{0}}, Steps: []Step{
			{Set: &Block{Kind: EraseAll, Name: "a", Query: true, Mode: "hard", Grace: true}}, {Run: &Run{}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a restriction gives way to a staged erasure",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}}}, {Run: &Run{}},
			{Drop: "a"}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{0}, Mode: "hard", Grace: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a restriction ends beside a staged erasure",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{0}, Mode: "hard", Grace: true}}, {Run: &Run{}},
			{Drop: "a"}, {Run: &Run{}},
		}},
	},
	{
		Name: "one of two restrictions ends",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}}}, {Run: &Run{}},
			{Set: &Block{Kind: Restrict, Name: "b", Who: []int{0}}}, {Run: &Run{}},
			{Drop: "a"}, {Run: &Run{}},
		}},
	},
	{
		Name: "a staged erasure is called off beside a restriction",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard", Grace: true}}, {Run: &Run{}},
			{Set: &Block{Kind: Restrict, Name: "b", Who: []int{0}}}, {Run: &Run{}},
			{Drop: "a"}, {Run: &Run{}},
		}},
	},
	{
		Name: "a restriction of somebody deleted softly",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{0}, Mode: "soft", Restore: true}}, {Run: &Run{}}, {Run: &Run{}},
			{Drop: "b"}, {Run: &Run{}},
		}},
	},
	{
		Name:  "a room is erased under protected roles",
		Story: Story{World: both, Guards: Guards{Roles: true}, Steps: []Step{{Set: &Block{Kind: EraseRoom, Name: "a", Who: []int{0}, Hard: true}}, {Run: &Run{}}}},
	},
	{
		Name:  "rooms are erased under protected roles",
		Story: Story{World: both, Guards: Guards{Roles: true}, Steps: []Step{{Set: &Block{Kind: EraseRooms, Name: "a", Who: []int{0}, Hard: true}}, {Run: &Run{}}}},
	},
	{
		Name:  "a message is erased under protected roles",
		Story: Story{World: both, Guards: Guards{Roles: true}, Steps: []Step{{Set: &Block{Kind: EraseSlip, Name: "a", Who: []int{0, 1}, Hard: true}}, {Run: &Run{}}}},
	},
	{
		Name:  "a room is truncated under protected roles",
		Story: Story{World: both, Guards: Guards{Roles: true}, Steps: []Step{{Set: &Block{Kind: Truncate, Name: "a", Who: []int{0}, Hard: true}}, {Run: &Run{}}}},
	},
	{
		Name: "an export beside the erasure of a message",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: Export, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: EraseSlip, Name: "b", Who: []int{0, 0}, Hard: true}},
			{Run: &Run{Fault: &Fault{Kind: "500", Op: "ExportUser", Times: 3}}},
		}},
	},
	{
		Name: "an export beside the erasure of a room",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: Export, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: EraseRoom, Name: "b", Who: []int{0}, Hard: true}},
			{Run: &Run{Fault: &Fault{Kind: "500", Op: "ExportUser", Times: 3}}},
		}},
	},
	{
		Name: "an export beside a truncation",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: Export, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: Truncate, Name: "b", Who: []int{0}, Hard: true}},
			{Run: &Run{Fault: &Fault{Kind: "500", Op: "ExportUser", Times: 3}}},
		}},
	},
	{
		Name: "an export beside the erasure of the other in a conversation",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: Export, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{1}, Mode: "hard"}},
			{Run: &Run{Fault: &Fault{Kind: "500", Op: "ExportUser", Times: 3}}},
		}},
	},
	{
		Name: "an export of a room beside the erasure of a message",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: ExportRooms, Name: "a", Who: []int{0}}}, {Set: &Block{Kind: EraseSlip, Name: "b", Who: []int{0, 0}, Hard: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a room shrinks within the run",
		Story: Story{World: three, Guards: Guards{Protect: []int{2}}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard"}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{1}, Mode: "hard", KeepFiles: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a room shrinks between two calls of one batch",
		Story: Story{World: World{Crowd: 100, Rooms: []Room{{Members: []int{0, 1, first + 99}}}}, Guards: Guards{Protect: []int{1}}, Steps: []Step{
			{Set: &Block{Kind: EraseAll, Name: "a", Who: []int{0}, Crowd: true, Mode: "hard"}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a deletion of somebody with a conversation is raised",
		Story: Story{World: both, Guards: Guards{Protect: []int{1}}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "soft"}}, {Run: &Run{}},
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard"}}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody on hold is deleted softly by others",
		Story: Story{World: World{Held: []int{1}}, Guards: Guards{Hold: true}, Steps: []Step{
			{Event: &Event{What: softly, Who: 1}}, {Set: &Block{Kind: Erase, Name: "a", Who: []int{1}, Mode: "hard"}}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody protected wrote in a room and is no member",
		Story: Story{World: three, Guards: Guards{Protect: []int{1}}, Steps: []Step{
			{Event: &Event{What: softly, Who: 1}}, {Set: &Block{Kind: EraseRoom, Name: "a", Who: []int{0}, Hard: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody protected wrote in a conversation of others",
		Story: Story{World: World{Rooms: []Room{{Members: []int{0, 1}, By: []int{2}}}}, Guards: Guards{Protect: []int{2}}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard"}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a second block overtakes a scheduled erasure",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard", Grace: true}}, {Run: &Run{}},
			{Set: &Block{Kind: Erase, Name: "b", Who: []int{0}, Mode: "soft"}}, {Run: &Run{}}, {Run: &Run{}},
		}},
	},
	{
		Name: "two blocks of one room in two runs",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: EraseRoom, Name: "a", Who: []int{0}}}, {Run: &Run{}},
			{Set: &Block{Kind: EraseRooms, Name: "b", Who: []int{0}}}, {Run: &Run{}},
		}},
	},
	{
		Name:  "somebody protected is restricted",
		Story: Story{World: both, Guards: Guards{Protect: []int{0}}, Steps: []Step{{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}, Mark: true}}, {Run: &Run{}}}},
	},
	{
		Name: "a held member of a room that shrinks is seen late",
		Story: Story{World: World{Held: []int{2}, Rooms: three.Rooms}, Guards: Guards{Hold: true}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard"}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{1}, Mode: "hard", Grace: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "two blocks of one message",
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: EraseSlip, Name: "a", Who: []int{0, 0}}}, {Run: &Run{}},
			{Set: &Block{Kind: EraseSlip, Name: "b", Who: []int{0, 0}}}, {Run: &Run{}},
		}},
	},
	{
		Name: "an import beside a new batch of the same person",
		Story: Story{Steps: []Step{
			{Event: &Event{What: finally}},
			{Set: &Block{Kind: EraseAll, Name: "a", Who: []int{0}, Mode: "hard"}}, {Set: &Block{Kind: Erase, Name: "b", Who: []int{0}, Mode: "hard", Import: true}}, {Run: &Run{}},
		}},
	},
	{
		Name: "the heir is restricted in the run", Fault: "an heir is looked up as of now",
		Shows: []string{"I10 the apply fails: New owner not found (user_erasure)"},
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "pruning", Heir: []int{1}}}, {Set: &Block{Kind: Restrict, Name: "b", Who: []int{1}}}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody to be restored is gone for good", Fault: "a restore that fails for ever",
		Shows: []string{"I10 the apply fails: Stream refused the request (user_erasure)"},
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: EraseAll, Name: "a", Who: []int{0}, Mode: "soft", Restore: true}}, {Run: &Run{}},
			{Event: &Event{What: finally}}, {Drop: "a"}, {Run: &Run{}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a retention policy gets another name",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Policy, Name: "a"}}, {Run: &Run{}}, {Rename: [2]string{"a", "b"}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a guard is taken away in the period",
		Story: Story{Guards: Guards{Hold: true}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard", Grace: true}}, {Run: &Run{}},
			{Event: &Event{What: holds}}, {Guards: &Guards{}}, {Wait: true}, {Run: &Run{}},
		}},
	},
	{
		Name: "somebody gets another name before the apply",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard", Expect: "right"}}, {Run: &Run{Between: &Event{What: renames}}}, {Run: &Run{}},
		}},
	},
	{
		Name: "a restriction is lifted and set again by others",
		Story: Story{Steps: []Step{
			{Set: &Block{Kind: Restrict, Name: "a", Who: []int{0}}}, {Run: &Run{}},
			{Event: &Event{What: reactivate}}, {Run: &Run{Between: &Event{What: deactivate}}},
		}},
	},
	{
		Name: "destroy = false and a tainted message erasure", Fault: "what OpenTofu forgets is handed to nobody",
		Shows: []string{"I10 the apply fails: Subject not found (message_erasure)"},
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: EraseSlip, Name: "a", Who: []int{0, 0}, Hard: true, Keep: true}}, {Run: &Run{}}, {Taint: "a"}, {Run: &Run{}},
		}},
	},
	{
		Name: "destroy = false and a replaced channel erasure", Fault: "what OpenTofu forgets is handed to nobody",
		Shows: []string{"I10 the apply fails: Subject not found (channel_erasure)"},
		Story: Story{World: both, Steps: []Step{
			{Set: &Block{Kind: EraseRoom, Name: "a", Who: []int{0}, Keep: true}}, {Run: &Run{}}, {Run: &Run{Replace: "a"}},
		}},
	},
	{
		Name: "destroy = false and a tainted soft erasure under a hold", Fault: "what OpenTofu forgets is handed to nobody",
		Shows: []string{"I10 a guard refuses in the apply and not in the plan"},
		Story: Story{Guards: Guards{Hold: true}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "soft", Keep: true}}, {Run: &Run{}}, {Taint: "a"}, {Run: &Run{}},
		}},
	},
	{
		Name: "a tainted record that is replaced create first", Fault: "a completed record of ours is looked at as somebody else's",
		Shows: []string{"I10 a guard refuses in the apply and not in the plan"},
		Story: Story{Guards: Guards{Protect: []int{2}}, Steps: []Step{
			{Set: &Block{Kind: Erase, Name: "a", Who: []int{0}, Mode: "hard", First: true}}, {Run: &Run{}}, {Taint: "a"}, {Run: &Run{}},
		}},
	},
}

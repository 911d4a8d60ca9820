# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

package main_test

import data.main
import rego.v1

now := time.parse_rfc3339_ns("2026-01-01T10:00:00Z")

lax := {"max_irreversible": 10}

erasure := {
	"address": "streamchat_user_erasure.dsr",
	"mode": "managed",
	"type": "streamchat_user_erasure",
	"change": {
		"actions": ["create"],
		"before": null,
		"after": {"request_id": "DSR-1", "app_name": "Acme", "irreversible": true, "user_id": "anna", "subject": "0123", "on_destroy": "forget"},
		"after_unknown": {"status": true},
	},
}

plan(changes) := {
	"format_version": "1.2",
	"timestamp": "2026-01-01T09:00:00Z",
	"resource_changes": changes,
}

# Every test says what is denied and how often; nothing else may be.
says(changes, settings) := messages if {
	messages := main.deny with input as plan(changes)
		with data.streamchat as settings
		with time.now_ns as now
}

one(messages, text) if {
	count(messages) == 1
	some message in messages
	contains(message, text)
}

after(changes) := json.patch(erasure, [{"op": "add", "path": concat("", ["/change/after/", name]), "value": value} | some name, value in changes])

change(type, actions, before, now_) := {
	"address": sprintf("%s.x", [type]), "mode": "managed", "type": type,
	"change": {"actions": actions, "before": before, "after": now_, "after_unknown": {"status": true}},
}

test_a_plain_request_passes if count(says([erasure], lax)) == 0

test_no_changes_pass if count(says([], lax)) == 0

test_no_request_id if {
	one(says([after({"request_id": null})], lax), "no request_id")
	one(says([after({"request_id": " "})], lax), "no request_id")
}

test_what_is_not_said_to_be_reversible_is_not if {
	one(says([after({"request_id": null, "irreversible": null})], lax), "no request_id")
	count(says([after({"request_id": null, "irreversible": false})], lax)) == 0
}

test_every_erasure_needs_a_request if {
	every type in main.erasures {
		one(says([change(type, ["create"], null, {"irreversible": true, "app_name": "Acme"})], lax), "no request_id")
		one(says([change(type, ["delete", "create"], {"irreversible": true}, {"irreversible": true})], lax), "no request_id")
		one(says([change(type, ["update"], {"irreversible": true}, {"irreversible": true})], lax), "no request_id")
	}
}

test_bookkeeping_needs_none if {
	quiet := json.patch(change("streamchat_user_erasure", ["update"], {}, {"irreversible": true}), [{"op": "replace", "path": "/change/after_unknown", "value": {"receipt": true}}])
	count(says([quiet], lax)) == 0
}

many := [after({"request_id": sprintf("DSR-%d", [i])}) | some i in numbers.range(1, 11)]

test_over_the_cap if {
	numbered := [json.patch(rc, [{"op": "replace", "path": "/address", "value": sprintf("a[%d]", [i])}]) | some i, rc in many]
	one(says(numbered, lax), "11 deletions")
	count(says(array.slice(numbered, 0, 10), lax)) == 0
	one(says(numbered, {}), "11 deletions")
}

test_a_batch_counts_its_people if {
	batch := change("streamchat_user_erasure_batch", ["create"], null, {"request_id": "C-1", "irreversible": true, "app_name": "Acme", "new_user_count": 11})
	one(says([batch], lax), "11 deletions")
	listed := change("streamchat_channel_erasure_batch", ["create"], null, {"request_id": "C-1", "irreversible": true, "app_name": "Acme", "cids": numbers.range(1, 12)})
	one(says([listed], lax), "12 deletions")
}

test_another_app if {
	one(says([erasure], {"expected_apps": ["Other"]}), "another app")
	count(says([erasure], {"expected_apps": ["Acme", "Other"]})) == 0
	one(says([after({"app_name": null})], {"expected_apps": ["Acme"]}), "does not say which app")
}

policy(actions, before, now_) := change("streamchat_retention_policy", actions, {"policy": "old-messages", "max_age_hours": before}, {"policy": "old-messages", "max_age_hours": now_})

test_shorter_retention if {
	one(says([policy(["update"], 48, 24)], lax), "made shorter, from 48 to 24")
	count(says([policy(["update"], 24, 48)], lax)) == 0
	count(says([policy(["update"], 48, 24)], {"allow_shorter_retention": true})) == 0
}

test_new_policy if {
	created := change("streamchat_retention_policy", ["create"], null, {"policy": "old-messages", "max_age_hours": 26280})
	one(says([created], lax), "allow_new_retention")
	count(says([created], {"allow_new_retention": true})) == 0
}

test_another_policy if one(says([change("streamchat_retention_policy", ["delete", "create"], {"policy": "old-messages", "max_age_hours": 48}, {"policy": "inactive-channels", "max_age_hours": 48})], lax), "becomes another")

restriction := {"on_destroy": "reactivate", "found": "present", "status": "deactivated"}

test_reactivation if {
	one(says([change("streamchat_user_deactivation", ["delete"], restriction, null)], lax), "reactivates the user")
	count(says([change("streamchat_user_deactivation", ["delete"], restriction, null)], {"allow_undo": true})) == 0
	count(says([change("streamchat_user_deactivation", ["delete", "create"], restriction, {})], lax)) == 0
	every other in [{"on_destroy": "forget"}, {"found": "deactivated"}, {"status": "erased"}] {
		count(says([change("streamchat_user_deactivation", ["delete"], object.union(restriction, other), null)], lax)) == 0
	}
}

test_restore if {
	before := {"on_destroy": "restore", "irreversible": false}
	one(says([change("streamchat_user_erasure", ["delete"], before, null)], {"allow_forget": true}), "brings the user back")
}

test_removed_policy if one(says([change("streamchat_retention_policy", ["delete"], {"policy": "old-messages"}, null)], lax), "removes the retention policy")

staged(before, now_) := change("streamchat_user_erasure", ["update"], before, now_)

record(more) := object.union({"request_id": "DSR-1", "app_name": "Acme", "irreversible": true, "user_id": "anna", "subject": "0123", "on_destroy": "forget", "grace_period": "720h"}, more)

scheduled(more) := object.union(record({"status": "scheduled", "found": "present", "erase_at": "2026-01-01T08:00:00Z", "due_at": "2026-01-20T00:00:00Z"}), more)

warns(changes, settings) := messages if {
	messages := main.warn with input as plan(changes)
		with data.streamchat as settings
		with time.now_ns as now
}

test_scheduled_called_off if {
	off := change("streamchat_user_erasure", ["delete"], scheduled({}), null)
	forget := {"allow_forget": true}
	one(says([off], forget), "reactivates the user")
	count(says([off], {"allow_forget": true, "allow_undo": true})) == 0
	every other in [{"found": "deactivated"}, {"found": "deleted"}, {"status": "completed"}, {"user_id": null}] {
		count(says([change("streamchat_user_erasure", ["delete"], scheduled(other), null)], forget)) == 0
	}
	batch := change("streamchat_user_erasure_batch", ["delete"], scheduled({"user_id": null, "user_ids": ["anna"]}), null)
	one(says([batch], forget), "reactivates the user")
	count(says([change("streamchat_user_erasure", ["delete", "create"], scheduled({}), record({}))], lax)) == 0
}

batch(before, now_, results) := json.patch(
	change("streamchat_user_erasure_batch", ["update"], scheduled(object.union({"user_id": null}, before)), record(object.union({"user_id": null}, now_))),
	[{"op": "replace", "path": "/change/after_unknown", "value": {"status": true, "new_user_count": true, "results": results}}],
)

test_scheduled_taken_off if {
	ids := {"user_ids": ["anna", "bert"], "results": {"anna": "scheduled", "bert": "scheduled", "carl": "erased"}}
	left := batch(ids, {"user_ids": ["anna"]}, {"anna": true, "bert": true})
	one(says([left], lax), "1 left the list")
	count(says([left], {"allow_undo": true})) == 0
	count(says([batch(ids, {"user_ids": ["anna", "bert"]}, {"anna": true, "bert": true})], lax)) == 0

	# The ids move to user_ids_wo, which no plan shows.
	count(says([batch(ids, {"user_ids": null}, {"anna": true, "bert": true})], lax)) == 0
}

# What was scheduled was counted then and is not counted when it is due; whoever is new is.
test_due_counts if {
	every n in [10, 11] {
		results := {sprintf("u-%d", [i]): true | some i in numbers.range(1, n)}
		every ids in [{"user_ids": numbers.range(1, 500)}, {"user_ids": null}] {
			count(says([batch(ids, ids, results)], lax)) == n - 10
		}
		known := {"user_ids": null, "results": {key: "scheduled" | some key, _ in results}}
		count(says([batch(known, {"user_ids": null}, results)], lax)) == 0
	}
	every status in ["scheduled", "submitted", "failed"] {
		due := [json.patch(staged(scheduled({"status": status}), record({})), [{"op": "replace", "path": "/address", "value": sprintf("a[%d]", [i])}]) | some i in numbers.range(1, 11)]
		count(says(due, lax)) == 0
		raised := [json.patch(rc, [{"op": "add", "path": "/change/after/delete", "value": "hard"}]) | some rc in due]
		one(says(raised, lax), "11 deletions")
	}
	scheduling := change("streamchat_user_erasure_batch", ["create"], null, record({"new_user_count": 11}))
	one(says([scheduling], lax), "11 deletions")
	nobody_knows := json.patch(scheduling, [{"op": "replace", "path": "/change/after", "value": record({})}, {"op": "replace", "path": "/change/after_unknown", "value": {"status": true, "new_user_count": true}}])
	one(says([nobody_knows], lax), "1000 deletions")
}

# The plan is made at 2026-01-01T09:00:00Z.
test_late if {
	soon := {"due_at": "2026-01-10T00:00:00Z"}
	one(says([after(object.union(soon, {"grace_period": "720h"}))], lax), "ends after due_at")
	count(says([after(object.union(soon, {"grace_period": "720h"}))], {"allow_late": true})) == 0
	one(warns([after(object.union(soon, {"grace_period": "720h"}))], {"allow_late": true}), "allow_late")
	count(says([after(object.union(soon, {"grace_period": "1h30m"}))], lax)) == 0
	count(says([after({"due_at": "2026-01-31T09:00:00Z", "grace_period": "720h"})], lax)) == 0
	one(says([after({"due_at": "2026-01-31T08:59:59Z", "grace_period": "720h"})], lax), "ends after due_at")
	count(says([after({"due_at": null, "grace_period": "720h"})], lax)) == 0
	reverted := staged(scheduled({"status": "reverted"}), record(soon))
	one(says([reverted], lax), "ends after due_at")
	longer := staged(scheduled({}), record({"due_at": "2026-01-20T00:00:00Z", "grace_period": "1440h"}))
	one(says([longer], lax), "ends after due_at")
	new := batch({"results": {"anna": "scheduled"}}, soon, {"anna": true, "bert": true})
	one(says([new], lax), "ends after due_at")
}

# What is overdue is not denied: that would only make it later. No period, however short, could
# end in time.
test_overdue if {
	over := {"due_at": "2025-12-31T00:00:00Z"}
	every rc in [after(over), staged(scheduled(over), record(over)), staged(scheduled(over), record(object.union(over, {"grace_period": null}))), after(object.union(over, {"grace_period": "1h"}))] {
		count(says([rc], lax)) == 0
		one(warns([rc], lax), "is over")
	}
	count(warns([erasure, after({"due_at": "2026-01-10T00:00:00Z"})], lax)) == 0

	# The plan is made at 09:00.
	one(says([after({"due_at": "2026-01-01T09:00:00Z", "grace_period": "1h"})], lax), "ends after due_at")
	count(says([after({"due_at": "2026-01-01T08:59:59Z", "grace_period": "1h"})], lax)) == 0
}

exported(unknown) := json.patch(erasure, [{"op": "add", "path": "/change/after_unknown/exports", "value": unknown}])

test_unseen_export if {
	every unknown in [true, [true], [false, true]] {
		one(says([exported(unknown)], lax), "nobody has looked at it")
		count(says([exported(unknown)], {"allow_unseen_export": true})) == 0
	}
	every unknown in [false, [], [false]] {
		count(says([exported(unknown)], lax)) == 0
	}
}

test_forgotten_record if {
	every actions in [["delete"], ["forget"]] {
		every type in main.erasures | main.exports {
			one(says([change(type, actions, {"on_destroy": "forget"}, null)], lax), "would be forgotten")
			count(says([change(type, actions, {"on_destroy": "forget"}, null)], {"allow_forget": true})) == 0
		}
	}
}

test_replaced_record if {
	every other in [{"user_id": "bert"}, {"user_id": "anna"}] {
		replaced := change("streamchat_user_export", ["delete", "create"], {"user_id": "anna"}, other)
		denied := [message | some message in says([replaced], lax); contains(message, "would be forgotten")]
		count(denied) == count([1 | other.user_id != "anna"])
	}
}

test_unknown_resource if {
	every actions in [["create"], ["update"], ["delete"], ["forget"]] {
		one(says([change("streamchat_mystery", actions, {}, {})], lax), "does not know streamchat_mystery")
	}
	count(says([change("streamchat_mystery", ["no-op"], {}, {})], lax)) == 0
}

test_other_providers_pass if count(says([change("aws_s3_object", ["delete"], {}, null)], lax)) == 0

test_old_plan if {
	messages := main.deny with input as plan([erasure])
		with time.now_ns as time.add_date(now, 0, 0, 2)
		with data.streamchat as lax
	one(messages, "49 hours ago")
}

test_no_time if {
	messages := main.deny with input as {"format_version": "1.2", "resource_changes": []}
	one(messages, "does not say when")
}

test_no_plan if {
	messages := main.deny with input as {}
	some message in messages
	contains(message, "this is no plan")
}

test_errors if {
	messages := main.deny with input as object.union(plan([]), {"errored": true})
		with time.now_ns as now
	one(messages, "has errors")
}

# What is set under a wrong name or in a wrong type allows nothing and limits nothing.
test_settings_have_their_types if {
	every name, type in main.types {
		every value in [10, "10", true, "true", null, ["Acme"], {}] {
			wrong := [message | some message in says([], {name: value}); contains(message, sprintf("setting %s", [name]))]
			count(wrong) == count([1 | type_name(value) != type])
		}
	}
	one(says([], {"max_irreversable": 5}), "max_irreversable is unknown")
	one(says([erasure], {"expected_apps": ["Acme", 1]}), "no name")
	every value in [null, "x", 1, true, []] {
		some message in says([], value)
		contains(message, "is no object")
	}
	shipped := data.streamchat
	count(says([], shipped)) == 0
}

unknown(rc, name, value) := json.patch(rc, [{"op": "add", "path": concat("", ["/change/after_unknown/", name]), "value": value}])

test_unknown_values if {
	created := change("streamchat_retention_policy", ["create"], null, {"policy": "old-messages"})
	changed := change("streamchat_retention_policy", ["update"], {"policy": "old-messages", "max_age_hours": 8760}, {"policy": "old-messages"})
	one(says([unknown(changed, "max_age_hours", true)], lax), "max_age_hours is only known")
	one(says([unknown(created, "max_age_hours", true)], {"allow_new_retention": true}), "max_age_hours is only known")
	every name in ["grace_period", "due_at", "received_at", "delete"] {
		one(says([unknown(erasure, name, true)], lax), "only known after apply")
		one(says([unknown(staged(scheduled({}), record({})), name, true)], lax), "only known after apply")
	}
	one(says([unknown(erasure, "delete", [{"user": true}])], lax), "delete is only known")
	every name in ["user_id", "user_ids", "subject"] {
		every value in [true, [false, true]] {
			one(says([unknown(erasure, name, value)], lax), "who it is about")
			count(says([unknown(erasure, name, value)], {"allow_unknown_subjects": true})) == 0
		}
	}
	one(says([unknown(change("streamchat_user_deactivation", ["create"], null, {}), "user_id", true)], lax), "who it is about")
	count(says([unknown(erasure, "user_ids", [false, false])], lax)) == 0
	count(says([unknown(erasure, "task_id", true)], lax)) == 0
}

dropping := {"results": {"anna": "erased", "bert": "erased", "carl": "pending"}, "drop_removed_records": true}

drops(results, open) := json.patch(
	change("streamchat_user_erasure_batch", ["update"], dropping, json.patch(dropping, [{"op": "replace", "path": "/results", "value": results}])),
	[{"op": "replace", "path": "/change/after_unknown", "value": {"results": open}}],
)

test_dropped_records if {
	one(says([drops({}, false)], lax), "2 who left the list would be dropped")
	one(says([drops({"anna": "erased"}, {})], lax), "1 who left")
	count(says([drops({"anna": "erased"}, {"bert": true})], lax)) == 0
	count(says([drops({}, false)], {"allow_forget": true})) == 0
	kept := json.patch(drops({}, false), [{"op": "replace", "path": "/change/after/drop_removed_records", "value": false}])
	count(says([kept], lax)) == 0
}

test_forgotten_while_in_force if {
	every type in main.restrictions | main.policies {
		one(says([change(type, ["forget"], restriction, null)], lax), "stays in force")
		count(says([change(type, ["forget"], restriction, null)], {"allow_forget": true})) == 0
	}
	count(says([change("streamchat_user_deactivation", ["forget"], {"status": "erased"}, null)], lax)) == 0
}

whole(parts) := messages if {
	messages := main.deny with input as object.union(plan([]), parts)
		with data.streamchat as lax
		with time.now_ns as now
}

test_not_complete if {
	one(whole({"complete": false}), "not complete")
	one(whole({"complete": false, "deferred_changes": [{}]}), "not complete")
	one(whole({"deferred_action_invocations": [{}]}), "not complete")
	count(whole({"complete": true, "deferred_changes": []})) == 0
	one(whole({"complete": false, "errored": true}), "has errors")
}

test_actions if {
	every type in main.actions {
		invoked := {"action_invocations": [{"address": "action.x", "type": type}]}
		one(whole(invoked), "leaves no record")
		allowed := main.deny with input as object.union(plan([]), invoked) with data.streamchat as {"allow_actions": true} with time.now_ns as now
		count(allowed) == 0
	}
	one(whole({"action_invocations": [{"address": "action.x", "type": "streamchat_mystery"}]}), "does not know streamchat_mystery")
	count(whole({"action_invocations": [{"address": "action.x", "type": "aws_x"}]})) == 0
}

test_no_changes_of_a_plan if {
	every changes in [null, {}, "x"] {
		one(whole({"resource_changes": changes}), "no list")
	}
	every rc in [null, {}, json.remove(erasure, ["/change"]), json.remove(erasure, ["/mode"]), json.patch(erasure, [{"op": "replace", "path": "/change/actions", "value": ["Delete"]}])] {
		some message in whole({"resource_changes": [rc]})
		contains(message, "resource_changes[0] is no change")
	}
}

test_no_pseudonym_key if {
	one(warns([after({"subject": null})], lax), "names nobody")
	count(warns([after({"subject": null, "irreversible": false})], lax)) == 0
	count(warns([unknown(after({"subject": null}), "subject", true)], {"allow_unknown_subjects": true})) == 0
}

# What was counted when it was begun is not counted again.
goes := {"request_id": "DSR-1", "app_name": "Acme", "irreversible": true, "delete": {"user": "hard"}}

going(type, before, after_) := change(type, ["update"], object.union(goes, before), object.union(goes, after_))

test_results_and_second_stages_are_not_counted_again if {
	every status in ["submitted", "scheduled", "failed"] {
		rcs := [going("streamchat_user_erasure", {"status": status}, {}) | some _ in numbers.range(1, 12)]
		numbered := [json.patch(rc, [{"op": "replace", "path": "/address", "value": sprintf("a[%d]", [i])}]) | some i, rc in rcs]
		count(says(numbered, lax)) == 0
	}
	raised := [json.patch(going("streamchat_user_erasure", {"status": "submitted", "delete": {"user": "soft"}}, {}), [{"op": "replace", "path": "/address", "value": sprintf("a[%d]", [i])}]) | some i in numbers.range(1, 12)]
	one(says(raised, lax), "12 deletions")
}

scheduled_batch := {sprintf("due-%d", [i]): "scheduled" | some i in numbers.range(1, 12)}

growing(n) := json.patch(
	going("streamchat_user_erasure_batch", {"status": "scheduled", "results": scheduled_batch}, {}),
	[{"op": "add", "path": "/change/after_unknown/results", "value": object.union({key: true | some key, _ in scheduled_batch}, {sprintf("new-%d", [i]): true | some i in numbers.range(1, n)})}],
)

test_of_a_batch_the_new_are_counted if {
	count(says([growing(10)], lax)) == 0
	one(says([growing(11)], lax), "11 deletions")
	raised := json.patch(growing(1), [{"op": "replace", "path": "/change/before/delete", "value": {"user": "soft"}}])
	one(says([raised], lax), "13 deletions")
}

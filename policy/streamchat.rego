# Copyright (c) the terraform-provider-streamchat authors
# SPDX-License-Identifier: MPL-2.0

# What a plan must keep to before anybody is asked to approve it. For conftest, and for
# opa, over "terraform show -json PLAN". What may differ from one project to another
# stands in data.streamchat (see data.json); what is left out there is not checked only
# where this says so:
#   max_irreversible         deletions in one plan that cannot be undone and are newly asked for: sent or scheduled (10)
#   max_plan_age_hours       how old a plan may be (24)
#   expected_apps            names of apps; left out: any
#   allow_actions            this provider's actions may be invoked, which leave no record
#   allow_forget             records may leave the state, with it or by drop_removed_records
#   allow_late               a grace period may end after due_at
#   allow_new_retention      a retention policy may be set where there was none
#   allow_shorter_retention  a retention policy may become shorter, or another one
#   allow_unseen_export      an erasure may be in one plan with the export that goes before it
#   allow_undo               users may be restored or reactivated, policies removed
#   allow_unknown_subjects   an erasure or a restriction may be of somebody whom only the apply knows
# A setting of another name or type is denied: it would not do what it says. Nobody judges here
# what can be taken back (restrictions, soft deletions, exports), nor the guards, which are the
# provider's; and of OpenTofu's plans none says whether it is one of a -target: the gate of
# streamchat-comment reads that from the log.
package main

import rego.v1

default settings := {}

settings := data.streamchat

types := {
	"allow_actions": "boolean",
	"allow_forget": "boolean",
	"allow_late": "boolean",
	"allow_new_retention": "boolean",
	"allow_shorter_retention": "boolean",
	"allow_undo": "boolean",
	"allow_unknown_subjects": "boolean",
	"allow_unseen_export": "boolean",
	"expected_apps": "array",
	"max_irreversible": "number",
	"max_plan_age_hours": "number",
}

# In Rego a number is less than any text, and any text is true.
deny contains msg if {
	not is_object(settings)
	msg := "data.streamchat is no object, so nobody knows what is allowed"
}

deny contains msg if {
	some name, value in settings
	is_object(settings)
	not type_name(value) == object.get(types, name, "")
	msg := sprintf("the setting %s is unknown, or not of the type %s", [name, object.get(types, name, "of any")])
}

deny contains msg if {
	some app in settings.expected_apps
	not is_string(app)
	msg := "the setting expected_apps has something that is no name"
}

# Every resource of the provider, by what it can do.
erasures := {
	"streamchat_channel_erasure",
	"streamchat_channel_erasure_batch",
	"streamchat_channel_truncation",
	"streamchat_message_erasure",
	"streamchat_user_erasure",
	"streamchat_user_erasure_batch",
}

policies := {"streamchat_retention_policy"}

restrictions := {"streamchat_user_deactivation"}

exports := {
	"streamchat_channel_export",
	"streamchat_user_export",
}

actions := {
	"streamchat_deactivate_user",
	"streamchat_export_user",
}

known := ((erasures | policies) | restrictions) | exports

changes contains rc if {
	some rc in object.get(input, "resource_changes", [])
	rc.mode == "managed"
	startswith(rc.type, "streamchat_")
	not idle(rc)
}

idle(rc) if {
	rc.change.actions == ["no-op"]
	not rc.change.importing
}

idle(rc) if rc.change.actions == ["read"]

# Of what has not its form nothing below would hold.
deny contains msg if {
	not is_array(object.get(input, "resource_changes", []))
	msg := "this is no plan: resource_changes is no list"
}

deny contains msg if {
	some i, rc in object.get(input, "resource_changes", [])
	not readable(rc)
	msg := sprintf("this is no plan: resource_changes[%v] is no change", [i])
}

readable(rc) if {
	rc.mode in {"data", "managed"}
	is_string(rc.type)
	is_string(rc.address)
	count(rc.change.actions) > 0
	every action in rc.change.actions {
		action in {"create", "delete", "forget", "no-op", "read", "update"}
	}
}

deny contains msg if {
	incomplete
	not object.get(input, "errored", false)
	msg := "the plan is not complete (-target, or changes that are put off): plan again without"
}

incomplete if input.complete == false

incomplete if count(input.deferred_changes) > 0

incomplete if count(input.deferred_action_invocations) > 0

deny contains msg if {
	some action in input.action_invocations
	startswith(action.type, "streamchat_")
	not action.type in actions
	msg := sprintf("%s: this policy does not know %s; use the policy of the provider's own release", [action.address, action.type])
}

deny contains msg if {
	some action in input.action_invocations
	action.type in actions
	not object.get(settings, "allow_actions", false)
	msg := sprintf("%s: an action leaves no record of what it did; use a resource, or set allow_actions in a reviewed change", [action.address])
}

# Nothing of an attribute is compared with anything while the plan does not know it.
open(rc, name) if {
	some value in [rc.change.after_unknown[name]]
	walk(value, [_, true])
}

deny contains msg if {
	some rc in changes
	makes(rc)
	rc.type in (erasures | policies)
	some name in ["delete", "due_at", "grace_period", "hard_delete", "max_age_hours", "policy", "received_at", "truncated_before"]
	open(rc, name)
	msg := sprintf("%s: %s is only known after apply, and nobody can approve what the plan does not show", [rc.address, name])
}

deny contains msg if {
	some rc in changes
	makes(rc)
	rc.type in (erasures | restrictions)
	some name in ["cid", "cids", "message_id", "subject", "user_id", "user_ids"]
	open(rc, name)
	not object.get(settings, "allow_unknown_subjects", false)
	msg := sprintf("%s: %s is only known after apply, so nobody can say who it is about; set allow_unknown_subjects in a reviewed change", [rc.address, name])
}

makes(rc) if "create" in rc.change.actions

makes(rc) if "update" in rc.change.actions

destroys(rc) if rc.change.actions == ["delete"]

# The apply sends something for this record: it is new, or its result will be known later.
sends(rc) if "create" in rc.change.actions

sends(rc) if {
	"update" in rc.change.actions
	rc.change.after_unknown.status == true
}

# What is not said to be reversible is not.
irreversible(rc) if {
	rc.type in erasures
	sends(rc)
	not rc.change.after.irreversible == false
}

# An update that only goes on with what an apply before has begun: its result is asked for, it
# is due, or sent again. It was counted when it was begun.
begun(rc) if {
	rc.change.actions == ["update"]
	rc.change.before.status in {"scheduled", "submitted", "failed"}
	every name in ["delete", "hard_delete", "truncated_before"] {
		object.get(rc.change.before, name, null) == object.get(rc.change.after, name, null)
	}
}

# How many a change is newly about. Of a batch that is scheduled the plan does not say how many
# are sent, but whose result the apply decides; one that tells nothing has a thousand.
weight(rc) := 0 if {
	begun(rc)
	not endswith(rc.type, "_batch")
} else := count(fresh(rc)) if {
	begun(rc)
	is_object(rc.change.after_unknown.results)
} else := n if {
	n := object.get(rc.change.after, "new_user_count", null)
	is_number(n)
} else := n if {
	n := object.get(rc.change.after, "new_channel_count", null)
	is_number(n)
} else := count(open) if {
	is_object(rc.change.after_unknown.results)
	open := [key | some key, decided in rc.change.after_unknown.results; decided == true]
} else := n if {
	n := count(object.get(rc.change.after, "user_ids", null))
} else := n if {
	n := count(object.get(rc.change.after, "cids", null))
} else := 1000 if {
	some name in ["new_user_count", "new_channel_count"]
	rc.change.after_unknown[name] == true
} else := 1

# Who is new in a batch, was never sent, or is listed again.
fresh(rc) := {key |
	some key, decided in rc.change.after_unknown.results
	decided == true
	word := object.get(object.get(rc.change.before, "results", {}), key, "pending")
	word in {"pending", "released", "reverted"}
}

blank(value) if not is_string(value)

blank(value) if trim_space(value) == ""

deny contains msg if {
	some rc in changes
	not rc.type in known
	msg := sprintf("%s: this policy does not know %s; use the policy of the provider's own release", [rc.address, rc.type])
}

deny contains msg if {
	some rc in changes
	rc.type in erasures
	irreversible(rc)
	blank(object.get(rc.change.after, "request_id", null))
	msg := sprintf("%s: cannot be undone and has no request_id: nobody could say later why it was done", [rc.address])
}

deny contains msg if {
	cap := object.get(settings, "max_irreversible", 10)
	total := sum([weight(rc) | some rc in changes; rc.type in erasures; irreversible(rc)])
	total > cap
	msg := sprintf("%d deletions that cannot be undone in one plan; max_irreversible is %d", [total, cap])
}

# Without expected_apps this is not checked.
deny contains msg if {
	allowed := settings.expected_apps
	some rc in changes
	some values in [rc.change.after, rc.change.before]
	is_object(values)
	app := object.get(values, "app_name", null)
	is_string(app)
	not app in allowed
	msg := sprintf("%s: goes to another app than those of expected_apps", [rc.address])
}

deny contains msg if {
	settings.expected_apps
	some rc in changes
	makes(rc)
	blank(object.get(rc.change.after, "app_name", null))
	msg := sprintf("%s: the plan does not say which app this goes to", [rc.address])
}

deny contains msg if {
	some rc in changes
	rc.type in policies
	not object.get(settings, "allow_shorter_retention", false)
	is_object(rc.change.before)
	is_object(rc.change.after)
	rc.change.after.max_age_hours < rc.change.before.max_age_hours
	msg := sprintf("%s: the retention policy is made shorter, from %d to %d hours; set allow_shorter_retention in a reviewed change", [rc.address, rc.change.before.max_age_hours, rc.change.after.max_age_hours])
}

# From never to some hours is the greatest shortening.
deny contains msg if {
	some rc in changes
	rc.type in policies
	makes(rc)
	not is_object(rc.change.before)
	not object.get(settings, "allow_new_retention", false)
	msg := sprintf("%s: a new retention policy deletes for everybody, from then on; set allow_new_retention in a reviewed change", [rc.address])
}

# What a removed or replaced policy covers changes unseen.
deny contains msg if {
	some rc in changes
	rc.type in policies
	is_object(rc.change.before)
	is_object(rc.change.after)
	rc.change.before.policy != rc.change.after.policy
	not object.get(settings, "allow_shorter_retention", false)
	msg := sprintf("%s: the retention policy becomes another one; set allow_shorter_retention in a reviewed change", [rc.address])
}

deny contains msg if {
	some rc in changes
	destroys(rc)
	rc.type in restrictions
	rc.change.before.on_destroy != "forget"
	rc.change.before.found != "deactivated"
	rc.change.before.status == "deactivated"
	not object.get(settings, "allow_undo", false)
	msg := sprintf("%s: destroying this reactivates the user; set allow_undo in a reviewed change", [rc.address])
}

deny contains msg if {
	some rc in changes
	destroys(rc)
	rc.type in erasures
	rc.change.before.on_destroy == "restore"
	rc.change.before.irreversible == false
	not object.get(settings, "allow_undo", false)
	msg := sprintf("%s: destroying this brings the user back; set allow_undo in a reviewed change", [rc.address])
}

deny contains msg if {
	some rc in changes
	destroys(rc)
	rc.type in erasures
	rc.change.before.status == "scheduled"
	some name in ["user_id", "user_ids"]
	object.get(rc.change.before, name, null) != null
	not object.get(rc.change.before, "found", null) in {"deactivated", "deleted"}
	not object.get(settings, "allow_undo", false)
	msg := sprintf("%s: destroying this calls the scheduled erasure off and reactivates the user; set allow_undo in a reviewed change", [rc.address])
}

deny contains msg if {
	some rc in changes
	rc.type in erasures
	left := {id | some id, "scheduled" in object.get(rc.change.before, "results", {}); not id in rc.change.after.user_ids}
	makes(rc)
	is_array(rc.change.after.user_ids)
	is_array(object.get(rc.change.before, "user_ids", null))
	count(left) > 0
	not object.get(settings, "allow_undo", false)
	msg := sprintf("%s: %d left the list while scheduled and are reactivated; set allow_undo in a reviewed change", [rc.address, count(left)])
}

# When the period ends that a plan begins or changes. One that has begun is not held up any
# more: that would only make the answer later.
ends(rc) := made_at + grace(rc.change.after) if "create" in rc.change.actions

ends(rc) := made_at + grace(rc.change.after) if {
	rc.change.actions == ["update"]
	begins(rc)
}

ends(rc) := (time.parse_rfc3339_ns(rc.change.before.erase_at) + grace(rc.change.after)) - grace(rc.change.before) if {
	rc.change.actions == ["update"]
	not begins(rc)
	rc.change.before.status == "scheduled"
	some name in ["grace_period", "due_at"]
	object.get(rc.change.before, name, null) != object.get(rc.change.after, name, null)
}

# Somebody is restricted by an update: active again, or new in a batch.
begins(rc) if rc.change.before.status == "reverted"

begins(rc) if {
	some key, decided in rc.change.after_unknown.results
	decided == true
	not object.get(rc.change.before, "results", {})[key]
}

grace(values) := time.parse_duration_ns(values.grace_period)

late(rc) if {
	rc.type in erasures
	sends(rc)
	ends(rc) > made_at
	ends(rc) > due_at(rc)
	made_at <= due_at(rc) # else no shorter period could end in time
}

due_at(rc) := time.parse_rfc3339_ns(rc.change.after.due_at)

deny contains msg if {
	some rc in changes
	late(rc)
	not object.get(settings, "allow_late", false)
	msg := sprintf("%s: the grace period ends after due_at (%s); shorten grace_period, or tell the person and set allow_late in a reviewed change", [rc.address, rc.change.after.due_at])
}

warn contains msg if {
	some rc in changes
	late(rc)
	object.get(settings, "allow_late", false)
	msg := sprintf("%s: the grace period ends after due_at (%s), which allow_late allows", [rc.address, rc.change.after.due_at])
}

# Denying what is overdue would only make it later.
warn contains msg if {
	some rc in changes
	rc.type in erasures
	sends(rc)
	made_at > due_at(rc)
	msg := sprintf("%s: due_at (%s) is over, and the erasure is not completed", [rc.address, rc.change.after.due_at])
}

# Nobody can have looked at what the same apply exports.
deny contains msg if {
	some rc in changes
	rc.type in erasures
	sends(rc)
	unseen(rc.change.after_unknown.exports)
	not object.get(settings, "allow_unseen_export", false)
	msg := sprintf("%s: the export that goes before it is taken by the same apply, so nobody has looked at it; apply the export alone, or set allow_unseen_export in a reviewed change", [rc.address])
}

unseen(exports) if exports == true

unseen(exports) if true in exports

deny contains msg if {
	some rc in changes
	destroys(rc)
	rc.type in policies
	not object.get(settings, "allow_undo", false)
	msg := sprintf("%s: destroying this removes the retention policy; set allow_undo in a reviewed change", [rc.address])
}

# A record is evidence: it leaves the state only when somebody says so.
deny contains msg if {
	some rc in changes
	forgets(rc)
	rc.type in (erasures | exports)
	not object.get(settings, "allow_forget", false)
	msg := sprintf("%s: the record would be forgotten, and its receipt with it; archive it, then set allow_forget in a reviewed change", [rc.address])
}

# Who left the list leaves the record too, with what proves their erasure.
deny contains msg if {
	some rc in changes
	rc.change.actions == ["update"]
	rc.change.after.drop_removed_records == true
	n := count(dropped(rc))
	n > 0
	not object.get(settings, "allow_forget", false)
	msg := sprintf("%s: the records of %d who left the list would be dropped; archive the receipt, then set allow_forget in a reviewed change", [rc.address, n])
}

dropped(rc) := {key |
	some key, word in rc.change.before.results
	word != "pending"
	not key in object.keys(object.get(rc.change.after, "results", {}))
	not rc.change.after_unknown.results[key] == true
}

# Nobody would know of it any more: somebody is restricted, or a policy deletes.
deny contains msg if {
	some rc in changes
	"forget" in rc.change.actions
	rc.type in (policies | restrictions)
	not object.get(rc.change.before, "status", null) == "erased"
	not object.get(settings, "allow_forget", false)
	msg := sprintf("%s: the record would be forgotten while what it says stays in force; set allow_forget in a reviewed change", [rc.address])
}

# A subject stands in the receipt by its pseudonym alone.
warn contains msg if {
	some rc in changes
	rc.type in {"streamchat_user_erasure", "streamchat_user_erasure_batch"}
	irreversible(rc)
	blank(object.get(rc.change.after, "subject", null))
	not open(rc, "subject")
	msg := sprintf("%s: no pseudonym_key is set, so its receipt names nobody", [rc.address])
}

forgets(rc) if destroys(rc)

forgets(rc) if "forget" in rc.change.actions

# A replacement hands the record on, unless it is about somebody else.
forgets(rc) if {
	"delete" in rc.change.actions
	"create" in rc.change.actions
	not endswith(rc.type, "_batch") # another list goes on with the records
	some name in ["cid", "message_id", "subject", "user_id"]
	is_string(rc.change.before[name])
	differs(rc, name)
}

differs(rc, name) if {
	is_string(rc.change.after[name])
	rc.change.after[name] != rc.change.before[name]
}

differs(rc, name) if rc.change.after_unknown[name] == true

deny contains msg if {
	object.get(input, "errored", false)
	msg := "the plan has errors"
}

deny contains msg if {
	age := (time.now_ns() - time.parse_rfc3339_ns(input.timestamp)) / 1000000000
	limit := object.get(settings, "max_plan_age_hours", 24) * 3600
	age > limit
	msg := sprintf("the plan was made %d hours ago; max_plan_age_hours is %v: plan again", [floor(age / 3600), object.get(settings, "max_plan_age_hours", 24)])
}

deny contains msg if {
	not made_at
	msg := "the plan does not say when it was made"
}

made_at := time.parse_rfc3339_ns(input.timestamp)

# A file that is no plan passes nothing.
deny contains msg if {
	not is_string(object.get(input, "format_version", null))
	msg := "this is no plan: give the output of show -json PLAN"
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package record is the lifecycle of a resource that is the record of an
// irreversible act: what its plan shows and refuses, how it is created, resumed
// and escalated, what it keeps and what it forgets. It is written once; a noun
// (user, channel, message) adds its subject and its scope.
package record

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-timetypes/timetypes"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Values of on_missing and on_destroy.
const (
	MissingFail    = "fail"
	MissingRecord  = "record"
	DestroyForget  = "forget"
	DestroyRestore = "restore"
)

// attributes are those of the record of one subject.
func attributes(ctx context.Context, restores bool) map[string]schema.Attribute {
	own := map[string]schema.Attribute{
		"found":        schema.StringAttribute{Computed: true, MarkdownDescription: "What Stream held right before the call: `present`, `deactivated`, `deleted` (already, by Stream's word or by this record's; the call was repeated, since only Stream's answer proves the modes) or `missing`."},
		"outcome":      schema.StringAttribute{Computed: true, MarkdownDescription: "What the completed erasure amounts to: `erased` (all of it hard: of a user also messages and conversations), `pruned` (users), `marked_deleted` (soft: the data is still at Stream), `not_found`, or `adopted` (imported: the operator's claim). Null until completed."},
		"task_id":      schema.StringAttribute{Computed: true, MarkdownDescription: "Stream's task for the delete call; null where Stream answers at once. Concurrent erasures with equal options share one call and one task."},
		"app_name":     schema.StringAttribute{Computed: true, MarkdownDescription: "The Stream app in which it was erased, by the name that the app had."},
		"submitted_at": instantAttribute("When Stream accepted the call, by the provider's clock."),
		"completed_at": instantAttribute("When Stream's task ended, by Stream's clock; without a task, as `verified_at`."),
		"verified_at":  instantAttribute("When the look-up after the deletion showed its effect, by the provider's clock."),
	}
	maps.Copy(own, commonAttributes(ctx, restores))
	return own
}

// commonAttributes are those that the record of one subject and of a batch share.
func commonAttributes(ctx context.Context, restores bool) map[string]schema.Attribute {
	onDestroy, actions := "What destroying this resource does: `\"forget\"` (default, and all there is) drops the record and sends nothing.", []string{DestroyForget}
	if restores {
		onDestroy = "What destroying this resource does: `\"forget\"` (default) drops the record and sends nothing; `\"restore\"` (only where `irreversible` is false) asks Stream to bring the user back. That restores the user's metadata, not memberships. A record is never restored when it is only being replaced."
		actions = append(actions, DestroyRestore)
	}
	return map[string]schema.Attribute{
		"request_id": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "The data-subject request that this erasure answers, by the number your ticket system gave it. Kept in the record and its receipt, not sent to Stream. May be changed at any time.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"labels": schema.MapAttribute{
			Optional: true, ElementType: types.StringType, Validators: []validator.Map{mapvalidator.NoNullValues()},
			MarkdownDescription: "What else the auditor will ask: legal basis, approver, pull request. Kept in the record and its receipt, not sent to Stream. Put no personal data here. May be changed at any time.",
		},
		"on_missing": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(MissingFail),
			MarkdownDescription: "What to do when Stream says that the subject never existed: `\"fail\"` (default; a misspelt id must not pass for an erasure) or `\"record\"` (nothing is sent, the record says `outcome = \"not_found\"`).",
			Validators:          []validator.String{stringvalidator.OneOf(MissingFail, MissingRecord)},
		},
		"on_destroy": schema.StringAttribute{
			Optional: true, Computed: true, Default: stringdefault.StaticString(DestroyForget),
			MarkdownDescription: onDestroy,
			Validators:          []validator.String{stringvalidator.OneOf(actions...)},
		},
		"timeouts": timeouts.Attributes(ctx, timeouts.Opts{
			Create: true, Update: true,
			CreateDescription: "How long to wait for Stream's rate limit and the deletion task, e.g. `\"45m\"`. Default 30 minutes. When it ends after the deletion was accepted, the record is saved as `submitted` and the next apply waits on.",
			UpdateDescription: "The same for resuming, repeating and escalating.",
		}),
		"irreversible": schema.BoolAttribute{
			Computed:            true,
			MarkdownDescription: "Whether anything of this goes for good. Known in the plan. False only where Stream keeps everything and the deletion can be undone: a soft deletion that touches nothing else.",
		},
		"not_covered": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "What this erasure leaves at Stream, by its modes and by Stream's nature. Known in the plan.",
		},
		"status": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "Where the erasure stands: `submitted` (accepted, end not known: run apply again), `completed`, `failed` (run apply again), `reverted` (a restorable user is back at Stream). " +
				"Anything but `completed` makes the next plan an in-place update, so that `-detailed-exitcode` stays 2. Guard pipelines with a postcondition on it.",
		},
		"receipt": schema.StringAttribute{
			Computed: true,
			MarkdownDescription: "The record as canonical JSON for the auditor's archive: request id, labels, app, modes, times, tasks, findings, outcome, `not_covered`, provider version, and every earlier attempt and escalation (it only grows). " +
				"The subject stands in it only as `subject`, an HMAC-SHA-256 under the provider's `pseudonym_key`; without a key not at all.",
		},
	}
}

// withAttributes joins a noun's attributes with those of every record.
func withAttributes(ctx context.Context, restores bool, own map[string]schema.Attribute) map[string]schema.Attribute {
	all := attributes(ctx, restores)
	maps.Copy(all, own)
	return all
}

func instantAttribute(description string) schema.Attribute {
	return schema.StringAttribute{CustomType: timetypes.RFC3339Type{}, Computed: true, MarkdownDescription: description + " RFC 3339, UTC."}
}

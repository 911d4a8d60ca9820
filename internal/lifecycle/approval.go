// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// expected is the condition that only a configuration holds.
const expected = "expected_wo"

// weakened names what guards less now than when the acts on record were approved that are not
// finished. A value that only a configuration holds matters once something is to be sent.
func (r *Resource[S, M, P]) weakened(prior P, ids []string, records erasure.Batch[S], scope S, o erasure.Options) []string {
	open, acts := false, false
	for _, id := range ids {
		record := records[id]
		switch record.Current().Status {
		case erasure.StatusScheduled, erasure.StatusSubmitted, erasure.StatusFailed, erasure.StatusReverted:
			open = true
			acts = acts || record.Next(true, scope, r.timing(o.Grace)) != erasure.Keep
		}
	}
	if !open || r.session.Blind() {
		return nil
	}
	names := erasure.ReceiptApproval(prior.common().Receipt.ValueString()).Weaker(r.engine.Standing(o.Conditions))
	return slices.DeleteFunc(names, func(name string) bool {
		return name == expected && (!acts || o.Conditions != nil && o.Conditions.Open)
	})
}

// guard fills in which guards stand for what the plan approves: those of now for what is new
// or has less of them, else those that stood when it was approved. So an apply that finds less
// has another plan, which Terraform refuses.
func (p *planning[S, M, P]) guard() {
	c := p.plan.common()
	anew := slices.ContainsFunc(p.ids, func(id string) bool {
		step := p.work[id]
		return (step == erasure.Send || step == erasure.Restrict) && p.records[id].Anew(p.scope)
	})
	switch {
	case p.known && p.prior != nil && !anew && len(p.weaker) == 0:
		c.Guards = p.prior.common().Guards
	case !p.known, p.session.Blind(), p.prior == nil && len(p.records) > 0 && !p.engine.Memory.IsAwaited(p.ids):
		c.Guards = types.MapUnknown(types.StringType) // of a replacement: a difference would lose the record
	default:
		c.Guards = guards(p.engine.Standing(p.options.Conditions), p.options.Conditions)
	}
}

// guards is an approval as it stands in the state.
func guards(a erasure.Approval, c *erasure.Conditions) types.Map {
	elements := map[string]attr.Value{}
	for name, said := range a.Shown() {
		elements[name] = types.StringValue(said)
	}
	if c != nil && c.Open {
		elements[expected] = types.StringUnknown()
	}
	return textMap(elements)
}

// approve notes in a model which guards stood: those of now, unless the plan keeps to those of
// the record.
func (r *Resource[S, M, P]) approve(model, prior P, o erasure.Options) {
	c := model.common()
	if prior != nil && c.Guards.Equal(prior.common().Guards) {
		c.approval = erasure.ReceiptApproval(prior.common().Receipt.ValueString())
		return
	}
	c.approval = r.engine.Standing(o.Conditions)
	c.Guards = guards(c.approval, nil)
}

const titleWeaker = "Guards are weaker than those that were approved"

// isWeaker is the warning of a plan that only records the guards of now.
func isWeaker(names []string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("guards"), titleWeaker, fmt.Sprintf(
		"When this was approved, more stood for it than now: %s (missing, weaker, or made under another pseudonym_key). Nothing that was approved then is sent by this apply: it records the guards of now, and the apply after it goes on. "+
			"If that is not meant, set them back before you apply, and give expected_wo the same values in every run.", strings.Join(names, ", ")))
}

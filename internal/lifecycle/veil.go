// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
)

// asked is whom a configuration names.
type asked struct {
	ids   []string
	known bool // all ids are
	// veiled: the state is to hold pseudonyms, because a write-only argument names the
	// subjects, or named them once and is left out now. left: it is, so that the ids are
	// the keys of what is on record.
	veiled, left bool
}

// asks reads whom a configuration names. Only the configuration holds the value of a
// write-only argument: nothing of it may reach a model that is stored
// (terraform-behaviour.md). prior is nil for a new record.
func (r *Resource[S, M, P]) asks(ctx context.Context, config, prior P) (a asked, diags diag.Diagnostics) {
	v, ok := any(config).(veiled)
	if !ok || v.Named() {
		a.ids, a.known, diags = config.Subjects(ctx)
		return a, diags
	}
	a.veiled = true
	var given bool
	a.ids, a.known, given, diags = v.Given(ctx)
	switch {
	case given && r.session.Pseudonyms == "" && r.session.HasKey():
		return a, append(diags, NoPseudonymKey(r.hidden()))
	case given && (a.known || prior == nil || !r.settled(ctx, prior)):
		return a, diags
	case !given && (prior == nil || !isVeiled(prior)):
		return a, append(diags, NobodyNamed(r.subject(), r.Hidden))
	}
	a.left = true // or an ephemeral value that is not known yet, for a record that needs it no more
	a.ids, a.known, _ = prior.Subjects(ctx)
	return a, diags
}

// settled reports that nothing on record needs the ids any more.
func (r *Resource[S, M, P]) settled(ctx context.Context, prior P) bool {
	batch, err := r.load(ctx, prior, nil) // what is kept beside is work for nobody
	scope, ok, _ := prior.Scope(ctx)
	return err == nil && ok && len(batch.Work(batch.IDs(), scope, r.timing(grace(prior)))) == 0
}

// naming is the resource whose diagnostics point at the argument in use.
func (r *Resource[S, M, P]) naming(veiled bool) *Resource[S, M, P] {
	if !veiled || r.Hidden == "" {
		return r
	}
	named := *r
	named.argument = r.Hidden
	named.speak()
	return &named
}

// of is naming for a model in state, which is made ready to be stored again.
func (r *Resource[S, M, P]) of(state P) *Resource[S, M, P] {
	hides := isVeiled(state)
	if hides {
		r.cover(state, state)
	}
	return r.naming(hides)
}

// cover makes a model store pseudonyms, under the key of the record that there is.
func (r *Resource[S, M, P]) cover(m, prior P) {
	c := m.common()
	if r.session != nil {
		c.pseudonyms = r.session.Pseudonyms
	}
	if prior != nil {
		c.keyCheck = erasure.ReceiptKeyCheck(prior.common().Receipt.ValueString())
	}
	if c.keyCheck == "" {
		c.keyCheck = c.pseudonyms.Check()
	}
}

// conditions are those that the configuration sets.
func conditions(ctx context.Context, config any) (*erasure.Conditions, diag.Diagnostics) {
	if v, ok := config.(veiled); ok {
		return v.Conditions(ctx)
	}
	return nil, nil
}

// meet gives the records of a state the ids that the configuration names, and refuses
// another person and another key.
func (r *Resource[S, M, P]) meet(records erasure.Batch[S], a asked, prior P) (_ erasure.Batch[S], diags diag.Diagnostics) {
	check := erasure.ReceiptKeyCheck(prior.common().Receipt.ValueString())
	if !a.veiled && check == "" || a.left {
		return records, nil
	}
	if check != "" && r.session.Pseudonyms.Check() != check {
		return records, append(diags, anotherKey(r.subject()))
	}
	records = records.Known(a.ids, r.session.Pseudonyms)
	if a.veiled {
		for id, record := range records {
			if record.Pseudonym != "" && record.Pseudonym != r.session.Pseudonyms.Of(id) {
				return records, append(diags, anotherKey(r.subject()))
			}
		}
	}
	if left := records.Left(a.ids); !r.many && len(left) > 0 {
		diags.Append(anotherPerson(r.subject()))
	}
	return records, diags
}

// catchUp does with records of a state what neither an import by a pseudonym nor a refresh
// could do, because they read no configuration: it adopts the former, and asks of the others
// who is back.
func (r *Resource[S, M, P]) catchUp(ctx context.Context, records erasure.Batch[S], a asked, prior P) (diags diag.Diagnostics) {
	if !a.veiled || a.left || r.session.Blind() {
		return nil
	}
	verify := r.Verifies && r.session.VerifyCompleted
	imported := prior.common().Receipt.IsNull()
	asking := erasure.Batch[S]{}
	for _, id := range a.ids {
		if record, ok := records[id]; ok && (imported || record.Current().Status == erasure.StatusCompleted || record.Scheduled()) {
			asking[id] = record
		}
	}
	if !imported && len(asking.Open(verify)) == 0 || len(asking) == 0 {
		return nil
	}
	if _, diags = r.session.OpenFor(ctx, r.subject(), prior.common().app()); diags.HasError() {
		return diags
	}
	if !imported {
		changed, errs := r.engine.Refresh(ctx, asking, verify)
		maps.Copy(records, changed)
		return append(diags, r.looked(a.ids, records, errs)...)
	}
	for id := range asking {
		attempt, err := r.engine.Adopt(ctx, id)
		if err != nil {
			return append(diags, r.words.failure(err))
		}
		records[id] = erasure.Record[S]{Attempts: []erasure.Attempt[S]{attempt}}
	}
	return diags
}

// missingIDs is an error where what is to be done needs an id that is not given. What is
// under way can be followed without: Stream's task names whom it was about.
func (r *Resource[S, M, P]) missingIDs(work map[string]erasure.Step, a asked) diag.Diagnostics {
	for key, step := range work {
		if _, hidden := erasure.Unveil(key); hidden && step != erasure.Release && (a.left && step != erasure.Claim || step == erasure.Send || step == erasure.Restrict) {
			return diag.Diagnostics{r.giveAgain()}
		}
	}
	return nil
}

func (r *Resource[S, M, P]) giveAgain() diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(r.hidden(), "Give the id again", fmt.Sprintf(
		"The record is not final, and holds only a pseudonym: what is still to be done needs the id. Nothing was sent. "+
			"Give %s the same value as before, in the plan and in the apply, under the same pseudonym_key. Once the record is completed it may be left out.", r.Hidden))
}

// isVeiled reports that a state holds pseudonyms instead of ids.
func isVeiled(state any) bool {
	v, ok := state.(veiled)
	return ok && !v.Named()
}

func (c *core[S]) hidden() path.Path { return path.Root(c.Hidden) }

// pseudonymize writes what stands for the subjects. It is known in every plan that knows
// them, so that Terraform refuses to apply it to others.
func (r *Resource[S, M, P]) pseudonymize(m, prior P, a asked) {
	v, ok := any(m).(veiled)
	if !ok {
		return
	}
	was, _ := any(prior).(veiled)
	switch {
	case prior != nil && (a.left || !was.Pseudonym().IsNull() && (!r.many || r.sameList(prior, a))):
		*v.Pseudonym() = *was.Pseudonym() // meet and readPrior compare
	case !a.known || !r.session.HasKey():
		*v.Pseudonym() = types.StringUnknown()
	default:
		*v.Pseudonym() = Text(r.standsFor(a.ids))
	}
}

// standsFor is the pseudonym of the one subject, or of the list of many.
func (r *Resource[S, M, P]) standsFor(ids []string) string {
	if r.many {
		return r.session.Pseudonyms.OfAll(ids)
	}
	return r.pseudonym(ids[0])
}

// sameList reports that a list in clear names those whom it named before: what stood for them
// may be of another key.
func (r *Resource[S, M, P]) sameList(prior P, a asked) bool {
	was, _, _ := prior.Subjects(context.Background())
	return !a.veiled && !isVeiled(prior) && slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(a.ids)))
}

// NoPseudonymKey is the error of a write-only id for which nothing could stand.
func NoPseudonymKey(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "No pseudonym_key",
		"This argument keeps the id out of the state, where an HMAC under the provider's pseudonym_key stands for it, but the provider has no such key. Nothing was sent. "+
			"Set pseudonym_key in the provider, or STREAMCHAT_PSEUDONYM_KEY in the environment, to a long random secret and keep it: another key would not know the record again.")
}

// NobodyNamed is the error of a new record that is about nobody.
func NobodyNamed(subject path.Path, hidden string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(subject, "Nobody named", fmt.Sprintf(
		"Neither %s nor %s says whom this is about. Nothing was sent. Set one of the two; only the block of a record that is completed may leave both out. "+
			"An ephemeral variable has to be given to the plan and to the apply of a saved plan.", subject, hidden))
}

func anotherKey(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Another pseudonym_key",
		"The record was made under another pseudonym_key than the provider has now, so that nobody can tell whether it is about the same subjects. Nothing was sent. "+
			"Set the key back for this record; a provider alias can keep an old key. Once the record is completed, the argument may be left out, and the key no longer matters to it.")
}

// AnotherPerson is the error of an id that is not the one on record, as far as pseudonyms
// tell, where the record does not say which key they were made under.
func AnotherPerson(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Another person or another pseudonym_key",
		"The pseudonym of the id that is given now is not the one on record: the id is another one, or the provider's pseudonym_key was changed. Nothing was sent. "+
			"Give the id of the record under the key that it was made with; for another person add another block.")
}

func anotherPerson(at path.Path) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(at, "Another person",
		"The id that is given now is not the one that this record is about: its pseudonym is another, under the same pseudonym_key. Nothing was sent. "+
			"Give the id of the record, or leave the argument out once the record is completed; for another person add another block.")
}

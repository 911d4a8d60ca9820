// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/erasure"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/receipt"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/report"
	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/session"
)

const (
	defaultTimeout = 30 * time.Minute
	// readTimeout bounds what a plan waits for.
	readTimeout = 5 * time.Minute
	// SettleTime is how long a destroy that changes something at Stream waits for another
	// resource of the run that is about the same subject.
	SettleTime = 2 * time.Second
)

// Noun is what one kind of erasure adds to the shared lifecycle. S is its scope.
type Noun[S erasure.Scope[S]] struct {
	// TypeName is the resource type, e.g. "streamchat_user_erasure".
	TypeName string
	// Subject is the attribute that names the subject, e.g. "user_id", or the list of
	// many; of one also its resource identity.
	Subject string
	// Hidden is the write-only argument that may name the subject instead; "" where there
	// is none.
	Hidden string
	// ID is the rule for a subject's id.
	ID ID
	// Description is the page's text; Attributes and Blocks are the noun's own.
	Description string
	Attributes  map[string]schema.Attribute
	Blocks      map[string]schema.Block
	// Engine picks the engine.
	Engine func(*session.Session) *erasure.Engine[S]
	// Effect says in a sentence what a scope takes, and Caveat what else is final about
	// an irreversible one; both for the plan's warning.
	Effect func(S) string
	// Loses says what a plan should be warned of that goes with the subjects and that no
	// export has; exports are the hashes that are known, and more says that there are
	// others. Nil: nothing.
	Loses  func(s *session.Session, scope S, exports []string, more bool, ids []string) diag.Diagnostics
	Caveat string
	// Deed is the attribute (dotted path) that a warning of the deed points at: the CLI
	// quotes it, so it must not be the one that names people.
	Deed string
	// Restores: on_destroy = "restore" is possible. Verifies: a refresh can find out
	// whether somebody is back after an erasure for good.
	Restores, Verifies bool
	// CallsPerMinute is the limit of the delete call.
	CallsPerMinute func(*session.Session) int
	// NoImport says why a record cannot be imported and what to do instead; empty where it
	// can.
	NoImport [2]string
}

// core is what a resource has whatever its model.
type core[S erasure.Scope[S]] struct {
	Noun[S]
	many bool
	// argument is what names the subjects, where it is not the noun's own.
	argument string
	session  *session.Session
	engine   *erasure.Engine[S]
}

// Resource is the Terraform resource of a [Noun] whose model is M.
type Resource[S erasure.Scope[S], M any, P interface {
	*M
	model[S]
}] struct {
	core[S]
	words words[S]
}

// speak chooses what is said by whether it is about one or about many.
func (r *Resource[S, M, P]) speak() {
	if r.words = (oneWords[S]{&r.core}); r.many {
		r.words = manyWords[S]{&r.core}
	}
}

// Single is the resource of one subject: it has an identity and can be imported.
type Single[S erasure.Scope[S], M any, P interface {
	*M
	model[S]
}] struct {
	Resource[S, M, P]
}

// NewSingle makes the resource whose model embeds [One].
func NewSingle[M any, S erasure.Scope[S], P interface {
	*M
	model[S]
}](n Noun[S]) *Single[S, M, P] {
	r := &Single[S, M, P]{}
	r.Noun = n
	r.speak()
	return r
}

// Batch is the resource of many subjects.
type Batch[S erasure.Scope[S], M any, P interface {
	*M
	model[S]
}] struct {
	Resource[S, M, P]
}

// NewBatch makes the resource whose model embeds [Many].
func NewBatch[M any, S erasure.Scope[S], P interface {
	*M
	model[S]
}](n Noun[S]) *Batch[S, M, P] {
	r := &Batch[S, M, P]{}
	r.Noun, r.many = n, true
	r.speak()
	return r
}

// Metadata implements resource.Resource.
func (c *core[S]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = c.TypeName
	resp.ResourceBehavior.MutableIdentity = c.Hidden != "" // an id may give way to its pseudonym
}

// Schema implements resource.Resource.
func (c *core[S]) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	all := attributes(ctx, c.many, c.Restores, c.Verifies)
	maps.Copy(all, c.Attributes)
	resp.Schema = schema.Schema{MarkdownDescription: c.Description, Attributes: all, Blocks: c.Blocks}
}

// Configure implements resource.ResourceWithConfigure.
func (c *core[S]) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if c.session = session.From(req.ProviderData, &resp.Diagnostics); c.session != nil {
		c.engine = c.Engine(c.session)
	}
}

func (c *core[S]) subject() path.Path { return path.Root(c.named()) }

// named is the argument that names the subjects.
func (c *core[S]) named() string {
	if c.argument != "" {
		return c.argument
	}
	return c.Noun.Subject
}

func (c *core[S]) deed() path.Path { return report.Path(c.Deed) }

func (c *core[S]) pseudonym(id string) string {
	return c.session.Pseudonyms.Of(id)
}

func (c *core[S]) teller() teller { return teller{c.TypeName, c.session.Pseudonyms} }

// atLeast is how long Stream's limit makes n subjects take.
func (c *core[S]) atLeast(n int) time.Duration {
	calls := math.Ceil(float64(n) / float64(c.engine.Max))
	minutes := math.Ceil(calls/float64(c.CallsPerMinute(c.session))) - 1 // the first minute's calls go at once
	return time.Duration(max(minutes, 0)) * time.Minute
}

func (c *core[S]) timeout(n int) time.Duration {
	return max(defaultTimeout, 2*c.atLeast(n))
}

func (c *core[S]) lock(ctx context.Context, ids []string) (unlock func(), diags diag.Diagnostics) {
	return Lock(ctx, c.session, c.subject(), c.engine.Kind, ids)
}

// Create implements resource.Resource. It sets state only when there is something to
// keep: an error with state would taint the record.
func (r *Resource[S, M, P]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	r, a, o, diags := r.begin(ctx, &config, model, nil)
	if resp.Diagnostics.Append(diags...); diags.HasError() {
		return
	}
	ids := a.ids
	timeout, d := model.common().Timeouts.Create(ctx, r.timeout(len(ids)))
	resp.Diagnostics.Append(append(diags, d...)...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	unlock, d := r.lock(ctx, ids)
	defer unlock()
	resp.Diagnostics.Append(append(d, CheckArchive(ctx, r.session)...)...)
	resp.Diagnostics.Append(r.arrived(model, nil)...)

	batch, id := r.engine.Memory.Collect(r.TypeName, ids, r.many)
	model.common().recordID = id
	if o.Grace > 0 && len(batch) < len(ids) {
		r.takeOver(ctx, ids, batch)
	}
	o.Inherits = func(id string) bool { return r.session.Stakes.Inherit(r.who(id)) }
	inherits := len(batch) > 0
	drop(model, ids, batch)
	resp.Diagnostics.Append(r.again(ctx, batch)...)
	if scope, _, d := model.Scope(ctx); !d.HasError() {
		if done, lowered := batch.Ahead(scope); len(lowered) > 0 {
			resp.Diagnostics.Append(refused(erasure.Comparison{Lowered: lowered}, false)...)
			resp.Diagnostics.Append(reaches(ctx, model, done)...)
		}
	}
	batch, d = r.advance(ctx, model, ids, batch, o, !resp.Diagnostics.HasError())
	if d.HasError() && !inherits && r.engine.Forgets && !batch.Begun(true) {
		// A renamed block is destroyed and created side by side: its record may come late.
		if late, id := r.collectLate(ctx, ids); len(late) > 0 {
			inherits = true
			model.common().recordID = cmp.Or(id, model.common().recordID)
			batch, d = r.advance(ctx, model, ids, late, o, true)
		}
	}
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() && !inherits && !batch.Begun(r.engine.Forgets || r.engine.Guarded()) && !batch.Restricted() {
		return // nothing to keep
	}
	r.wrote(model, batch)
	resp.Diagnostics.Append(keepAside(ctx, batch.Kept(a.veiled), resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, model)...)
	resp.Diagnostics.Append(archive(ctx, r.session, model.common().Receipt.ValueString(), true, resp.Private)...)
}

// begin reads whom an apply is about and on what conditions, and makes the model ready to
// be stored.
func (r *Resource[S, M, P]) begin(ctx context.Context, config, model, prior P) (_ *Resource[S, M, P], a asked, o erasure.Options, diags diag.Diagnostics) {
	a, diags = r.asks(ctx, config, prior)
	if diags.HasError() {
		return r, a, o, diags
	}
	if prior != nil {
		model.common().recordID = receipt.ID(prior.common().Receipt.ValueString())
	}
	if a.veiled {
		r.cover(model, prior)
		if v, ok := any(model).(veiled); ok && !a.left {
			if planned := v.Pseudonym(); !planned.IsUnknown() && planned.ValueString() != r.standsFor(a.ids) {
				return r, a, o, append(diags, anotherPerson(r.hidden())) // Terraform says it first
			}
		}
	}
	if v, ok := any(model).(veiled); ok && v.Pseudonym().IsUnknown() {
		r.pseudonymize(model, prior, a)
	}
	o.Grace, o.Direct = grace(model), !r.many
	o.RecordMissing = model.common().OnMissing.ValueString() == MissingRecord
	if o.Conditions, diags = conditions(ctx, config); prior == nil {
		r.approve(model, nil, o)
	}
	return r.naming(a.veiled), a, o, diags
}

func (r *Resource[S, M, P]) collectLate(ctx context.Context, ids []string) (late erasure.Batch[S], id string) {
	if r.session.Clock.Sleep(ctx, SettleTime/2) != nil {
		return nil, ""
	}
	return r.engine.Memory.Collect(r.TypeName, ids, r.many)
}

// again looks those up whose completed record was handed over by a replacement: who
// replaces it asks whether they are there again.
func (r *Resource[S, M, P]) again(ctx context.Context, inherited erasure.Batch[S]) diag.Diagnostics {
	if len(inherited.Open(true)) == 0 {
		return nil
	}
	if _, diags := r.session.Open(ctx, r.subject()); diags.HasError() {
		return diags
	}
	changed, errs := r.engine.Refresh(ctx, inherited, true)
	maps.Copy(inherited, changed)
	return r.looked(inherited.IDs(), inherited, errs)
}

// Update implements resource.Resource. An error is saved with the modes that Stream has
// accepted.
func (r *Resource[S, M, P]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, prior M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&plan)
	r, a, o, diags := r.begin(ctx, &config, model, &prior)
	ids := a.ids
	batch, err := r.load(ctx, P(&prior), req.Private)
	if err != nil {
		diags.Append(damaged(err))
	}
	if !diags.HasError() {
		var d diag.Diagnostics
		batch, d = r.meet(batch, a, &prior)
		diags.Append(append(d, r.catchUp(ctx, batch, a, &prior)...)...)
	}
	timeout, d := model.common().Timeouts.Update(ctx, r.timeout(len(ids)))
	resp.Diagnostics.Append(append(diags, d...)...)
	resp.Diagnostics.Append(CheckArchive(ctx, r.session)...)
	resp.Diagnostics.Append(r.arrived(model, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	unlock, d := r.lock(ctx, ids)
	defer unlock()
	beside, d2 := ReadHeld(ctx, req.Private)
	d.Append(d2...)
	resp.Diagnostics.Append(d...)
	drop(model, ids, batch)
	o.Inherits = func(id string) bool { return r.session.Stakes.Inherit(r.who(id)) }
	o.Stays = func(id string) bool {
		return len(beside[r.session.Pseudonyms.Key(id)]) > 0 || len(r.holders(&prior, id, false)) > 0
	}
	scope, _, _ := model.Scope(ctx)
	o.Weaker = len(r.weakened(&prior, ids, batch, scope, o)) > 0
	r.approve(model, &prior, o)
	batch, d = r.advance(ctx, model, ids, batch, o, !d.HasError())
	resp.Diagnostics.Append(append(d, keepAside(ctx, batch.Kept(a.veiled), resp.Private)...)...)
	for _, mark := range []Mark{unsavedMark, replacedMark} {
		resp.Diagnostics.Append(mark.Clear(ctx, req.Private, resp.Private)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, model)...)
	resp.Diagnostics.Append(archive(ctx, r.session, model.common().Receipt.ValueString(), false, resp.Private)...)
}

// load reads the records of a model in state, with what private state keeps beside them.
func (r *Resource[S, M, P]) load(ctx context.Context, state P, private privateReader) (erasure.Batch[S], error) {
	ids, _, _ := state.Subjects(ctx)
	batch, err := state.load(ids)
	if err == nil && r.session != nil && private != nil {
		kept, _ := besides(ctx, private)
		batch.Beside(kept, r.session.Pseudonyms)
	}
	return batch, err
}

// A dropper is a model that forgets records.
type dropper[S erasure.Scope[S]] interface {
	drops(ids []string, batch erasure.Batch[S]) erasure.Batch[S]
}

// drop forgets the records that a model does not keep, and tells which.
func drop[S erasure.Scope[S]](m form[S], ids []string, batch erasure.Batch[S]) (dropped erasure.Batch[S]) {
	d, ok := m.(dropper[S])
	if !ok {
		return nil
	}
	dropped = d.drops(ids, batch)
	maps.DeleteFunc(batch, func(id string, _ erasure.Record[S]) bool { _, gone := dropped[id]; return gone })
	return dropped
}

// advance takes all subjects as far as they get, if it may, and stores the records in the
// model.
func (r *Resource[S, M, P]) advance(ctx context.Context, model P, ids []string, batch erasure.Batch[S], o erasure.Options, may bool) (erasure.Batch[S], diag.Diagnostics) {
	scope, _, diags := model.Scope(ctx)
	may = may && !diags.HasError()
	timing := r.timing(o.Grace)
	timing.Weaker = o.Weaker
	work := batch.Work(ids, scope, timing)
	talks := slices.ContainsFunc(slices.Collect(maps.Values(work)), func(s erasure.Step) bool { return s != erasure.Claim })
	if may && talks {
		opened, d := r.session.OpenFor(ctx, r.subject(), model.common().app())
		diags.Append(d...)
		if may = !d.HasError(); may && model.common().AppName.IsUnknown() {
			model.common().setApp(opened)
		}
	}
	var errs map[string]error
	if may {
		before := maps.Clone(batch)
		batch, errs = r.engine.Advance(ctx, ids, scope, batch, o)
		drop(model, ids, batch) // who was scheduled is released first
		diags.Append(r.words.ended(ids, scope, batch, errs)...)
		if len(errs) == 0 && pollsMissed(before, batch) {
			diags.Append(pollsUnchecked(r.deed()))
		}
	}
	if c := model.common(); c.AppName.IsUnknown() {
		c.setApp(app(batch))
	}
	if c, ok := any(model).(counted); ok {
		all, sent := c.Counts()
		if all.IsUnknown() {
			*all = types.Int64Value(int64(len(ids) + len(batch.Left(ids))))
		}
		if sent.IsUnknown() {
			*sent = types.Int64Value(sends(work))
		}
	}
	diags.Append(r.words.lost(batch.Left(ids), batch)...)
	diags.Append(r.settle(ctx, model, scope, ids, batch, !diags.HasError())...)
	return batch, append(diags, r.store(ctx, model, batch, ids, scope, errs)...)
}

// sends counts those who are to be sent.
func sends(work map[string]erasure.Step) (n int64) {
	for _, step := range work {
		if step == erasure.Send || step == erasure.Restrict {
			n++
		}
	}
	return n
}

// pollsMissed reports that polls could not be checked by what was sent just now.
func pollsMissed[S erasure.Scope[S]](before, after erasure.Batch[S]) bool {
	for id, record := range after {
		if len(record.Attempts) > len(before[id].Attempts) && record.Current().PollsUnchecked {
			return true
		}
	}
	return false
}

// settle sets the modes to those that Stream accepted for everybody, where that is
// less than the model wants, and says so where nothing else does.
func (r *Resource[S, M, P]) settle(ctx context.Context, model P, scope S, ids []string, batch erasure.Batch[S], say bool) (diags diag.Diagnostics) {
	accepted := batch.Accepted(ids, scope)
	if len(scope.Compare(accepted).Raised) == 0 {
		return nil
	}
	diags.Append(reaches(ctx, model, accepted)...)
	if batch.Irreversible() {
		model.common().Irreversible = types.BoolValue(true)
	}
	if say {
		diags.AddAttributeError(r.deed(), "Escalation not finished",
			"Not all subjects have reached the further modes yet. The record keeps the modes that Stream accepted for everybody, and what it knows of each subject. Run apply again: it goes on where this one ended.")
	}
	return diags
}

// reaches sets the modes, and what is known of them.
func reaches[S erasure.Scope[S]](ctx context.Context, m model[S], scope S) diag.Diagnostics {
	return append(m.SetScope(ctx, scope), m.common().reaches(ctx, scope.Irreversible(), scope.NotCovered())...)
}

// Read implements resource.Resource. A final record needs no call; it is never
// removed because the subject is gone: gone is the goal.
func (r *Resource[S, M, P]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state M
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	model := P(&state)
	r = r.of(model)
	ids, _, _ := model.Subjects(ctx)
	resp.Diagnostics.Append(r.identify(ctx, resp.Identity, model)...)
	for _, mark := range []Mark{unsavedMark, DestroyMark, replacedMark} {
		resp.Diagnostics.Append(mark.Clear(ctx, req.Private, resp.Private)...)
	}
	batch, err := r.load(ctx, model, req.Private)
	if err != nil {
		resp.Diagnostics.Append(damaged(err))
		return
	}
	if r.session != nil {
		r.session.Crowd.Enter()
		defer r.session.Crowd.Leave()
		r.see(model, batch) // before it waits for Stream, for those who ask meanwhile
	}
	verify := r.Verifies && r.session != nil && r.session.VerifyCompleted
	if !r.session.Blind() && len(batch.Open(verify)) > 0 {
		resp.Diagnostics.Append(r.refresh(ctx, model, ids, batch, verify, resp)...)
	}
	if r.session == nil {
		return
	}
	r.engine.Memory.Remember(batch)
	r.engine.UnderWay(batch)
	resp.Diagnostics.Append(r.beside(ctx, model, ids, batch, req.Private, resp)...)
}

// beside looks who else is about those on record.
func (r *Resource[S, M, P]) beside(ctx context.Context, model P, ids []string, batch erasure.Batch[S], private privateReader, resp *resource.ReadResponse) (diags diag.Diagnostics) {
	r.see(model, batch)
	if r.hasHeir(model, batch) {
		diags.Append(replacedMark.Set(ctx, resp.Private)...)
	}
	held := Held{}
	for id := range batch.Scheduled() {
		if types := r.session.Stakes.Beside(r.who(id), r.holder(model), true); len(types) > 0 {
			held[r.session.Pseudonyms.Key(id)] = types
		}
	}
	diags.Append(held.Keep(ctx, private, resp.Private)...)
	if r.takes(model, batch) {
		scope, _, d := model.Scope(ctx)
		diags.Append(append(d, r.store(ctx, model, batch, ids, scope, nil)...)...)
		diags.Append(resp.State.Set(ctx, model)...)
	}
	return diags
}

// takes makes restrictions that are another record's own those of this record too, so that
// whichever is dropped last gives the user back.
func (r *Resource[S, M, P]) takes(model P, batch erasure.Batch[S]) (took bool) {
	for id, record := range batch.Scheduled() {
		if !r.session.Stakes.Owned(r.who(id), r.holder(model)) {
			continue
		}
		if record, ok := record.Takes(); ok {
			batch[id], took = record, true
		}
	}
	return took
}

// refresh brings open records up to date.
func (r *Resource[S, M, P]) refresh(ctx context.Context, model P, ids []string, batch erasure.Batch[S], verify bool, resp *resource.ReadResponse) diag.Diagnostics {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if _, diags := r.session.OpenFor(ctx, r.subject(), model.common().app()); diags.HasError() {
		return diags
	}
	scope, _, _ := model.Scope(ctx)
	changed, errs := r.engine.Refresh(ctx, batch, verify)
	diags := r.looked(ids, batch, errs)
	if len(changed) == 0 || diags.HasError() {
		return diags
	}
	maps.Copy(batch, changed)
	diags.Append(r.settle(ctx, model, scope, ids, batch, false)...)
	diags.Append(r.store(ctx, model, batch, ids, scope, nil)...)
	diags.Append(resp.State.Set(ctx, model)...)
	return append(diags, unsavedMark.Set(ctx, resp.Private)...)
}

// identify sets the resource identity of a record of one subject: its id, or its pseudonym
// where that is all that is kept.
func (r *Resource[S, M, P]) identify(ctx context.Context, identity *tfsdk.ResourceIdentity, m P) diag.Diagnostics {
	if r.many || identity == nil {
		return nil
	}
	ids, _, _ := m.Subjects(ctx)
	if r.Hidden == "" {
		return Identify(ctx, identity, r.subject(), types.StringValue(ids[0]))
	}
	return IdentifyVeiled(ctx, identity, path.Root(r.Noun.Subject), ids[0])
}

func damaged(err error) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("receipt"), "Damaged record", fmt.Sprintf("%s. The state was changed by something else than this provider; restore it from a backup. Nothing was sent.", err))
}

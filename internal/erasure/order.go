// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package erasure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/stream"
)

// Order keeps the exports of one run and its deletions apart, by what the ones read and
// the others take. A plan refuses the two where nothing says which goes first, whichever of
// them it plans first: the later one looks. In an apply a deletion waits for an export that
// is under way, and an export tells whether a deletion came before it.
type Order struct {
	API        OrderAPI
	Pseudonyms Pseudonyms
	// Unknown: plans may hold exports that they cannot compare, since they do not know of
	// whom.
	Unknown bool
	// Members looks up who is in a channel.
	Members func(ctx context.Context, cid string) (Reach, error)

	mu      sync.Mutex
	exports map[string]*export
	acts    []*act
	sent    map[string]bool // the subjects whose deletion was begun
}

// OrderAPI tells who left something where, besides the members.
type OrderAPI interface {
	// FirstBy finds a message of one of up to 100 users in one of up to 100 channels.
	FirstBy(ctx context.Context, userIDs, cids []string) (message stream.Message, found bool, err error)
	// Reacted reports that a user reacted to a message.
	Reacted(ctx context.Context, messageID, userID string) (bool, error)
}

// Export is an export of this run.
type Export struct {
	// Key tells it from other exports; one without is another each time.
	Key string
	// Users are those whose data it reads, wherever it is; Channels are read as a whole.
	Users, Channels []string
	// Nameless: there is no hash of it that a deletion could name. First: its configuration
	// says that it comes before any deletion.
	Nameless, First bool
	// Unplanned: it is taken without a plan, so that none has compared it with the deletions.
	Unplanned bool
}

// export is one that is planned, under way or taken.
type export struct {
	Export
	people       map[string]bool // the keys of its users
	begun, taken bool
	ended        chan struct{}
}

// act is what one resource of this run deletes.
type act struct {
	kind string
	ids  []string
	// everything: it takes whatever there is. own: nothing but the subjects themselves.
	// content: it takes what its users wrote.
	everything, own, content bool
	// unknown is how many exports it names whose hashes only the apply will know; below
	// zero, nobody can tell.
	unknown int
	// look looks up the reach of a subject; nil once that is too late.
	look    func(ctx context.Context, id string) (Reach, error)
	reaches map[string]Reach
	// met are the subjects through which it reaches into an export, as far as they were
	// compared.
	met   map[*export][]string
	ended chan struct{}
}

// Deletion is what a plan says of one beside its subjects.
type Deletion struct {
	// UnknownExports is how many exports it names whose hashes only the apply will know;
	// below zero, nobody can tell. Others were taken by an earlier run.
	UnknownExports int
	// Found is what was found of the subjects.
	Found map[string]Finding
	// Restricts: nothing is deleted yet.
	Restricts bool
}

// takesContent is a scope that may leave what a subject wrote.
type takesContent interface{ TakesContent() bool }

// act is the deletion of some subjects.
func (e *Engine[S]) act(ids []string, scope S) *act {
	a := &act{kind: e.Kind, ids: ids, content: true, met: map[*export][]string{}}
	if s, ok := any(scope).(takesContent); ok {
		a.content = s.TakesContent()
	}
	a.look = func(ctx context.Context, id string) (Reach, error) { return e.Reach(ctx, id, scope) }
	return a
}

// Ordered notes what a plan deletes, and refuses the subjects through which it reaches
// into an export of the same plan that nothing puts first.
func (e *Engine[S]) Ordered(ctx context.Context, ids []string, scope S, d Deletion) map[string]error {
	a := e.act(ids, scope)
	a.unknown, a.own = d.UnknownExports, d.Restricts
	if e.Kind == kindUser && !d.Restricts {
		a.reaches = make(map[string]Reach, len(d.Found))
		for id, finding := range d.Found {
			a.reaches[id] = finding.Reach
		}
	}
	return e.order.plan(ctx, a)
}

// PlanEverything is [Engine.Ordered] of what takes everything, without subjects.
func (o *Order) PlanEverything(ctx context.Context, unknownExports int) error {
	return o.plan(ctx, &act{ids: []string{""}, everything: true, unknown: unknownExports, met: map[*export][]string{}})[""]
}

// AwaitEverything lets go on what takes everything, as a deletion.
func (o *Order) AwaitEverything(ctx context.Context) (end func(), err error) {
	return o.await(ctx, &act{ids: []string{""}, everything: true, met: map[*export][]string{}})
}

func (o *Order) plan(ctx context.Context, a *act) map[string]error {
	o.mu.Lock()
	o.acts = append(o.acts, a)
	exports := slices.Collect(maps.Values(o.exports))
	o.mu.Unlock()
	touched := map[string]error{}
	var kind string
	for _, x := range exports {
		if o.settled(x) {
			continue
		}
		ids, err := o.meet(ctx, a, x)
		if err != nil {
			return map[string]error{a.ids[0]: at(StageReach, err)}
		}
		for _, id := range ids {
			touched[id], kind = nil, x.kind()
		}
	}
	if !o.unordered(a) {
		return nil
	}
	for id := range touched {
		touched[id] = sideBySide(kind)
	}
	return touched
}

// Plan notes an export of this plan, and reports whether a deletion of the same plan
// reaches into it that may run first.
func (o *Order) Plan(ctx context.Context, planned Export) (unordered bool, err error) {
	x, acts := o.note(planned)
	for _, a := range acts {
		if a.ended != nil || o.settled(x) {
			continue
		}
		ids, err := o.meet(ctx, a, x)
		if err != nil {
			return false, err
		}
		unordered = unordered || slices.ContainsFunc(ids, func(id string) bool { return !o.begun(a.kind, id) }) && o.unordered(a)
	}
	return unordered, nil
}

// settled reports that an export needs nobody to name it (any more).
func (o *Order) settled(x *export) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return x.taken || x.begun || x.First
}

// begun reports that a deletion was begun, so that an export can only tell that it is late.
func (o *Order) begun(kind, id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent[subjectKey(kind, id)]
}

// note keeps one export for each key: a plan may be made twice.
func (o *Order) note(e Export) (*export, []*act) {
	o.mu.Lock()
	defer o.mu.Unlock()
	x := o.exports[e.Key]
	if x == nil || x.taken || e.Key == "" {
		x = &export{Export: e, people: map[string]bool{}, ended: make(chan struct{})}
		for _, id := range e.Users {
			x.people[o.Pseudonyms.Key(id)] = true
		}
		if o.exports == nil {
			o.exports = map[string]*export{}
		}
		if e.Key == "" { // never planned
			e.Key = fmt.Sprint(len(o.exports))
		}
		o.exports[e.Key] = x
	}
	return x, slices.Clone(o.acts)
}

// unordered reports that a deletion reaches into more exports of this plan than it may
// name. One that is under way is waited for.
func (o *Order) unordered(a *act) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	reached := 0
	for x, ids := range a.met {
		switch {
		case len(ids) == 0 || x.taken || x.begun || x.First:
		case x.Nameless:
			return true
		default:
			reached++
		}
	}
	return a.unknown >= 0 && reached > a.unknown
}

func (x *export) kind() string {
	if len(x.Channels) > 0 {
		return "channel"
	}
	return kindUser
}

// sideBySide is the refusal of a deletion beside an export that reads what it takes.
func sideBySide(kind string) error {
	return &Refusal{
		Field:   "exports",
		Summary: "Export and erasure side by side",
		Detail: "This plan also takes an export that reads what this deletion takes: data of the subject, or somebody's in a conversation, a channel or a message that goes too. " +
			"Nothing says that the export goes first: Terraform would run both at once. Nothing was sent. " +
			"Name every such export of this plan here, e.g. exports = [streamchat_" + kind + "_export.NAME.sha256]; it is then taken first, and kept in the record. " +
			"A hash that is known already is that of an earlier export, and one by an action has none: take it by the resource, or in a run before this one.",
	}
}

// await lets a deletion go on that is about to be sent: it waits for the exports under way
// that it reaches into, and keeps later ones away until end is called.
func (o *Order) await(ctx context.Context, a *act) (end func(), err error) {
	a.ended = make(chan struct{})
	for {
		apart, waiting, under := o.begin(ctx, a)
		switch {
		case waiting != nil:
			return nil, sideBySide(waiting.kind())
		case under != nil:
			select {
			case <-under:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case len(apart) == 0:
			return sync.OnceFunc(func() { close(a.ended) }), nil
		}
		for _, x := range apart {
			if _, err := o.meet(ctx, a, x); err != nil {
				return nil, at(StageReach, err)
			}
		}
	}
}

// begin notes that a deletion is being sent where nothing stands in its way: exports that
// it was not compared with, one that it reaches into and that is still to be taken, or the
// end of one.
func (o *Order) begin(ctx context.Context, a *act) (apart []*export, waiting *export, under chan struct{}) {
	if o.Unknown || !o.alone() {
		_, _ = o.reach(ctx, a) // for whoever comes later; what fails here is unknown to them
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range o.exports {
		ids, compared := a.met[x]
		switch {
		case x.taken:
		case !compared:
			apart = append(apart, x)
		case len(ids) == 0:
		case x.begun:
			under = x.ended
		default:
			waiting = x
		}
	}
	if len(apart) > 0 || under != nil {
		return apart, nil, under
	}
	if waiting == nil {
		a.look = nil
		o.acts = append(o.acts, a)
		for _, id := range a.ids {
			if o.sent == nil {
				o.sent = map[string]bool{}
			}
			o.sent[subjectKey(a.kind, id)] = true
		}
	}
	return nil, waiting, nil
}

// alone reports that this run has no export.
func (o *Order) alone() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.exports) == 0
}

// Taking is an export under way.
type Taking struct {
	order *Order
	*export
}

// Take begins an export: it waits for the deletions under way that reach into it.
func (o *Order) Take(ctx context.Context, e Export) (*Taking, error) {
	x, acts := o.note(e)
	o.mu.Lock()
	x.begun, x.ended = true, make(chan struct{})
	o.mu.Unlock()
	t := &Taking{o, x}
	for _, a := range acts {
		if a.ended == nil || !o.reachesInto(ctx, a, x) {
			continue
		}
		select {
		case <-a.ended:
		case <-ctx.Done():
			t.End(false)
			return nil, ctx.Err()
		}
	}
	return t, nil
}

// Reached reports that a deletion of this run was begun that reaches into the export.
func (t *Taking) Reached(ctx context.Context) bool {
	t.order.mu.Lock()
	acts := slices.Clone(t.order.acts)
	t.order.mu.Unlock()
	return slices.ContainsFunc(acts, func(a *act) bool { return a.ended != nil && t.order.reachesInto(ctx, a, t.export) })
}

// End notes that the export is taken, or that it is not and nothing that it reads may go.
func (t *Taking) End(taken bool) {
	t.order.mu.Lock()
	defer t.order.mu.Unlock()
	if t.begun {
		t.begun, t.taken = false, taken
		close(t.ended)
	}
}

// reachesInto is about a deletion that was begun: what cannot be told any more of one that
// no plan compared is taken for a yes.
func (o *Order) reachesInto(ctx context.Context, a *act, x *export) bool {
	ids, err := o.meet(ctx, a, x)
	o.mu.Lock()
	defer o.mu.Unlock()
	return err != nil || len(ids) > 0 || x.Unplanned && a.look == nil && a.reaches == nil
}

// meet compares, once, what a deletion takes with what an export reads, and tells the
// subjects through which the one reaches into the other.
func (o *Order) meet(ctx context.Context, a *act, x *export) ([]string, error) {
	o.mu.Lock()
	ids, compared := a.met[x]
	o.mu.Unlock()
	if compared {
		return ids, nil
	}
	ids = o.same(a, x)
	if len(ids) == 0 && !a.own && !a.everything {
		var err error
		if ids, err = o.along(ctx, a, x); err != nil {
			return nil, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a.met[x] = ids
	return ids, nil
}

// same are the subjects that the export is about.
func (o *Order) same(a *act, x *export) (ids []string) {
	for _, id := range a.ids {
		about := a.everything
		switch a.kind {
		case kindUser:
			about = x.people[o.Pseudonyms.Key(id)]
		case kindChannel, kindTruncation:
			about = slices.Contains(x.Channels, id)
		}
		if about {
			ids = append(ids, id)
		}
	}
	return ids
}

// along are the subjects with whom data goes that the export is about.
func (o *Order) along(ctx context.Context, a *act, x *export) (ids []string, err error) {
	if a.kind == kindUser && len(x.Users) == 0 {
		return o.writers(ctx, a, x)
	}
	reaches, err := o.reach(ctx, a)
	for _, id := range a.ids {
		reach := reaches[id]
		if slices.ContainsFunc(reach.Others, func(other string) bool { return x.people[o.Pseudonyms.Key(other)] }) || slices.Contains(x.Channels, reach.Channel) {
			ids = append(ids, id)
		}
	}
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	if o.late(a) { // whose the reactions were nobody can tell any more
		return slices.DeleteFunc(slices.Clone(a.ids), func(id string) bool { return !reaches[id].Reactions || len(x.Users) == 0 }), nil
	}
	switch a.kind {
	case kindChannel, kindTruncation:
		var message stream.Message
		var found bool
		if message, found, err = o.firstBy(ctx, x.Users, a.ids); found {
			ids = []string{message.CID}
		}
	case kindMessage:
		for _, id := range a.ids {
			for _, user := range x.Users {
				reacted := false
				if reaches[id].Reactions && err == nil && len(ids) == 0 {
					reacted, err = o.API.Reacted(ctx, id, user)
				}
				if reacted {
					ids = append(ids, id)
				}
			}
		}
	}
	return ids, err
}

// late reports that a deletion was begun, so that nothing can be looked up of it any more.
func (o *Order) late(a *act) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return a.look == nil
}

// writers are the erased users who are members of a channel that is exported, or wrote in
// it.
func (o *Order) writers(ctx context.Context, a *act, x *export) (ids []string, err error) {
	if !a.content || o.late(a) {
		return nil, nil
	}
	members, errs := each(x.Channels, func(cid string) (Reach, error) { return o.Members(ctx, cid) })
	for _, err := range errs {
		return nil, err
	}
	within := map[string]bool{}
	for _, reach := range members {
		for _, id := range reach.Others {
			within[id] = true
		}
	}
	for _, id := range a.ids {
		if within[id] {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		return ids, nil
	}
	message, found, err := o.firstBy(ctx, a.ids, x.Channels)
	if found {
		ids = []string{message.AuthorID}
	}
	return ids, err
}

// firstBy asks Stream's search, which does not know every type of channel: what it does
// not take it says nothing about.
func (o *Order) firstBy(ctx context.Context, users, cids []string) (message stream.Message, found bool, err error) {
	for some := range slices.Chunk(users, MaxSubjects) {
		for within := range slices.Chunk(cids, MaxSubjects) {
			message, found, err = o.API.FirstBy(ctx, some, within)
			var e *stream.Error
			if errors.As(err, &e) && e.Kind == stream.KindInput {
				err = nil
			}
			if found || err != nil {
				return message, found, err
			}
		}
	}
	return stream.Message{}, false, nil
}

// reach is the reach of all subjects of a deletion, looked up once.
func (o *Order) reach(ctx context.Context, a *act) (map[string]Reach, error) {
	o.mu.Lock()
	reaches, look := a.reaches, a.look
	o.mu.Unlock()
	if reaches != nil || look == nil {
		return reaches, nil
	}
	reaches, errs := each(a.ids, func(id string) (Reach, error) {
		if _, veiled := Unveil(id); veiled {
			return Reach{}, nil
		}
		return look(ctx, id)
	})
	for _, err := range errs {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a.reaches = reaches
	return reaches, nil
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package emulator

import (
	"slices"
	"time"
)

// The words for a task's state.
const (
	statusPending   = "pending"
	statusRunning   = "running"
	statusCompleted = "completed"
	statusFailed    = "failed"
)

// task is an asynchronous operation. It has no goroutine: its state follows
// from the clock, and its effect is applied by whoever looks next.
type task struct {
	id        string
	op        string
	createdAt stamp
	runningAt stamp
	dueAt     stamp
	hidden    bool // has no id that anyone could ask for
	settled   bool
	effect    func(at stamp)
	result    func(*call, *enc)
	err       *taskError

	// What a fault makes of it.
	word      string // stands in for pending and running
	stuck     bool
	forgotten bool
	failUser  map[string]string // by user, the error in the result
	noEntry   map[string]bool   // users that the result leaves out
}

// taskError is the error object of a failed task.
type taskError struct{ typ, description string }

func taskRoutes() []route {
	return []route{
		newRoute("GET /tasks/{id}", opGetTask, serverOnly, (*Emulator).getTask),
		// Dropped from the spec in 2025, still used by the SDKs.
		newRoute("GET /export_channels/{id}", opGetExportStatus, serverOnly, (*Emulator).getTask),
	}
}

func (e *Emulator) taskDelay(op string) time.Duration {
	if d, ok := e.opts.TaskDelays[op]; ok {
		return max(0, d)
	}
	return e.opts.TaskDelay
}

func (e *Emulator) schedule(t *task, now stamp, delay time.Duration) {
	t.createdAt = now
	t.runningAt = now.add(delay / 4)
	t.dueAt = now.add(delay)
	i, _ := slices.BinarySearchFunc(e.open, t.dueAt+1, func(t *task, due stamp) int { return int(t.dueAt - due) })
	e.open = slices.Insert(e.open, i, t)
}

// startTask starts a task that a client can ask for.
func (e *Emulator) startTask(c *call, effect func(at stamp), result func(*call, *enc)) *task {
	t := &task{id: newID(), op: c.op, effect: effect, result: result}
	e.taskFaults(c, t)
	e.tasks[t.id], c.task = t, t.id
	e.schedule(t, c.now, e.taskDelay(c.op))
	return t
}

// later does something after the delay of an operation, without a task that
// anyone could ask for.
func (e *Emulator) later(c *call, effect func(at stamp)) {
	e.schedule(&task{hidden: true, effect: effect}, c.now, e.taskDelay(c.op))
}

// startItemTask starts a task whose result has an entry per id. The effect gets
// the ids that neither check, which says what is wrong with one, nor a fault
// excludes.
func (e *Emulator) startItemTask(c *call, ids []string, check func(id string) string, effect func(done []string, at stamp)) *task {
	var t *task
	failed := map[string]string{}
	known := map[string]bool{}
	for _, id := range ids {
		_, known[id] = e.users[id]
	}
	t = e.startTask(c, func(at stamp) {
		var done []string
		for _, id := range ids {
			if why, ok := t.failUser[id]; ok {
				failed[id] = why
				continue
			}
			if check != nil {
				if why := check(id); why != "" {
					failed[id] = why
					continue
				}
			}
			done = append(done, id)
		}
		effect(done, at)
	}, func(_ *call, out *enc) {
		out.open('{')
		for _, id := range ids {
			why, bad := failed[id]
			switch {
			case t.noEntry[id]:
				continue
			case bad:
				out.key(id).open('{')
				out.kstr("status", "error") // unproven: dossier 2, the word
				out.kstr("error", why)
				out.shut('}')
				continue
			case c.op == opDeleteUsers && !known[id] && e.opts.OmitUnknownUsers:
				continue // unproven: dossier 15, switchable
			}
			out.key(id).open('{')
			out.kstr("status", "ok")
			out.shut('}')
		}
		out.shut('}')
	})
	return t
}

// settle applies the effects of the tasks and the pins that are due.
func (e *Emulator) settle(now stamp) {
	for len(e.open) > 0 && e.open[0].dueAt <= now {
		t := e.open[0]
		e.open = e.open[1:]
		if t.stuck {
			continue
		}
		t.settled = true
		if t.err == nil {
			t.effect(t.dueAt)
		}
		t.effect = nil // lets go of what it holds
	}
	if len(e.open) == 0 {
		e.open = nil
	}
	e.expirePins(now)
}

// state is the task's status at a time and since when.
func (t *task) state(now stamp) (string, stamp) {
	switch {
	case t.settled && t.err != nil:
		return statusFailed, t.dueAt
	case t.settled:
		return statusCompleted, t.dueAt
	case t.word != "":
		return t.word, t.createdAt
	case now >= t.runningAt:
		return statusRunning, t.runningAt
	default:
		return statusPending, t.createdAt
	}
}

// getTask is GET /tasks/{id}, and the same for channel exports under their old
// path.
func (e *Emulator) getTask(c *call) error {
	t, ok := e.tasks[c.path("id")]
	if !ok || t.forgotten {
		return errNoTask(c.path("id"))
	}
	status, since := t.state(c.now)
	c.out.kstr("task_id", t.id)
	c.out.kstr("status", status)
	c.out.ktime("created_at", t.createdAt)
	c.out.ktime("updated_at", since)
	switch status {
	case statusCompleted:
		c.out.key("result")
		t.result(c, &c.out)
	case statusFailed:
		c.out.key("error").open('{')
		c.out.kstr("type", t.err.typ)
		c.out.kstr("description", t.err.description)
		c.out.kstr("stacktrace", "")
		c.out.kstr("version", "1")
		c.out.shut('}')
	}
	return nil
}

func errNoTask(id string) *apiError {
	return notFound(`Can't find task with id "%s"`, id) // unproven: dossier 15, the code
}

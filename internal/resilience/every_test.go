// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package resilience

import (
	"slices"
	"strings"
	"testing"
)

// A resource that is added has to be interrupted and broken like the others, and
// one of each kind in every run.
func TestSuitesHaveEveryResource(t *testing.T) {
	for _, name := range resourceTypes(t) {
		i := slices.IndexFunc(subjects, func(s subject) bool { return strings.HasPrefix(s.address, name+".") })
		if i < 0 {
			t.Errorf("no subject for %s", name)
			continue
		}
		sub := subjects[i]
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return c.subject.name == sub.name && c.fast() }) {
			t.Errorf("no cell of the fast selection interrupts %s", name)
		}
		if !slices.ContainsFunc(faultCells(), func(c faultCell) bool { return c.sub.name == sub.name && c.fast }) {
			t.Errorf("no cell of the fast selection breaks %s", name)
		}
	}
	for _, sub := range slices.Concat(shrinking, chained) {
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return c.subject.name == sub.name && c.fast() }) {
			t.Errorf("no cell of the fast selection interrupts a %s", sub.name)
		}
		if !slices.ContainsFunc(faultCellsOf([]subject{sub}), faultCell.fastVariant) {
			t.Errorf("no cell of the fast selection breaks a %s", sub.name)
		}
	}
	for _, sub := range hidden {
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return c.subject.name == sub.name && c.fast() }) {
			t.Errorf("no cell of the fast selection interrupts a %s", sub.name)
		}
	}
	for stage, list := range map[string][]subject{"the first stage": staged, "the second stage": due} {
		of := func(sub subject) bool {
			return slices.ContainsFunc(list, func(s subject) bool { return s.name == sub.name })
		}
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return of(c.subject) && c.fast() }) {
			t.Errorf("no cell of the fast selection interrupts %s", stage)
		}
		if !slices.ContainsFunc(faultCellsOf(list), faultCell.fastVariant) {
			t.Errorf("no cell of the fast selection breaks %s", stage)
		}
	}
	for _, f := range beginnings {
		if !slices.ContainsFunc(slices.Concat(subjects, chained, staged, due), func(s subject) bool {
			return (f.needs == nil || f.needs(s)) && fastCrossing(s, f)
		}) {
			t.Errorf("no cell of the fast selection comes with another app's credentials to what was %s", f.name)
		}
	}
	for _, m := range moments {
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return c.moment.name == m.name && c.fast() }) {
			t.Errorf("no cell of the fast selection is at %q", m.name)
		}
	}
	for _, k := range kills {
		if !slices.ContainsFunc(killCells(), func(c cell) bool { return c.kill.name == k.name && c.fast() }) {
			t.Errorf("no cell of the fast selection is a %s", k.name)
		}
	}
	for _, f := range faults {
		if !slices.ContainsFunc(faultCells(), func(c faultCell) bool { return c.fault.name == f.name && c.fast }) {
			t.Errorf("the fast selection lacks the fault %q", f.name)
		}
	}
}

// The guide has a cell for each way to cut a run off, and promises nothing else.
func TestGuideHasEveryKill(t *testing.T) {
	guide := readGuide(t, "interruptions.md")
	for _, c := range killCells() {
		row := guide.tables[c.subject.name][c.moment.name]
		if row[c.kill.name] == "" {
			t.Errorf("no cell for %s / %s / %s", c.subject.name, c.moment.name, c.kill.name)
		}
		guide.seen[[3]string{c.subject.name, c.moment.name, c.kill.name}] = true
	}
	guide.filled(t)
}

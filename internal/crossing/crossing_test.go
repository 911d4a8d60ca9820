// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package crossing

import (
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	night  = flag.Duration("crossing", 0, "play new stories for this long")
	from   = flag.Uint64("crossing.from", 1, "number of the first story")
	many   = flag.Int("crossing.stories", gate, "how many stories to play")
	survey = flag.Bool("crossing.survey", false, "count what is found, known or not, and fail for nothing")
)

const (
	// gate is how many stories are played with the other tests: about 40 s of one core.
	gate = 400
	// races is how often a story is played until it shows again what it has shown once:
	// what runs side by side comes out one way or the other.
	races = 8
)

// TestMain lets the garbage be for longer: most of the time goes into it.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	flag.Parse()
	os.Exit(m.Run())
}

func signs(violations []Violation) []string {
	found := map[string]bool{}
	for _, v := range violations {
		found[v.Sign] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// shows plays a story until it shows a sign, a few times at most.
func shows(t *testing.T, s Story, sign string, times int) bool {
	for range times {
		if slices.Contains(signs(play(t, s, nil)), sign) {
			return true
		}
	}
	return false
}

// TestCases plays what the machine has found. A case that no longer shows what it did
// fails too: take the sign off, and the case stays as a promise.
func TestCases(t *testing.T) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			var found []string
			var told strings.Builder
			for range races {
				told.Reset()
				violations := play(t, c.Story, func(format string, args ...any) { tell(&told, format, args...) })
				found = signs(violations)
				if slices.Equal(found, slices.Sorted(slices.Values(c.Shows))) {
					return
				}
				if c.Races && !slices.ContainsFunc(found, func(sign string) bool { return !slices.Contains(c.Shows, sign) }) {
					return
				}
			}
			t.Errorf("shows %q, want %q (%s)\n%s", found, c.Shows, c.Fault, told.String())
		})
	}
}

// known are the signs of faults that are not mended yet, by the fault.
func known() map[string]string {
	signs := map[string]string{}
	for _, c := range cases {
		for _, sign := range c.Shows {
			if signs[sign] == "" {
				signs[sign] = c.Fault
			}
		}
	}
	return signs
}

// TestStories plays the same stories each time; with -crossing, new ones on each core.
func TestStories(t *testing.T) {
	t.Parallel()
	w := &work{next: *from, known: known(), seen: map[string]int{}, first: map[string]uint64{}}
	workers := 1
	if *night > 0 {
		workers = runtime.GOMAXPROCS(0)
		if *from == 1 {
			w.next = rand.Uint64N(1 << 40)
		}
	}
	begun, start := w.next, time.Now()
	t.Logf("stories from number %d on", begun)
	w.more = func(number uint64) bool {
		if *night > 0 {
			return time.Since(start) < *night
		}
		return number < begun+uint64(*many)
	}
	t.Run("play", func(t *testing.T) {
		for i := range workers {
			t.Run(strconv.Itoa(i), func(t *testing.T) { t.Parallel(); w.play(t) })
		}
	})
	n := int(w.next - begun)
	t.Logf("%d stories in %s", n, time.Since(start))
	for _, sign := range slices.Sorted(maps.Keys(w.seen)) {
		t.Logf("story %5d, %5d in all: %s (%s)", w.first[sign]-begun+1, w.seen[sign], sign, w.known[sign])
	}
	for _, what := range slices.Sorted(maps.Keys(counts.runs)) {
		t.Logf("%6d %s", counts.runs[what], what)
	}
	for _, kind := range kinds {
		if n >= gate && counts.runs["create "+string(kind)] == 0 {
			t.Errorf("no story applies a %s", kind)
		}
	}
}

// work is what the cores share.
type work struct {
	mu    sync.Mutex
	next  uint64
	more  func(uint64) bool
	known map[string]string
	seen  map[string]int
	first map[string]uint64
}

func (w *work) play(t *testing.T) {
	for {
		w.mu.Lock()
		number := w.next
		more := w.more(number)
		if more {
			w.next++
		}
		w.mu.Unlock()
		if !more {
			return
		}
		for _, v := range play(t, draw(number), nil) {
			w.mu.Lock()
			w.seen[v.Sign]++
			anew := w.seen[v.Sign] == 1
			if anew {
				w.first[v.Sign] = number
			}
			w.mu.Unlock()
			switch {
			case !anew:
			case *survey:
				t.Logf("%d: %.600s", number, v)
			case w.known[v.Sign] == "":
				found(t, number, v)
			}
		}
	}
}

// found tells of an invariant that did not hold, by the smallest story that shows it.
func found(t *testing.T, number uint64, v Violation) {
	t.Helper()
	again := 0
	for range races {
		if shows(t, draw(number), v.Sign, 1) {
			again++
		}
	}
	if again == 0 {
		t.Logf("story %d showed once, and in %d more plays never: %s", number, races, v)
		return
	}
	times := 1
	if again < races {
		times = races
	}
	s := shrink(draw(number), func(s Story) bool { return shows(t, s, v.Sign, times) })
	var told strings.Builder
	play(t, s, func(format string, args ...any) { tell(&told, format, args...) })
	t.Errorf("%s\nTo repeat: go test ./internal/crossing -run '^TestStories$' -crossing.from=%d -crossing.stories=1\n%s\n%s", v, number, s, told.String())
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/clock"
)

// mostPerWindow is the highest number of times within any window.
func mostPerWindow(times []time.Time, window time.Duration) int {
	times = slices.SortedFunc(slices.Values(times), time.Time.Compare)
	most := 0
	for i := range times {
		n := 0
		for _, t := range times[i:] {
			if t.Sub(times[i]) < window {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// TestDeletionsStayWithinTheLimit has 30 callers at once on a simulated clock
// and slow answers: the server must never see more than the limit in a window.
func TestDeletionsStayWithinTheLimit(t *testing.T) {
	for _, limit := range []int{1, 4, 6} {
		t.Run(strconv.Itoa(limit), func(t *testing.T) {
			var f *fixture
			f = newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				f.clock.Advance(rand.N(15 * time.Second))
				good(w, r)
			}, func(c *Config) { c.DeleteCallsPerMinute = limit })
			var group sync.WaitGroup
			for range 30 {
				group.Go(func() {
					if err := deleteOne(f); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			var times []time.Time
			for _, r := range f.requests() {
				times = append(times, r.at)
			}
			if most := mostPerWindow(times, time.Minute); most > limit || len(times) != 30 {
				t.Errorf("%d calls, up to %d within a minute", len(times), most)
			}
		})
	}
}

// TestStrictServerNeverRefuses plays Stream with fixed windows and headers.
func TestStrictServerNeverRefuses(t *testing.T) {
	var f *fixture
	var mu sync.Mutex
	windows := map[int64]int{}
	f = newFixture(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		mu.Lock()
		defer mu.Unlock()
		f.clock.Advance(rand.N(3 * time.Second))
		now := f.clock.Now()
		current := now.Unix() / 60
		windows[current]++
		limits(w, max(6-windows[current], 0), time.Unix((current+1)*60, 0))
		if windows[current] > 6 {
			t.Errorf("call %d in one window", windows[current])
			respondError(w, 429, 9, OpDeleteUsers, "Too many requests")
			return
		}
		good(w, r)
	})
	var group sync.WaitGroup
	for range 25 {
		group.Go(func() {
			if err := deleteOne(f); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if f.count() != 25 {
		t.Errorf("%d requests", f.count())
	}
}

// The following tests run in a bubble of false time, so that sleeping callers
// really sleep next to each other.

type lanes struct {
	*limiter
	t *testing.T
}

func newLanes(t *testing.T, caps map[Operation]int) lanes {
	return lanes{newLimiter(clock.Real{}, func(context.Context, string, map[string]any) {}, caps), t}
}

// do makes one call that takes some time.
func (l lanes) do(op Operation, took time.Duration, status int, header http.Header) time.Time {
	l.t.Helper()
	s, err := l.acquire(context.Background(), op, l.newTicket(), time.Time{})
	if err != nil {
		l.t.Error(err)
	}
	at := time.Now()
	time.Sleep(took)
	l.release(s, true, status, header)
	return at
}

func header(limit, remaining int, reset time.Time) http.Header {
	return http.Header{
		"X-Ratelimit-Limit":     {strconv.Itoa(limit)},
		"X-Ratelimit-Remaining": {strconv.Itoa(remaining)},
		"X-Ratelimit-Reset":     {strconv.FormatInt(reset.Unix(), 10)},
	}
}

func TestSlotsAreFreedAWindowAfterTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 2})
		start := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		var group sync.WaitGroup
		for range 6 {
			group.Go(func() {
				began := l.do(OpDeleteUsers, 10*time.Second, 201, nil)
				mu.Lock()
				at = append(at, began.Sub(start))
				mu.Unlock()
			})
		}
		group.Wait()
		slices.Sort(at)
		want := []time.Duration{0, 0, 70 * time.Second, 70 * time.Second, 140 * time.Second, 140 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("calls at %v, want %v", at, want)
		}
	})
}

func TestCallersAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 3})
		var order [20]int // by the limiter's own count, as three go at the same time
		var group sync.WaitGroup
		for i := range order {
			ticket := l.newTicket()
			group.Go(func() {
				// Later callers arrive earlier: it is the ticket that counts, but
				// never before a place that somebody already has.
				s, err := l.acquire(context.Background(), OpDeleteUsers, ticket, time.Time{})
				if err != nil {
					t.Error(err)
					return
				}
				order[s.send-1] = i
				l.release(s, true, 201, nil)
			})
			if i >= 2 {
				synctest.Wait()
			}
		}
		group.Wait()
		if !slices.IsSorted(order[3:]) {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestRepeatedCallKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 1})
		first := l.newTicket()
		s, err := l.acquire(context.Background(), OpDeleteUsers, first, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var order []string
		var group sync.WaitGroup
		group.Go(func() { l.do(OpDeleteUsers, 0, 201, nil); order = append(order, "second") })
		synctest.Wait()
		l.release(s, true, 429, nil)
		synctest.Wait() // the second one sleeps as the first of the queue
		group.Go(func() {
			s, err := l.acquire(context.Background(), OpDeleteUsers, first, time.Time{})
			if err != nil {
				t.Error(err)
			}
			order = append(order, "first again")
			l.release(s, true, 201, nil)
		})
		group.Wait()
		if !slices.Equal(order, []string{"first again", "second"}) {
			t.Error(order)
		}
	})
}

func TestRefusalsDoNotStartAStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, nil)
		start := time.Now()
		var mu sync.Mutex
		var inFlight, most, refused, calls int
		var group sync.WaitGroup
		for range 40 { // an operation whose limit is not known
			group.Go(func() {
				for ticket := l.newTicket(); ; {
					s, err := l.acquire(context.Background(), OpGetTask, ticket, time.Time{})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					calls++
					inFlight++
					if time.Since(start) > 0 {
						most = max(most, inFlight)
					}
					mu.Unlock()
					time.Sleep(100 * time.Millisecond)
					// The server has enough for 30 s.
					status := 200
					if time.Since(start) < 30*time.Second {
						status = 429
					}
					mu.Lock()
					inFlight--
					if status == 429 {
						refused++
					}
					mu.Unlock()
					l.release(s, true, status, nil)
					if status == 200 {
						return
					}
				}
			})
		}
		group.Wait()
		// All 40 at first, then one at a time: after about 1, 2, 4, 8, 16 s.
		if refused < 40+3 || refused > 40+7 || calls != refused+40 {
			t.Errorf("%d calls, %d refused", calls, refused)
		}
		if most > 20 {
			t.Errorf("%d at once after the refusal", most)
		}
	})
}

func TestHeadersMoveTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 6})
		limit := func(op Operation) int { l.mu.Lock(); defer l.mu.Unlock(); return l.lane(op).limit }
		soon := time.Now().Add(10 * time.Second)
		l.do(OpDeleteUsers, 0, 201, header(3, 2, soon))
		if limit(OpDeleteUsers) != 3 {
			t.Errorf("lowered to %d", limit(OpDeleteUsers))
		}
		l.do(OpDeleteUsers, 0, 201, header(60, 58, soon))
		if limit(OpDeleteUsers) != 6 {
			t.Errorf("raised to %d", limit(OpDeleteUsers))
		}
		l.do(OpDeleteUsers, 0, 201, header(0, 5, soon))
		l.do(OpDeleteUsers, 0, 201, http.Header{"X-Ratelimit-Limit": {"-4"}})
		if limit(OpDeleteUsers) != 6 {
			t.Errorf("nonsense moved it to %d", limit(OpDeleteUsers))
		}
		l.do(OpUpdateUsersPartial, 0, 200, header(500, 499, soon))
		l.do(OpGetTask, 0, 200, header(10000, 9999, soon))
		if limit(OpUpdateUsersPartial) != 500 || limit(OpGetTask) != 10000 {
			t.Errorf("%d, %d", limit(OpUpdateUsersPartial), limit(OpGetTask))
		}
	})
}

func TestRaisedLimitWakesTheSleeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, nil)
		l.do(OpGetTask, 0, 200, header(1, 1, time.Now()))
		s1 := time.Now()
		var group sync.WaitGroup
		slow, err := l.acquire(context.Background(), OpQueryPolls, l.newTicket(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		l.lane(OpQueryPolls).limit = 2
		l.mu.Unlock()
		l.do(OpQueryPolls, 0, 201, nil)
		group.Go(func() { // sleeps for the window of the call just made
			if at := l.do(OpQueryPolls, 0, 201, nil); at.Sub(s1) != 5*time.Second {
				t.Errorf("came through after %s", at.Sub(s1))
			}
		})
		time.Sleep(5 * time.Second)
		l.release(slow, true, 201, header(100, 97, time.Now()))
		group.Wait()
	})
}

func TestRemainingZeroBlocksUntilTheReset(t *testing.T) {
	for name, test := range map[string]struct {
		reset time.Duration
		want  time.Duration
	}{
		"sane": {20 * time.Second, 20*time.Second + resetMargin},
		"past": {-time.Second, 0},
		"now":  {0, 0},
		"far":  {121 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLanes(t, nil)
				start := time.Now()
				l.do(OpGetTask, 0, 200, header(100, 0, start.Add(test.reset)))
				time.Sleep(0)
				if waited := l.do(OpGetTask, 0, 200, nil).Sub(start); waited != test.want {
					t.Errorf("waited %s, want %s", waited, test.want)
				}
			})
		})
	}
}

func TestBurstsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, nil)
		var mu sync.Mutex
		var at []time.Time
		var group sync.WaitGroup
		for range 10 { // 60 a minute are 2 a second
			group.Go(func() {
				began := l.do(OpExportUser, 3*time.Second, 200, nil)
				mu.Lock()
				at = append(at, began)
				mu.Unlock()
			})
		}
		start := time.Now()
		group.Wait()
		if most := mostPerWindow(at, time.Second); most != 2 {
			t.Errorf("up to %d within a second", most)
		}
		if d := time.Since(start); d != 7*time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func TestAwaitTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 1})
		start := time.Now()
		for range 3 {
			if err := l.await(context.Background(), OpDeleteUsers); err != nil || time.Since(start) != 0 {
				t.Fatalf("%v after %s", err, time.Since(start))
			}
		}
		l.do(OpDeleteUsers, 2*time.Second, 201, nil)
		if err := l.await(context.Background(), OpDeleteUsers); err != nil || time.Since(start) != 62*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		if at := l.do(OpDeleteUsers, 0, 201, nil); at.Sub(start) != 62*time.Second {
			t.Errorf("the place was taken until %s", at.Sub(start))
		}
	})
}

func TestAwaitTurnEndsWithItsContext(t *testing.T) {
	f := newFixture(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	if err := f.AwaitTurn(ctx, OpDeleteUsers); err != nil {
		t.Error(err)
	}
	cancel()
	if e := failure(t, f.AwaitTurn(ctx, OpDeleteUsers)); e.Kind != KindCanceled || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
}

func TestWhoeverLeavesTheQueueWakesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 1})
		start := time.Now()
		l.do(OpDeleteUsers, 0, 201, nil)
		ctx, cancel := context.WithCancel(context.Background())
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := l.acquire(ctx, OpDeleteUsers, l.newTicket(), time.Time{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if time.Since(start) != 10*time.Second {
				t.Errorf("left after %s", time.Since(start))
			}
		})
		synctest.Wait()
		group.Go(func() {
			if at := l.do(OpDeleteUsers, 0, 201, nil); at.Sub(start) != time.Minute {
				t.Errorf("the next came after %s", at.Sub(start))
			}
		})
		second, cancelSecond := context.WithCancel(context.Background())
		synctest.Wait()
		group.Go(func() { // one who leaves from the middle
			if _, err := l.acquire(second, OpDeleteUsers, l.newTicket(), time.Time{}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancelSecond()
		time.Sleep(10 * time.Second)
		cancel()
		group.Wait()
	})
}

func TestPatienceIsAboutTheNextWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 1})
		l.do(OpDeleteUsers, 0, 201, nil)
		_, err := l.acquire(context.Background(), OpDeleteUsers, l.newTicket(), time.Now().Add(30*time.Second))
		if !errors.Is(err, errPatience) {
			t.Error(err)
		}
		if _, err = l.acquire(context.Background(), OpDeleteUsers, l.newTicket(), time.Now().Add(90*time.Second)); err != nil {
			t.Error(err)
		}
	})
}

func TestBackoff(t *testing.T) {
	for attempt, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 6: 32 * time.Second, 7: time.Minute, 100000: time.Minute,
	} {
		if got := backoff(time.Second, time.Minute, attempt); got != want {
			t.Errorf("attempt %d: %s, want %s", attempt, got, want)
		}
	}
	for range 1000 {
		if d := jitter(time.Second); d < 500*time.Millisecond || d > time.Second {
			t.Fatal(d)
		}
	}
	if jitter(0) != 0 {
		t.Error("jitter of nothing")
	}
}

// TestLimiterUnderLoad mixes everything; the invariant is the limit.
func TestLimiterUnderLoad(t *testing.T) {
	for seed := range uint64(20) {
		underLoad(t, seed)
	}
}

func underLoad(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(t, map[Operation]int{OpDeleteUsers: 5})
		var mu sync.Mutex
		var times []time.Time
		var group sync.WaitGroup
		random := rand.New(rand.NewPCG(seed, 2))
		for range 200 {
			delay, took, quits := time.Duration(random.Int64N(int64(10*time.Minute))), time.Duration(random.Int64N(int64(40*time.Second))),
				random.IntN(4) == 0
			status := []int{201, 201, 201, 500, 429}[random.IntN(5)]
			group.Go(func() {
				time.Sleep(delay)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				if quits {
					ctx, cancel = context.WithTimeout(context.Background(), took)
					defer cancel()
				}
				s, err := l.acquire(ctx, OpDeleteUsers, l.newTicket(), time.Time{})
				if err != nil {
					if !quits {
						t.Error(err)
					}
					return
				}
				arrival := time.Now().Add(took / 2)
				time.Sleep(took)
				mu.Lock()
				times = append(times, arrival)
				mu.Unlock()
				l.release(s, true, status, header(5, 1, time.Now().Add(time.Second)))
			})
		}
		group.Wait()
		if most := mostPerWindow(times, time.Minute); most > 5 {
			t.Errorf("seed %d: %d within a minute", seed, most)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if ln := l.lane(OpDeleteUsers); ln.inFlight != 0 || len(ln.queue) != 0 {
			t.Errorf("left over: %+v", ln)
		}
	})
}

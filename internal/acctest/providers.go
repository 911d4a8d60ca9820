// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// WatchProviders watches the provider processes of a running CLI until stop is
// called, which gives their ids and the largest resident size of any of them in
// MiB, 0 where /proc is not.
func WatchProviders(p *tfcli.Process) (stop func() (pids []int, peak int)) {
	done, ended := make(chan struct{}), make(chan struct{})
	seen, peak := map[int]bool{}, 0
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				pids, _ := p.ProviderPIDs()
				for _, pid := range pids {
					seen[pid] = true
					peak = max(peak, peakRSS(pid))
				}
			}
		}
	}()
	return func() ([]int, int) {
		close(done)
		<-ended
		return slices.Sorted(maps.Keys(seen)), peak
	}
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakRSS is a process's largest resident size so far.
func peakRSS(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		return 0
	}
	return kilobytes >> 10
}

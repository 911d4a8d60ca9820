// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

// ProviderMemory watches the provider processes of a running CLI until peak is
// called, which gives the largest resident size of any of them in MiB, 0 where
// /proc is not.
func ProviderMemory(p *tfcli.Process) (peak func() int) {
	most := make(chan int)
	done := make(chan struct{})
	go func() {
		largest := 0
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				most <- largest
				return
			case <-tick.C:
				pids, _ := p.ProviderPIDs()
				for _, pid := range pids {
					largest = max(largest, peakRSS(pid))
				}
			}
		}
	}()
	return func() int {
		close(done)
		return <-most
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

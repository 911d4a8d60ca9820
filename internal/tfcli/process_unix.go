// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix

package tfcli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func ownProcessGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func signalGroup(pgid int, sig os.Signal) error {
	s, ok := sig.(syscall.Signal)
	if !ok {
		return fmt.Errorf("%v is not a signal of this system", sig)
	}
	return syscall.Kill(-pgid, s)
}

// process is one that runs; name is the base name of its executable.
type process struct {
	pid, parent int
	name        string
}

// providerPIDs keeps the providers among the descendants of pid.
func providerPIDs(pid int) ([]int, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	var found []int
	for parents := []int{pid}; len(parents) > 0; parents = parents[1:] {
		for _, p := range all {
			if p.parent != parents[0] {
				continue
			}
			parents = append(parents, p.pid)
			if strings.HasPrefix(p.name, "terraform-provider-") {
				found = append(found, p.pid)
			}
		}
	}
	return found, nil
}

// Running reports that a process has not ended; one that nobody has waited for
// yet has.
func Running(pid int) bool {
	all, err := processes()
	return err != nil || slices.ContainsFunc(all, func(p process) bool { return p.pid == pid })
}

func processes() ([]process, error) {
	if runtime.GOOS == "linux" {
		return procProcesses()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-A", "-o", "pid=,ppid=,command=").Output()
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	var all []process
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 2 {
			pid, _ := strconv.Atoi(f[0])
			parent, _ := strconv.Atoi(f[1])
			all = append(all, process{pid, parent, filepath.Base(f[2])})
		}
	}
	return all, nil
}

// procProcesses reads /proc: a small machine has no ps.
func procProcesses() ([]process, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var all []process
	for _, dir := range dirs {
		// Either file is gone with its process; a zombie has no command line.
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		name, _, ok := bytes.Cut(cmdline, []byte{0})
		if !ok {
			continue
		}
		// The command's name, in parentheses, may hold anything; then come
		// the state and the parent.
		f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		if len(f) < 2 {
			continue
		}
		pid, errPID := strconv.Atoi(filepath.Base(dir))
		parent, errParent := strconv.Atoi(string(f[1]))
		if err := errors.Join(errPID, errParent); err != nil {
			return nil, err
		}
		all = append(all, process{pid, parent, filepath.Base(string(name))})
	}
	return all, nil
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build unix && !solaris && !illumos && !aix

package privatefile

import (
	"os"
	"syscall"
)

// lock locks a file for as long as it is open here, or fails at once.
func lock(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

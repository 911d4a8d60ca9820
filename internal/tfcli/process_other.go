// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build !unix

package tfcli

import (
	"errors"
	"os"
	"os/exec"
)

func ownProcessGroup(*exec.Cmd) {}

func signalGroup(int, os.Signal) error { return errors.ErrUnsupported }

func providerPIDs(int) ([]int, error) { return nil, errors.ErrUnsupported }

// Running does not know.
func Running(int) bool { return false }

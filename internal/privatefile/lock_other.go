// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

//go:build !unix || solaris || illumos || aix

package privatefile

import (
	"errors"
	"os"
)

func lock(*os.File) error { return errors.ErrUnsupported }

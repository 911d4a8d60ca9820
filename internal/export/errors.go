// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package export

import (
	"errors"
	"fmt"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/privatefile"
)

// ErrTooLarge says that an export does not fit where it was to go.
var ErrTooLarge = privatefile.ErrTooLarge

// ErrNothingFound says that an assembled export would be empty. Stream's refusal
// of its own export means that there is a lot.
var ErrNothingFound = errors.New("nothing was found")

// ParseError says how an export is not what Stream's API promises. It never
// holds a byte of the export, which is personal data: an error ends up in logs.
type ParseError struct {
	Problem string // fixed words
	Offset  int64  // bytes of a channel export's file before the place, else 0
}

// Error implements error, e.g. `invalid JSON, at byte 83`.
func (e *ParseError) Error() string {
	if e.Offset == 0 {
		return e.Problem
	}
	return fmt.Sprintf("%s, at byte %d", e.Problem, e.Offset)
}

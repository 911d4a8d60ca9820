// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package privatefile

import (
	"os"
	"path/filepath"

	ignore "github.com/sabhiram/go-gitignore"
)

// Tracked reports whether a path is inside a git checkout whose ignore files do not name
// it, so that "git add" takes the file along. What a user's own configuration of git
// ignores is not looked at.
func Tracked(path string) bool {
	path = Resolve(path)
	inside := func(dir string) bool {
		_, err := os.Lstat(filepath.Join(dir, ".git")) // a file in a worktree
		return err == nil
	}
	ignored := func(dir, file string) bool {
		name, err := filepath.Rel(dir, path)
		lines, unread := ignore.CompileIgnoreFile(filepath.Join(dir, file))
		return err == nil && unread == nil && lines.MatchesPath(name)
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		switch {
		case ignored(dir, ".gitignore"):
			return false
		case inside(dir):
			return !ignored(dir, filepath.Join(".git", "info", "exclude"))
		case dir == filepath.Dir(dir):
			return false
		}
	}
}

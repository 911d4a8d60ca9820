// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package acctest

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// atOnce is how many tests of a package run at once where go test would run fewer:
// they wait for a CLI, and a CLI waits for tasks. Each takes about 100 MB.
const atOnce = 6

// Main is the TestMain of a package that runs the CLI.
func Main(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given && runtime.GOMAXPROCS(0) < atOnce {
		if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	removeBinary()
	os.Exit(code)
}

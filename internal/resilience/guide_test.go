// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package resilience

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamchat-gdpr/terraform-provider-streamchat/internal/tfcli"
)

var update = flag.Bool("update", false, "write the tables into templates/guides instead of comparing them")

func guideText(t *testing.T, guide string) (file, text string) {
	t.Helper()
	root, err := tfcli.RepoRoot()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(root, "templates", "guides", guide)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, string(raw)
}

// published checks that a guide shows this table: what the docs promise is what
// the suites expect. The table stands between two comments that name it.
func published(t *testing.T, guide, name, table string) {
	t.Helper()
	file, text := guideText(t, guide)
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	before, rest, ok := strings.Cut(text, begin)
	shown, after, okEnd := strings.Cut(rest, end)
	if !ok || !okEnd {
		t.Fatalf("%s has no place for the table %s", guide, name)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != table {
		t.Errorf("%s does not show what this suite expects: run go test ./internal/resilience -update, then make generate.\nIt should be:\n%s", guide, table)
	}
}

// guideTables are the tables of a guide, each after a comment that names it:
// rows and columns by their first cells.
type guideTables struct {
	file   string
	mu     sync.Mutex
	tables map[string]map[string]map[string]string
	seen   map[[3]string]bool // cells that were compared
}

// readGuide reads a guide whose cells are what a suite expects. Alternatives
// stand between "or".
func readGuide(t *testing.T, guide string) *guideTables {
	t.Helper()
	file, text := guideText(t, guide)
	g := &guideTables{file: file, tables: map[string]map[string]map[string]string{}, seen: map[[3]string]bool{}}
	var names, columns []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case strings.HasPrefix(line, "<!-- "):
			name, by := strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->"), ", "
			if strings.Contains(name, "; ") {
				by = "; " // of names that have a comma
			}
			names, columns = strings.Split(name, by), nil
			for _, name := range names {
				g.tables[name] = map[string]map[string]string{}
			}
		case !strings.HasPrefix(line, "|"), strings.HasPrefix(line, "|-"):
		case columns == nil:
			columns = cells
		default:
			row := map[string]string{}
			for i, cell := range cells[1:] {
				row[columns[i+1]] = cell
			}
			for _, name := range names {
				g.tables[name][cells[0]] = row
			}
		}
	}
	return g
}

// check compares what happened with a cell.
func (g *guideTables) check(t *testing.T, table, row, column, got string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen[[3]string{table, row, column}] = true
	want, ok := g.tables[table][row][column]
	if !ok {
		t.Errorf("%s has no cell for %s / %s / %s; it is: %s", filepath.Base(g.file), table, row, column, got)
	} else if !slices.Contains(strings.Split(want, " or "), got) {
		t.Errorf("it is: %s\n%s says: %s", got, filepath.Base(g.file), want)
	}
}

// none is a cell of what cannot be.
const none = "—"

// filled fails for cells that promise what no run has shown.
func (g *guideTables) filled(t *testing.T) {
	t.Helper()
	for table, rows := range g.tables {
		for row, cells := range rows {
			for column, cell := range cells {
				if cell != none && !g.seen[[3]string{table, row, column}] {
					t.Errorf("%s: nothing shows the cell %s / %s / %s", filepath.Base(g.file), table, row, column)
				}
			}
		}
	}
}

// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

// Package prose reads the texts of schemas from Markdown files, where people can read
// and review them as text. A file holds a section per text:
//
//	## name of the attribute, or of the resource
//	Its description.
package prose

import (
	"fmt"
	"strings"
)

// Text gives the texts of a Markdown file by the names of its sections. A line break
// within a paragraph is a space. A text that is not there panics: the schema of every
// resource is read by the tests.
func Text(markdown string) func(name string) string {
	sections := map[string]string{}
	for section := range strings.SplitSeq("\n"+markdown, "\n## ") {
		name, text, _ := strings.Cut(section, "\n")
		sections[strings.TrimSpace(name)] = unwrap(text)
	}
	return func(name string) string {
		text, ok := sections[name]
		if !ok || text == "" {
			panic(fmt.Sprintf("prose: no text for %q", name))
		}
		return text
	}
}

// unwrap joins the lines of each paragraph; lists and tables keep theirs.
func unwrap(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(paragraph), "\n")
		separator := " "
		if strings.HasPrefix(lines[0], "* ") || strings.HasPrefix(lines[0], "|") {
			separator = "\n"
		}
		paragraphs = append(paragraphs, strings.Join(lines, separator))
	}
	return strings.Join(paragraphs, "\n\n")
}

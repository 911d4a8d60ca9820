// Copyright (c) the terraform-provider-streamchat authors
// SPDX-License-Identifier: MPL-2.0

package comment

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much is shown of one value, and of one sentence.
const (
	widest  = 200
	longest = 600
)

// code shows a value that somebody else chose: as a code span it is neither Markdown nor
// HTML, and mentions nobody. It must not stand in a table, for its pipes.
func code(value string) string {
	value = clip(clean(value), widest)
	if strings.TrimSpace(value) == "" {
		return "(empty)"
	}
	fence, run := 0, 0
	for _, r := range value {
		if r == '`' {
			run++
		} else {
			run = 0
		}
		fence = max(fence, run)
	}
	marks := strings.Repeat("`", fence+1)
	if fence > 0 || strings.HasPrefix(value, " ") || strings.HasSuffix(value, " ") {
		value = " " + value + " "
	}
	return marks + value + marks
}

// cell is code for a cell of a table: no escape of a pipe is understood everywhere.
func cell(value string) string { return code(strings.ReplaceAll(value, "|", "¦")) }

// plain is text between our own words. What could become Markdown, HTML, a link or a
// mention is kept from it.
func plain(text string) string {
	var b strings.Builder
	text = clip(clean(text), longest)
	for i, r := range text {
		switch {
		case r == '_' && within(text, i): // of a word, where it means nothing
			b.WriteRune(r)
		case strings.ContainsRune("\\`*_{}[]<>|~&", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case strings.ContainsRune("@#!$%^", r) && i+1 < len(text) && text[i+1] != ' ':
			b.WriteRune(r)
			b.WriteRune('\u200b') // which shows nothing, and ends a mention or a reference
		case r == ':' && strings.HasPrefix(text[i:], "://"):
			b.WriteString("\\:")
		case r == '.' && strings.HasSuffix(strings.ToLower(text[:i]), "www"):
			b.WriteString("\\.")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// within reports that letters or digits are on both sides.
func within(text string, i int) bool {
	letter := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	}
	return i > 0 && i+1 < len(text) && letter(text[i-1]) && letter(text[i+1])
}

// clean leaves one line without characters that turn or hide what is read.
func clean(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, text)
}

func clip(text string, runes int) string {
	all := []rune(text)
	if len(all) <= runes {
		return text
	}
	return string(all[:runes-1]) + "…"
}

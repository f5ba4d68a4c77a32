// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestParagraphs(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "",
		"one line":               "one line",
		"two\nlines":             "two lines",
		"one\nparagraph\n\ntwo":  "one paragraph\n\ntwo",
		"one\n\n\ntwo":           "one\n\ntwo",
		"a list:\n- one\n- two":  "a list:\n- one\n- two",
		"a list:\n\n- one\nmore": "a list:\n\n- one more",
	} {
		if got := paragraphs(text); got != want {
			t.Errorf("paragraphs(%q) = %q, want %q", text, got, want)
		}
	}
}

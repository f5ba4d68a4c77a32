// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client"
)

func TestMatchTopics(t *testing.T) {
	topics := []string{"orders-2", "__consumer_offsets", "orders-1", "preorders-1", "orders-1-dlq", "a", "ab", "my orders"}
	for expression, want := range map[string][]string{
		`orders-\d`:  {"orders-1", "orders-2"},
		`a|ab`:       {"a", "ab"},
		`.*orders.*`: {"orders-1", "orders-1-dlq", "orders-2", "preorders-1"},
		`_.*`:        nil,
		`(?m)^a$`:    {"a"},
	} {
		pattern, err := client.CompilePattern(expression)
		if err != nil {
			t.Fatal(err)
		}
		if got := client.MatchTopics(pattern, topics); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", expression, got, want)
		}
	}
}

func TestCompilePatternRefuses(t *testing.T) {
	for expression, want := range map[string]string{
		"": "is empty", "a(": `"a(" is no regular expression (RE2): missing closing )`, "a)|(b": "unexpected )",
		"a{1001}": "invalid repeat count",
	} {
		if _, err := client.CompilePattern(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", expression, err, want)
		}
	}
}

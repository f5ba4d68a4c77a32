// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"slices"
	"strings"
	"testing"
)

// A judge that finds nothing wrong proves nothing unless it finds what is: each case is one thing that must not be.
func TestTheJudgeFindsWhatIsWrong(t *testing.T) {
	modern := era{once: true, offsets: true, keyed: true}
	old := era{offsets: true, keyed: true, forgetful: true}
	one := func(kind kind, attempts ...attempt) *books {
		return &books{names: &names{all: []string{"0", "1"}}, pages: []*page{{caller: 0, kind: kind, attempts: attempts}}}
	}
	there := func(seq int32, tag uint16, partition string, offset int64, key string) record {
		return record{partition, offset, key, []byte(identity{0, seq, tag}.value())}
	}
	for name, c := range map[string]struct {
		era     era
		books   *books
		records []record
		want    string
	}{
		"nothing": {
			modern, one(single, attempt{answer: refused}, attempt{try: 1, answer: taken, offset: 5}),
			[]record{there(0, 1, "0", 5, "")}, "",
		},
		"taken, and not there": {modern, one(single, attempt{answer: taken, offset: 5}), nil, "not in the topic"},
		"twice": {
			modern, one(sure, attempt{answer: unknown}, attempt{try: 1, answer: taken, offset: 5}),
			[]record{there(0, 0, "0", 5, ""), there(0, 0, "1", 7, "")}, "more than once",
		},
		"twice, where brokers do not know better": {
			old, one(sure, attempt{answer: taken, offset: 5}),
			[]record{there(0, 0, "0", 5, ""), there(0, 0, "1", 7, "")}, "",
		},
		"refused, and there": {
			modern, one(single, attempt{answer: refused}, attempt{try: 1, answer: taken, offset: 5}),
			[]record{there(0, 0, "0", 4, ""), there(0, 1, "0", 5, "")}, "refused and are in the topic",
		},
		"refused for ever with a key, and there": {
			modern, one(sure, attempt{answer: refused}), []record{there(0, 0, "0", 4, "")}, "refused and are in the topic",
		},
		"elsewhere": {
			modern, one(single, attempt{answer: taken, offset: 5}), []record{there(0, 0, "0", 6, "")}, "not where",
		},
		"in another partition": {
			modern, one(single, attempt{answer: taken, offset: 5}), []record{there(0, 0, "1", 5, "")}, "not where",
		},
		"with another key": {
			modern, one(keyed, attempt{answer: taken, offset: 5}), []record{there(0, 0, "0", 5, "key-0-1")}, "not where",
		},
		"before an earlier one": {
			modern,
			one(keyed, attempt{answer: taken, offset: 5}, attempt{seq: keysOfCaller, answer: taken, offset: 4}),
			[]record{there(0, 0, "0", 5, "key-0-0"), there(keysOfCaller, 0, "0", 4, "key-0-0")}, "of a key",
		},
		"apart from an earlier one": {
			modern,
			one(keyed, attempt{answer: taken, offset: 5}, attempt{seq: keysOfCaller, answer: taken, at: 1, offset: 9}),
			[]record{there(0, 0, "0", 5, "key-0-0"), there(keysOfCaller, 0, "1", 9, "key-0-0")}, "of a key",
		},
		"cut off": {
			modern, one(single, attempt{answer: unknown, cut: true}), []record{there(0, 0, "0", 5, "")}, "cut off",
		},
		"of nobody": {
			modern, one(single), []record{{"0", 0, "", []byte("something else")}}, "of nobody",
		},
		"never sent": {
			modern, one(single), []record{there(0, 0, "0", 0, "")}, "of nobody",
		},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := judge(c.books, c.records, c.era).violations()
			found := slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, c.want) })
			if c.want == "" && len(wrong) > 0 || c.want != "" && !found {
				t.Errorf("want %q, got %q", c.want, wrong)
			}
		})
	}
}

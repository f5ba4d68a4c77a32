// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// modern is the registration of a member of Kafka 0.8 by a pattern.
func modern(kind, expression string, threads int) string {
	data, _ := json.Marshal(map[string]any{
		"version": 1, "subscription": map[string]int{expression: threads}, "pattern": kind, "timestamp": "1",
	})
	return string(data)
}

func TestMembersByPattern(t *testing.T) {
	topics := []string{
		"orders", "orders-eu", "events", "zz.top", "billing", "reorders", "__consumer_offsets", "__mine", "or ders", "",
	}
	all := []string{"orders", "orders-eu", "events", "zz.top", "billing", "reorders", "__mine"}
	for name, test := range map[string]struct {
		data       string
		expression string
		threads    int
		want       []string
	}{
		"0.7, as recorded":        {`*1*ev.*|zz.*`, "ev.*|zz.*", 1, []string{"events", "zz.top"}},
		"0.7, not normalized":     {`*2* "ev.*, zz.*" `, "ev.*|zz.*", 2, []string{"events", "zz.top"}},
		"0.7, of many threads":    {`*2147483647*orders`, "orders", 2147483647, []string{"orders"}},
		"0.7, with leading zeros": {`*007*orders`, "orders", 7, []string{"orders"}},
		"0.7, all":                {`*1*.*`, ".*", 1, append(all, "__consumer_offsets")},
		"0.7, with a star":        {`*1*o*rders`, "o*rders", 1, []string{"orders"}},
		"0.7, nothing":            {`*1*`, "", 1, nil},
		"0.7, black": {
			`!3!orders.*|z{2}.top`, "orders.*|z{2}.top", 3,
			[]string{"events", "billing", "reorders", "__mine", "__consumer_offsets"},
		},
		"0.7, black, with a !": {`!1!o!`, "o!", 1, append(all, "__consumer_offsets")},
		"0.7, black, nothing":  {`!1!`, "", 1, append(all, "__consumer_offsets")},
		"0.8":                  {modern("white_list", "orders", 2), "orders", 2, []string{"orders"}},
		"0.8, a list": {
			modern("white_list", " 'orders,events' ", 1), "orders|events", 1, []string{"orders", "events"},
		},
		"0.8, all":     {modern("white_list", ".*", 1), ".*", 1, all},
		"0.8, escaped": {modern("white_list", `zz\.\w+`, 1), `zz\.\w+`, 1, []string{"zz.top"}},
		"0.8, black": {
			modern("black_list", "orders|events|billing", 1), "orders|events|billing", 1,
			[]string{"orders-eu", "zz.top", "reorders", "__mine"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := layout.DecodeMember("g", "m", []byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			p := got.Pattern
			if p == nil || p.Expression != test.expression || p.Threads != test.threads || got.Topics != nil || !got.Foreign {
				t.Fatalf("%+v, %+v", got, p)
			}
			want := map[string]bool{}
			for _, topic := range test.want {
				want[topic] = true
			}
			for _, topic := range topics {
				if p.Matches(topic) != want[topic] {
					t.Errorf("%q: %t", topic, !want[topic])
				}
			}
		})
	}
}

func TestPatternsThatAreReported(t *testing.T) {
	for data, want := range map[string]string{
		"*": "want *threads*expression", "!": "want !threads!expression", "**a": "want *threads*", "*1": "want *threads*",
		"*1!a": "want *threads*", "!1*a": "want !threads!", "*x*a": "want *threads*", "*-1*a": "want *threads*",
		"*+1*a": "want *threads*", "*1*a\nb": "want *threads*", "*1*a\n": "want *threads*", "*0*a": "1 to 2147483647",
		"*2147483648*a": "1 to 2147483647", "*1*(?i)orders": "flag", "*1*(?!orders).*": "look ahead", `!1!(a)\1`: "reference",
		"*1*or{2,3}": "none of {n}", "*1*caf\u00e9.*": "printable ASCII", "*1*[a-z&&[^b]]": "&",
		"*1*" + strings.Repeat("a", 4097): "4096", "*1*" + strings.Repeat("a", 1<<20): "bytes that are read",
		modern("white_list", "a++", 1):                                          "possessive",
		modern("black_list", `\p{L}+`, 1):                                       "POSIX",
		modern("white_list", "orders", 0):                                       "at least one thread",
		modern("white_list", strings.Repeat("a", 4097), 1):                      "4096",
		modern("grey_list", "orders", 1):                                        "grey_list",
		`{"subscription":{"a":1,"b":1},"pattern":"white_list"}`:                 "one expression of a pattern, have 2",
		`{"subscription":{},"pattern":"black_list"}`:                            "one expression of a pattern, have 0",
		`{"subscription":{"a":"1"},"pattern":"white_list"}`:                     "subscription",
		`{"subscription":{"a\tb":1},"pattern":"white_list"}`:                    "printable ASCII",
		`{"subscription":{"` + "\xff" + `":1},"pattern":"white_list"}`:          "printable ASCII",
		`{"version":1,"subscription":"or.*","pattern":"white_list"}`:            "subscription",
		`{"subscription":{"or.*":99999999999999999999},"pattern":"black_list"}`: "subscription",
	} {
		refused(t, want, data, errOf2(layout.DecodeMember("g", "m", []byte(data))))
	}
	ours := layout.MemberID("g", layout.Sticky, "pod-0", 1, 2)
	refused(t, "no member of samsa's writes", "ours", errOf2(layout.DecodeMember("g", ours, []byte("*1*a"))))
}

// What samsa writes into a registry of Kafka 0.7 is byte for byte as Kafka 0.7's own consumers write it, since one node
// that they cannot read breaks the rebalance of every member.
func TestDialects(t *testing.T) {
	id := layout.MemberID("g", layout.Sticky, "pod-0", 1, 2)
	for name, test := range map[string]struct {
		data, want string
		topics     map[string]int
		leaving    bool
	}{
		"0.7, one topic": {
			string(layout.Kafka07.EncodeMember([]string{"events"}, 5)), `{ "events": 1 }`, map[string]int{"events": 1}, false,
		},
		"0.7, two topics": {
			string(layout.Kafka07.EncodeMember([]string{"events", "zz.top_-9"}, 5)), `{ "events": 1,"zz.top_-9": 1 }`,
			map[string]int{"events": 1, "zz.top_-9": 1}, false,
		},
		"0.7, none":    {string(layout.Kafka07.EncodeMember(nil, 5)), `{  }`, nil, true},
		"0.7, leaving": {string(layout.Kafka07.EncodeLeaving(5)), `{  }`, nil, true},
		"0.7, a topic named as a field": {
			string(layout.Kafka07.EncodeMember([]string{"leaving", "subscription"}, 5)), `{ "leaving": 1,"subscription": 1 }`,
			map[string]int{"leaving": 1, "subscription": 1}, false,
		},
		"0.8": {
			string(layout.Modern.EncodeMember([]string{"events"}, 5)),
			`{"version":1,"subscription":{"events":1},"pattern":"static","timestamp":"5"}`, map[string]int{"events": 1}, false,
		},
		"0.8, none": {
			string(layout.Modern.EncodeMember(nil, 5)),
			`{"version":1,"subscription":{},"pattern":"static","timestamp":"5"}`, nil, false,
		},
		"0.8, leaving": {
			string(layout.Modern.EncodeLeaving(5)),
			`{"version":1,"subscription":{},"pattern":"static","timestamp":"5","leaving":true}`, nil, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.data != test.want {
				t.Errorf("%s, want %s", test.data, test.want)
			}
			got, err := layout.DecodeMember("g", id, []byte(test.data))
			want := layout.Registration{
				ID: id, Pod: "pod-0", Born: 1, Strategy: layout.Sticky, Topics: test.topics, Leaving: test.leaving,
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		})
	}
}

// As Kafka 0.7's own consumers write it, and as any JSON of numbers does.
func TestMembersOfKafka07(t *testing.T) {
	for data, want := range map[string]map[string]int{
		`{ "events": 1 }`:               {"events": 1},
		`{ "topic": 3,"topic2": 2 }`:    {"topic": 3, "topic2": 2},
		`{"topic":3,"topic2":2}`:        {"topic": 3, "topic2": 2},
		"\n{ \"topic\" :\t3 }\n":        {"topic": 3},
		`{ "subscription": 2 }`:         {"subscription": 2},
		`{ "leaving": 2,"version": 1 }`: {"leaving": 2, "version": 1},
	} {
		got, err := layout.DecodeMember("g", "g_vm-1795355283498-f963fd31", []byte(data))
		if err != nil || !reflect.DeepEqual(got.Topics, want) || !got.Foreign || got.Leaving {
			t.Errorf("%s: %+v, %v; want %v", data, got, err, want)
		}
	}
}

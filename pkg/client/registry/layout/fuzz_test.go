// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func FuzzMemberID(f *testing.F) {
	f.Add("billing", true, "pod-0", int64(1_700_000_000_000), uint32(7))
	f.Add("a_samsa1s.b", false, "-1-00000000", int64(0), uint32(0))
	f.Add("", true, ".", int64(1), uint32(1<<31))
	f.Fuzz(func(t *testing.T, group string, sticky bool, pod string, born int64, random uint32) {
		strategy := layout.Range
		if sticky {
			strategy = layout.Sticky
		}
		id := layout.MemberID(group, strategy, pod, born, random)
		got, ok := layout.ParseMemberID(group, id)
		if pod == "" || born < 0 {
			return // not a member's
		}
		want := layout.Registration{ID: id, Pod: pod, Born: born, Strategy: strategy}
		if !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %t; want %+v", id, got, ok, want)
		}
	})
}

func FuzzParseMemberID(f *testing.F) {
	f.Add("g", "g_samsa1s.pod-0-0000beef")
	f.Add("g", "g_samsa1r.a-b-1-ffffffff")
	f.Fuzz(func(t *testing.T, group, id string) {
		got, ok := layout.ParseMemberID(group, id)
		if !ok {
			return
		}
		// What is taken for ours is exactly what we would have written.
		i := strings.LastIndexByte(id, '-')
		var random uint32
		for _, c := range id[i+1:] {
			random = random<<4 | uint32(strings.IndexRune("0123456789abcdef", c))
		}
		if again := layout.MemberID(group, got.Strategy, got.Pod, got.Born, random); again != id {
			t.Errorf("%q is taken for %q", id, again)
		}
	})
}

func FuzzDecodeMember(f *testing.F) {
	f.Add([]byte(`{"version":1,"subscription":{"orders":3},"pattern":"static","timestamp":"1"}`))
	f.Add([]byte(`{ "orders": 2 }`))
	f.Add([]byte(`{ "a b": 1 }`))
	f.Add([]byte(`*2*or.*`))
	f.Add([]byte(`!1!(a|b){2,3}[^c-d]\\Q.\\E`))
	f.Add([]byte(`{"subscription":{"\"or.*, bills\"":1},"pattern":"black_list"}`))
	f.Add(layout.EncodeMember([]string{"a", "\x00\xff<"}, -1))
	f.Fuzz(func(t *testing.T, data []byte) {
		member, err := layout.DecodeMember("g", "m", data)
		if err != nil {
			bounded(t, err)
			return
		}
		if !member.Foreign || member.Leaving || member.Pattern != nil && member.Topics != nil {
			t.Errorf("%q: %+v", data, member)
		}
		if p := member.Pattern; p != nil && (p.Threads < 1 || len(p.Expression) > len(data) || p.Matches("no topic")) {
			t.Errorf("%q: %+v", data, p)
		}
		if len(member.Topics) == 0 {
			return
		}
		again, err := layout.DecodeMember("g", "m", layout.EncodeMember(member.SubscribedTopics(), 1))
		if err != nil || !reflect.DeepEqual(again.SubscribedTopics(), member.SubscribedTopics()) {
			t.Errorf("%q: topics %v come back as %v, %v", data, member.Topics, again.Topics, err)
		}
	})
}

func FuzzDecodeBroker(f *testing.F) {
	f.Add([]byte(`{"jmx_port":-1,"host":"b1","version":1,"port":9092}`))
	f.Add([]byte(`{"endpoints":["OUT://b1:9093","IN://[fd00::1]:9094"],"port":-1,"host":null,"version":5}`))
	f.Add([]byte(`creator:host:9092`))
	f.Fuzz(func(t *testing.T, data []byte) {
		broker, err := layout.DecodeBroker("1", data)
		if err != nil {
			bounded(t, err)
			return
		}
		if broker.Host == "" || broker.Port < 1 || broker.Port > 65535 || len(broker.Endpoints) == 0 {
			t.Errorf("%q: %+v", data, broker)
		}
	})
}

func FuzzDecodeTopic(f *testing.F) {
	f.Add([]byte(`{"version":1,"partitions":{"0":[1,2],"10":[]}}`))
	f.Add([]byte(`{"partitions":{"-1":[]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		partitions, err := layout.DecodeTopic("t", data)
		if err != nil {
			bounded(t, err)
			return
		}
		for i := 1; i < len(partitions); i++ {
			if partitions[i-1].Compare(partitions[i]) >= 0 {
				t.Errorf("%q: %v", data, partitions)
			}
		}
	})
}

func FuzzParseOffset(f *testing.F) {
	for _, seed := range []string{"42", " 7\n", "-1", "9223372036854775808", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		offset, err := layout.ParseOffset(data)
		if err != nil {
			bounded(t, err)
			return
		}
		if again, err := layout.ParseOffset(layout.FormatOffset(offset)); offset < 0 || err != nil || again != offset {
			t.Errorf("%q: %d, and %d, %v", data, offset, again, err)
		}
	})
}

// bounded: errors end up in a status.
func bounded(t *testing.T, err error) {
	t.Helper()
	if len(err.Error()) > 600 {
		t.Errorf("an error of %d bytes: %.80s", len(err.Error()), err)
	}
}

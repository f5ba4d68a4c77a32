// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestDecodeTopic07(t *testing.T) {
	for data, want := range map[string]int{"1": 1, "12": 12, "007": 7, "32768": layout.MaxPartitions07} {
		if got, err := layout.DecodeTopic07("3", []byte(data)); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", data, got, err, want)
		}
	}
	for data, want := range map[string]string{
		"": "empty", "0": "not a number", "-1": "not a number", "+1": "not a number",
		"1\n": "not a number", "1.0": "not a number", "two": "not a number", "\x001": "not a number", "1_0": "not a number",
		"32769": "more than the 32768", "2147483648": "more than", "99999999999999999999": "more than",
		strings.Repeat("9", 2<<20): "more than", `{"version":1}`: "not a number",
	} {
		refused(t, want, data, errOf2(layout.DecodeTopic07("3", []byte(data))))
	}
	for _, broker := range []string{"", "b", "-1", "01", "2147483648", "1-0", strings.Repeat("1", 1<<20)} {
		refused(t, "is not a number", broker, errOf2(layout.DecodeTopic07(broker, []byte("1"))))
	}
}

func TestPartitions07(t *testing.T) {
	got := layout.Partitions07(layout.Partitions07(nil, "orders", "1", 2), "orders", "10", 1)
	want := []kafka.Partition{{Topic: "orders", ID: "1-0"}, {Topic: "orders", ID: "1-1"}, {Topic: "orders", ID: "10-0"}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, p := range want {
		if broker, ok := layout.BrokerOf(p); !ok || broker+"-" != p.ID[:len(p.ID)-1] {
			t.Errorf("%v: broker %q, %t", p, broker, ok)
		}
	}
	if broker, ok := layout.BrokerOf(kafka.Partition{Topic: "orders", ID: "10"}); ok {
		t.Errorf("a partition of Kafka 0.8 has the broker %q", broker)
	}
}

func TestCheckTopic07(t *testing.T) {
	for _, children := range [][]string{nil, {"0"}, {"1", "x"}} {
		if err := layout.CheckTopic07(children); err != nil {
			t.Errorf("%v: %v", children, err)
		}
	}
	refused(t, "half made", "partitions", layout.CheckTopic07([]string{"0", "partitions"}))
	refused(t, "brokers", "many", layout.CheckTopic07(make([]string, layout.MaxPartitions07+1)))
}

func FuzzDecodeTopic07(f *testing.F) {
	for _, seed := range []string{"1", "32768", "32769", "2147483647", "-2147483648", "+1", "0x10", "١", ""} {
		f.Add("0", []byte(seed))
		f.Add(seed, []byte("1"))
	}
	f.Fuzz(func(t *testing.T, broker string, data []byte) {
		count, err := layout.DecodeTopic07(broker, data)
		if err != nil {
			bounded(t, err)
			return
		}
		if count < 1 || count > layout.MaxPartitions07 {
			t.Fatalf("%q: %d", data, count)
		}
		for _, p := range layout.Partitions07(nil, "t", broker, min(count, 100)) {
			if of, ok := layout.BrokerOf(p); !ok || of != broker {
				t.Errorf("%q: %q of %v, %t", broker, of, p, ok)
			}
		}
	})
}

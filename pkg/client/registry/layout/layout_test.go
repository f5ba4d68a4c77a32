// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout_test

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

func TestMemberIDs(t *testing.T) {
	id := layout.MemberID("billing", layout.Sticky, "billing-workers-0", 1_700_000_000_000, 0xbeef)
	if want := "billing_samsa1s.billing-workers-0-1700000000000-0000beef"; id != want {
		t.Errorf("%s, want %s", id, want)
	}
	got, ok := layout.ParseMemberID("billing", id)
	want := layout.Registration{ID: id, Pod: "billing-workers-0", Born: 1_700_000_000_000, Strategy: layout.Sticky}
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %t; want %+v", got, ok, want)
	}
}

func TestForeignMemberIDs(t *testing.T) {
	for _, id := range []string{
		"", "billing", "billing_", "billing_samsa1s", "billing_samsa1s.", "billing_samsa1s.pod",
		"billing_samsa1s.-1-0000beef",               // no pod
		"billing_samsa1s.pod-0-beef",                // a short number
		"billing_samsa1s.pod-0-0000BEEF",            // not ours
		"billing_samsa1s.pod-007-0000beef",          // not ours
		"billing_samsa1s.pod-9223372036854775808-0", // too big
		"billing_samsa1x.pod-0-0000beef",            // an unknown strategy
		"billing_samsa2s.pod-0-0000beef",            // another protocol version
		"billing_samsa1.pod-0-0000beef",
		"other_samsa1s.pod-0-0000beef",
		"billing_host-1700000000000-1a2b3c4d", // Kafka's own
		"host:0b5f1a52-0c0e-4f3c-9f3e-0d8a1c3b2a10",
	} {
		if got, ok := layout.ParseMemberID("billing", id); ok {
			t.Errorf("%q is taken for ours: %+v", id, got)
		}
	}
}

func TestMembersAsKafkaWritesThem(t *testing.T) {
	const want = `{"version":1,"subscription":{"audit":1,"orders":1},"pattern":"static","timestamp":"1700000000000"}`
	if got := string(layout.EncodeMember([]string{"orders", "audit", "orders"}, 1_700_000_000_000)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestDecodeMember(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		want map[string]int
	}{
		"Kafka 0.8": {
			`{"version":1,"subscription":{"orders":3},"pattern":"static","timestamp":"1"}`,
			map[string]int{"orders": 3},
		},
		"kazoo": {
			`{"pattern":"static","subscription":{"orders":1,"b":2},"timestamp":1400000000,"version":1}`,
			map[string]int{"orders": 1, "b": 2},
		},
		"without pattern":  {`{"subscription":{"orders":1}}`, map[string]int{"orders": 1}},
		"Kafka 0.7":        {`{ "orders": 2, "audit": 1 }`, map[string]int{"orders": 2, "audit": 1}},
		"0.7, a bad topic": {`{"subscription":2,"version":1}`, map[string]int{"subscription": 2, "version": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := layout.DecodeMember("g", "m", []byte(test.data))
			want := layout.Registration{ID: "m", Pod: "m", Strategy: layout.Range, Foreign: true, Topics: test.want}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
			if topics := got.SubscribedTopics(); !slices.Equal(topics, slices.Sorted(maps.Keys(test.want))) {
				t.Errorf("topics %v", topics)
			}
		})
	}
}

// Those of Kafka 0.7 may have names that later ones refuse.
func TestDecodeMemberOfTopicsThatNobodyElseHas(t *testing.T) {
	got, err := layout.DecodeMember("g", "m", []byte(`{ "café": 1,"orders": 2,"a b": 1 }`))
	if want := map[string]int{"orders": 2}; err != nil || !reflect.DeepEqual(got.Topics, want) {
		t.Errorf("%+v, %v; want %v", got, err, want)
	}
	got, err = layout.DecodeMember("g", "m", []byte(`{ "a b": 1 }`))
	if err != nil || len(got.Topics) != 0 || !got.Foreign || got.Leaving {
		t.Errorf("%+v, %v; want a member of no topics", got, err)
	}
	refused(t, "not JSON", "", errOf2(layout.DecodeMember("g", "m", []byte(`{ "a b": 1, }`))))
}

func TestDecodeMemberThatLeaves(t *testing.T) {
	id := layout.MemberID("g", layout.Sticky, "pod-0", 1, 2)
	got, err := layout.DecodeMember("g", id, layout.EncodeMember(nil, 1))
	if err != nil || got.Pod != "pod-0" || len(got.Topics) != 0 {
		t.Errorf("%+v, %v; want a member without topics", got, err)
	}
}

func TestDecodeMemberRefuses(t *testing.T) {
	for name, test := range map[string]struct{ data, want string }{
		"nothing":           {"", "empty"},
		"no JSON":           {"orders", "not JSON"},
		"half of it":        {`{"subscription":{"orders":`, "not JSON"},
		"a list":            {`["orders"]`, "want"},
		"a strange pattern": {`{"subscription":{"orders":1},"pattern":7}`, "pattern"},
		"no topics":         {`{"subscription":{}}`, "no topics"},
		"no topics in 0.7":  {`{  }`, "no topics"},
		"an odd topic":      {`{"subscription":{"a b":1}}`, "no topic's name"},
		"no threads":        {`{"subscription":{"orders":0}}`, "at least one thread"},
		"words for threads": {`{"subscription":{"orders":"many"}}`, "subscription"},
		"deep nesting":      {strings.Repeat("[", 100_000), "JSON"},
		"too much":          {`{"a":1}` + strings.Repeat(" ", 1<<20), "bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, test.want, test.data, errOf2(layout.DecodeMember("g", "m", []byte(test.data))))
		})
	}
}

func errOf2[T any](_ T, err error) error { return err }

// refused checks that an error names what is wrong and stays short.
func refused(t *testing.T, want, data string, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%.60q: %v; want an error with %q", data, err, want)
	}
	if err != nil && len(err.Error()) > 400 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestDecodeBroker(t *testing.T) {
	for name, test := range map[string]struct {
		data string
		want layout.BrokerRegistration
	}{
		"0.8": {
			`{"jmx_port":-1,"timestamp":"1400000000000","host":"b1","version":1,"port":9092}`,
			layout.BrokerRegistration{Host: "b1", Port: 9092, Version: 1, Endpoints: plain("b1", 9092)},
		},
		"0.9": {
			`{"jmx_port":9999,"timestamp":"1","endpoints":["PLAINTEXT://b1:9092"],"host":"b1","version":2,"port":9092}`,
			layout.BrokerRegistration{Host: "b1", Port: 9092, Version: 2, JMXPort: 9999, Endpoints: plain("b1", 9092)},
		},
		"3.x, secured": {
			`{"features":{},"listener_security_protocol_map":{"OUT":"SSL","IN":"SASL_SSL"},` +
				`"endpoints":["OUT://b1:9093","IN://[fd00::1]:9094"],"jmx_port":-1,"port":-1,"host":null,"version":5,` +
				`"timestamp":"1","rack":"r1"}`,
			layout.BrokerRegistration{
				Host: "b1", Port: 9093, Version: 5, Rack: "r1", Endpoints: []layout.Endpoint{
					{Listener: "OUT", Protocol: "SSL", Host: "b1", Port: 9093},
					{Listener: "IN", Protocol: "SASL_SSL", Host: "fd00::1", Port: 9094},
				},
			},
		},
		"a plain listener behind another": {
			`{"listener_security_protocol_map":{"A":"SSL","B":"PLAINTEXT"},` +
				`"endpoints":["A://b1:1","B://b2:2"],"port":-1,"version":4}`,
			layout.BrokerRegistration{
				Host: "b2", Port: 2, Version: 4, Endpoints: []layout.Endpoint{
					{Listener: "A", Protocol: "SSL", Host: "b1", Port: 1}, {Listener: "B", Protocol: "PLAINTEXT", Host: "b2", Port: 2},
				},
			},
		},
		"0.7": {
			`10.0.0.1-1400000000000:10.0.0.1:9092`,
			layout.BrokerRegistration{Host: "10.0.0.1", Port: 9092, Era07: true, Endpoints: plain("10.0.0.1", 9092)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.want.ID = "7"
			got, err := layout.DecodeBroker("7", []byte(test.data))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func plain(host string, port int) []layout.Endpoint {
	return []layout.Endpoint{{Listener: "PLAINTEXT", Protocol: "PLAINTEXT", Host: host, Port: port}}
}

func TestDecodeBrokerRefuses(t *testing.T) {
	for data, want := range map[string]string{
		"":                                    "empty",
		"nonsense":                            "creator:host:port",
		"creator:host":                        "creator:host:port",
		"creator:host:0":                      "between 1 and 65535",
		"creator:a b:1":                       "neither a name nor an address",
		"{":                                   "not JSON",
		"{}":                                  "neither host and port nor endpoints",
		`{"host":"b","port":70000}`:           "between 1 and 65535",
		`{"host":"a/b","port":1}`:             "neither a name nor an address",
		`{"host":7}`:                          "want string",
		`{"endpoints":["b1:9092"]}`:           "LISTENER://host:port",
		`{"endpoints":["P://b1"]}`:            "no port",
		`{"endpoints":["P://:1"]}`:            "neither a name nor an address",
		`{"endpoints":["P://b1:65536"]}`:      "between 1 and 65535",
		`{"endpoints":["P://user@b1:65535"]}`: "neither a name nor an address",
	} {
		refused(t, want, data, errOf2(layout.DecodeBroker("7", []byte(data))))
	}
}

func TestDecodeTopic(t *testing.T) {
	for _, data := range []string{
		`{"version":1,"partitions":{"0":[1,2],"10":[],"2":[3]}}`,
		`{"version":2,"partitions":{"10":[1],"0":[2,1],"2":[1]},"adding_replicas":{},"removing_replicas":{}}`,
		`{"partitions":{"10":[1],"0":[2,1],"2":[1]},"topic_id":"x","adding_replicas":{},"removing_replicas":{},"version":3}`,
	} {
		got, err := layout.DecodeTopic("orders", []byte(data))
		want := []kafka.Partition{{Topic: "orders", ID: "0"}, {Topic: "orders", ID: "2"}, {Topic: "orders", ID: "10"}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", data, got, err, want)
		}
	}
	for data, want := range map[string]string{
		"": "Kafka 0.7", "null": "no partitions", "{}": "no partitions", `{"partitions":{}}`: "no partitions",
		"[": "not JSON", `{"partitions":{"-1":[]}}`: "partition", `{"partitions":{"01":[]}}`: "partition",
		`{"partitions":{"+1":[]}}`:         "partition",
		`{"partitions":{"2147483648":[]}}`: "partition", `{"partitions":{"0":"1"}}`: "want",
		`{"partitions":[]}`: "want", strings.Repeat(`{"partitions":`, 20_000): "JSON",
	} {
		refused(t, want, data, errOf2(layout.DecodeTopic("orders", []byte(data))))
	}
}

func TestParseOffset(t *testing.T) {
	for data, want := range map[string]int64{
		"0": 0, "42": 42, "007": 7, "9223372036854775807": math.MaxInt64,
		" 42\r\n": 42, //nolint:gocritic // the white space is the case
	} {
		if got, err := layout.ParseOffset([]byte(data)); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", data, got, err, want)
		}
	}
	for _, data := range []string{
		"", " ", "-1", "-2", "+1", "1.0", "1e3", "0x1", "1 2", "١", "9223372036854775808", strings.Repeat("1", 2<<20),
	} {
		refused(t, "not a position", data, errOf2(layout.ParseOffset([]byte(data))))
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Recorded from Kafka 0.7.2's own producer.
func TestKeysOfKafka07GoWhereItsProducerPutsThem(t *testing.T) {
	data, err := os.ReadFile("testdata/kafka07/producer_keys.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Keyed []struct {
			Key  string   `json:"key"`
			Hash int32    `json:"java_hash"` //nolint:tagliatelle // as recorded
			Got  []string `json:"got"`
		} `json:"keyed"`
		List []string `json:"partition_list"` //nolint:tagliatelle // as recorded
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	if len(recorded.Keyed) != 8 {
		t.Fatalf("%d keys are recorded, want 8", len(recorded.Keyed))
	}
	for _, want := range recorded.Keyed {
		if got := javaHash([]byte(want.Key)); got != want.Hash {
			t.Errorf("hash of %q: got %d, want %d", want.Key, got, want.Hash)
		}
		got := recorded.List[place(layout.Kafka07, []byte(want.Key), len(recorded.List))]
		if !slices.Equal([]string{got}, want.Got) {
			t.Errorf("key %q: got partition %s, want %v", want.Key, got, want.Got)
		}
	}
}

// What the recordings do not hold: characters of two units, the lowest hash of all, and bytes that are no text.
func TestHashesAsJava(t *testing.T) {
	for key, want := range map[string]int32{
		"\U0001F600":         55357*31 + 56832,
		"polygenelubricants": -1 << 31,
		"\xff":               0xfffd,
	} {
		if got := javaHash([]byte(key)); got != want {
			t.Errorf("hash of %q: got %d, want %d", key, got, want)
		}
	}
	if got := place(layout.Kafka07, []byte("polygenelubricants"), 5); got != (1<<31)%5 {
		t.Errorf("the lowest hash: got partition %d, want %d", got, (1<<31)%5)
	}
}

// The vectors are those of Kafka's own test of its hash.
func TestMurmur2(t *testing.T) {
	for key, want := range map[string]int32{
		"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want { //nolint:gosec // the vectors are signed
			t.Errorf("hash of %q: got %d, want %d", key, got, want)
		}
	}
}

// Keys of every length modulo 4, against franz-go, which does as Kafka's Java producer.
func TestKeysOfLaterKafkaGoWhereOthersPutThem(t *testing.T) {
	reference := kgo.StickyKeyPartitioner(nil).ForTopic("orders")
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // keys for a test
	for i := range 2000 {
		key := make([]byte, i%17)
		for j := range key {
			key[j] = byte(random.UintN(256))
		}
		n := 1 + i%13
		want := reference.Partition(&kgo.Record{Key: key}, n)
		if got := place(layout.Modern, key, n); got != want {
			t.Fatalf("key %x of %d: got partition %d, want %d", key, n, got, want)
		}
	}
}

func TestMessagesOfOneCallHaveOneKey(t *testing.T) {
	message := func(key string) kafka.Message { return kafka.Message{Key: []byte(key)} }
	for name, test := range map[string]struct {
		messages []kafka.Message
		key      []byte
		err      error
	}{
		"same":              {[]kafka.Message{message("a"), message("a")}, []byte("a"), nil},
		"none":              {[]kafka.Message{{}, {}}, nil, nil},
		"empty":             {[]kafka.Message{message("")}, []byte{}, nil},
		"different":         {[]kafka.Message{message("a"), message("b")}, nil, errKeys},
		"one without":       {[]kafka.Message{message("a"), {}}, nil, errKeys},
		"empty is not none": {[]kafka.Message{message(""), {}}, nil, errKeys},
	} {
		key, err := ByKey().keyOf(test.messages)
		if !errors.Is(err, test.err) || !slices.Equal(key, test.key) || (key == nil) != (test.key == nil) {
			t.Errorf("%s: got %q, %v", name, key, err)
		}
		if key, err := Random().keyOf(test.messages); key != nil || err != nil {
			t.Errorf("%s: Random looks at keys: %q, %v", name, key, err)
		}
	}
}

func TestPartitionersHaveNames(t *testing.T) {
	for _, p := range []Partitioner{Random(), RoundRobin(), ByKey()} {
		if got, err := ParsePartitioner(p.String()); got != p || err != nil {
			t.Errorf("%v: got %v, %v", p, got, err)
		}
	}
	if _, err := ParsePartitioner("hash"); err == nil {
		t.Error("a partitioner that is none has been read")
	}
	if Random() != (Partitioner{}) {
		t.Error("the zero partitioner is not Random")
	}
}

func TestOrderOfPartitions(t *testing.T) {
	partitions := named("0-0", "0-1", "1-0")
	p := (&Topic{}).Publisher(RoundRobin())
	for _, want := range []string{"[0-0 0-1 1-0]", "[0-1 1-0 0-0]", "[1-0 0-0 0-1]", "[0-0 0-1 1-0]"} {
		if got := ids(p.order(layout.Kafka07, partitions, nil)); got != want {
			t.Errorf("in turn: got %s, want %s", got, want)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		order := (&Topic{}).Publisher(Random()).order(layout.Kafka07, partitions, nil)
		seen[order[0].ID] = true
		slices.SortFunc(order, compare07)
		if got := ids(order); got != "[0-0 0-1 1-0]" {
			t.Fatalf("at random: got %s", got)
		}
	}
	if len(seen) != 3 {
		t.Errorf("at random: only %v came first", seen)
	}
	keyed := (&Topic{}).Publisher(ByKey()).order(layout.Kafka07, partitions, []byte("a")) // 97 mod 3
	if got := ids(keyed); got != "[0-1]" {
		t.Errorf("by key: got %s, want [0-1]", got)
	}
	if got := p.order(layout.Kafka07, nil, []byte("a")); len(got) != 0 {
		t.Errorf("of none: got %v", got)
	}
}

func named(names ...string) []kafka.Partition {
	partitions := make([]kafka.Partition, len(names))
	for i, name := range names {
		partitions[i] = kafka.Partition{Topic: "orders", ID: name}
	}
	return partitions
}

func ids(partitions []kafka.Partition) string {
	names := make([]string, len(partitions))
	for i, partition := range partitions {
		names[i] = partition.ID
	}
	return fmt.Sprint(names)
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package balance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// kafkaRange is the definition in RangeAssignor, line by line: all thread ids of a topic in a sorted list, and for each
// its position, the start and the number of its partitions.
func kafkaRange(members []Member, partitions []Partition) map[Partition]string {
	consumersForTopic, partitionsForTopic := map[string][]string{}, map[string][]string{}
	for _, m := range members {
		for name, nThreads := range m.Topics {
			for i := range nThreads {
				consumersForTopic[name] = append(consumersForTopic[name], fmt.Sprintf("%s-%d", m.ID, i))
			}
		}
	}
	for _, p := range partitions {
		partitionsForTopic[p.Topic] = append(partitionsForTopic[p.Topic], p.ID)
	}
	decision := map[Partition]string{}
	for name, curPartitions := range partitionsForTopic {
		curConsumers := consumersForTopic[name]
		slices.SortFunc(curConsumers, javaCompare)
		if strings.Contains(curPartitions[0], "-") {
			slices.SortFunc(curPartitions, javaCompare)
		} else {
			slices.SortFunc(curPartitions, numberCompare)
		}
		for _, consumerThreadID := range curConsumers {
			nPartsPerConsumer := len(curPartitions) / len(curConsumers)
			nConsumersWithExtraPart := len(curPartitions) % len(curConsumers)
			myConsumerPosition := slices.Index(curConsumers, consumerThreadID)
			startPart := nPartsPerConsumer*myConsumerPosition + min(myConsumerPosition, nConsumersWithExtraPart)
			nParts := nPartsPerConsumer
			if myConsumerPosition+1 <= nConsumersWithExtraPart {
				nParts++
			}
			for i := startPart; i < startPart+nParts; i++ {
				decision[Partition{name, curPartitions[i]}] = consumerThreadID
			}
		}
	}
	return decision
}

func javaCompare(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func numberCompare(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return x - y
}

func TestRangeIsKafkas(t *testing.T) {
	r := seeded(1)
	assigned := 0
	for topology := range 10_000 {
		members, partitions := world(r)
		want := kafkaRange(members, partitions)
		got := map[Partition]string{}
		for p, thread := range Range(shuffled(r, members, partitions)) {
			got[p] = thread.String()
		}
		if !maps.Equal(got, want) {
			t.Fatalf("topology %d: members %v, partitions %v:\n got %v\nwant %v", topology, members, partitions, got, want)
		}
		assigned += len(want)
	}
	if assigned < 100_000 {
		t.Errorf("only %d partitions in all: the topologies are too small to prove anything", assigned)
	}
}

// The example in the comment of Kafka's RangeAssignor.
func TestRangeExampleOfKafka(t *testing.T) {
	members := []Member{{ID: "C2", Topics: map[string]int{"t": 2}}, {ID: "C1", Topics: map[string]int{"t": 2}}}
	a := Range(members, topic("t", 5))
	for i, want := range []string{"C1-0", "C1-0", "C1-1", "C2-0", "C2-1"} {
		if got := a[Partition{"t", fmt.Sprint(i)}].String(); got != want {
			t.Errorf("partition %d is %s's, want %s", i, got, want)
		}
	}
}

func TestRangeOrders(t *testing.T) {
	for name, c := range map[string]struct {
		threads int
		ids     []string
		want    string // owners of the ids, which are given in Kafka's order
	}{
		"numbers as numbers":         {3, []string{"0", "2", "10"}, "m-0 m-1 m-2"},
		"0.7's ids as strings":       {4, []string{"0-10", "0-2", "1-0", "10-0"}, "m-0 m-1 m-2 m-3"},
		"threads as strings":         {11, []string{"0", "1", "2", "3"}, "m-0 m-1 m-10 m-2"},
		"first threads get one more": {2, []string{"0", "1", "2"}, "m-0 m-0 m-1"},
	} {
		t.Run(name, func(t *testing.T) {
			var partitions []Partition
			for _, id := range slices.Backward(c.ids) {
				partitions = append(partitions, Partition{"t", id})
			}
			a := Range([]Member{{ID: "m", Topics: map[string]int{"t": c.threads}}}, partitions)
			var got []string
			for _, id := range c.ids {
				got = append(got, a[Partition{"t", id}].String())
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

// A foreign registration may hold any number: it costs neither memory nor an overflow.
func TestRangeWithAbsurdThreads(t *testing.T) {
	members := []Member{
		{ID: "a", Topics: map[string]int{"t": math.MaxInt}},
		{ID: "b", Topics: map[string]int{"t": math.MaxInt32}},
		{ID: "c", Topics: map[string]int{"t": math.MinInt}},
	}
	partitions := topic("t", 5)
	a := Range(members, partitions)
	complete(t, members, partitions, a)
	if got := a[Partition{"t", "4"}].String(); got != "a-1000" {
		t.Errorf("the fifth thread is %s, want a-1000", got)
	}
}

func TestOrderOfStringsIsJavas(t *testing.T) {
	r := seeded(2)
	alphabet := []rune{'-', '0', '1', 'z', 'é', '\ud7ff', '\ue000', '\ufffd', '\uffff', '\U00010000', '\U0010ffff'}
	word := func() string {
		letters := make([]rune, r.IntN(4))
		for i := range letters {
			letters[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(letters)
	}
	for range 20_000 {
		a, b := word(), word()
		if got, want := compareStrings(a, b), javaCompare(a, b); got != want {
			t.Fatalf("compareStrings(%q, %q) = %d, want %d", a, b, got, want)
		}
	}
}

func TestOfIsSorted(t *testing.T) {
	members := named([]string{"x"}, "a", "b")
	partitions := append(topic("b", 11), topic("a", 12)...)
	want := append(topic("a", 12), topic("b", 11)...)
	for name, assign := range map[string]func([]Member, []Partition) Assignment{"Range": Range, "Sticky": Sticky} {
		a := assign(members, partitions)
		if got := a.Of(members[0].ID); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
		if got := a.Of("other"); len(got) != 0 {
			t.Errorf("%s: a stranger owns %v", name, got)
		}
	}
}

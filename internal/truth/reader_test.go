// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package truth_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// quiet keeps the ZooKeeper client from talking.
type quiet struct{}

func (quiet) Printf(string, ...any) {}

// plant puts nodes into a world's ZooKeeper, with their parents.
func plant(t *testing.T, w *world.World, nodes map[string]string) {
	t.Helper()
	conn, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, 10*time.Second, zk.WithLogger(quiet{}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for name, data := range nodes {
		full := w.Path(name)
		for i := 1; i < len(full); i++ {
			if full[i] == '/' {
				_, _ = conn.Create(full[:i], nil, 0, zk.WorldACL(zk.PermAll)) // it may be there
			}
		}
		if _, err := conn.Create(full, []byte(data), 0, zk.WorldACL(zk.PermAll)); err != nil {
			t.Fatalf("%s: %v", full, err)
		}
	}
}

// TestReader holds samples of both eras against what was put there.
func TestReader(t *testing.T) {
	for era, names := range map[world.Era][]string{
		world.Modern: {"0", "1", "2", "3"}, world.Era07: {"0-0", "0-1", "1-0", "1-1"},
	} {
		t.Run(string(era), func(t *testing.T) {
			w, err := world.Start(t.Context(), world.Config{Era: era, Brokers: 2, Topics: map[string]int32{"t": 4}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Close() }()
			producer, err := w.Producer()
			if err != nil {
				t.Fatal(err)
			}
			defer producer.Close()
			written := kafka.Partition{Topic: "t", ID: names[1]}
			if _, err := producer.Produce(t.Context(), written, []byte("a"), []byte("bc")); err != nil {
				t.Fatal(err)
			}
			const member, foreign = "g_samsa1s.g-0-1700000000000-0a1b2c3d", "g_host-1700000000000-0a1b2c3d"
			plant(t, w, map[string]string{
				path.Join("/consumers/g/ids", member): "", path.Join("/consumers/g/ids", foreign): "",
				"/consumers/g/owners/t/" + names[0]: member + "-0", "/consumers/g/owners/t/" + names[1]: foreign + "-1",
				"/consumers/g/owners/t/" + names[2]:  "g_samsa1s.g-1-1700000000000-0a1b2c3d-0", // is gone
				"/consumers/g/offsets/t/" + names[1]: "1",
			})
			r, err := truth.NewReader(w.ZooKeeper, w.Path(""), w.Brokers().Addrs(), "g", "t")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			end := w.Brokers().End(written)
			want := map[string]truth.Partition{
				"t/" + names[0]: {Owner: "g-0", Committed: -1}, "t/" + names[1]: {Owner: foreign, Committed: 1, End: end},
				"t/" + names[2]: {Committed: -1}, "t/" + names[3]: {Committed: -1, Stands: true},
			}
			stands := func(name string) bool { return strings.HasSuffix(name, "/"+names[3]) }
			for range 2 { // the second time on the connections of the first
				got, err := r.Read(t.Context(), stands)
				if err != nil || !maps.Equal(got.Partitions, want) || !slices.Equal(got.Members, []string{"g-0", foreign}) {
					t.Fatalf("got %+v, %v; want %+v", got, err, want)
				}
			}
		})
	}
}

// TestCoordinatedReader holds samples of a group that brokers coordinate against what its members do.
func TestCoordinatedReader(t *testing.T) {
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"t": 3}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	producer, err := w.Producer()
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	written := kafka.Partition{Topic: "t", ID: "1"}
	if _, err := producer.Produce(t.Context(), written, []byte("a"), []byte("b"), []byte("c")); err != nil {
		t.Fatal(err)
	}
	r, err := truth.NewCoordinatedReader(w.Brokers().Addrs(), "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := func(members []string, want map[string]truth.Partition) {
		t.Helper()
		got, err := r.Read(t.Context(), func(name string) bool { return name == "t/2" })
		if err != nil || !maps.Equal(got.Partitions, want) || !slices.Equal(got.Members, members) {
			t.Errorf("got %+v, %v; want %+v of %v", got, err, want, members)
		}
	}
	read(nil, map[string]truth.Partition{
		"t/0": {Committed: -1}, "t/1": {Committed: -1, End: 3}, "t/2": {Committed: -1, Stands: true},
	})

	member, err := kgo.NewClient(kgo.SeedBrokers(w.Brokers().Addrs()...), kgo.ClientID("samsa/g-0"),
		kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	fetched := member.PollRecords(t.Context(), 2)
	if err := member.CommitRecords(t.Context(), fetched.Records()...); err != nil {
		t.Fatal(err)
	}
	read([]string{"g-0"}, map[string]truth.Partition{
		"t/0": {Owner: "g-0", Committed: -1}, "t/1": {Owner: "g-0", Committed: 2, End: 3},
		"t/2": {Owner: "g-0", Committed: -1, Stands: true},
	})
}

// TestReader07WithoutABroker: a broker that hangs tells no ends, one that left has no partitions, one that came back
// tells all.
func TestReader07WithoutABroker(t *testing.T) {
	w, err := world.Start(t.Context(), world.Config{Era: world.Era07, Brokers: 2, Topics: map[string]int32{"t": 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	r, err := truth.NewReader(w.ZooKeeper, w.Path(""), nil, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := func(want map[string]truth.Partition) {
		t.Helper()
		got, err := r.Read(t.Context(), func(string) bool { return false })
		if err != nil || !maps.Equal(got.Partitions, want) {
			t.Errorf("got %+v, %v; want %+v", got.Partitions, err, want)
		}
	}
	well := map[string]truth.Partition{"t/0-0": {Committed: -1}, "t/1-0": {Committed: -1}}
	read(well)
	brokers := w.Brokers()
	if err := brokers.FreezeBroker(1); err != nil {
		t.Fatal(err)
	}
	read(map[string]truth.Partition{"t/0-0": {Committed: -1}, "t/1-0": {Committed: -1, End: -1}})
	if err := brokers.ThawBroker(1); err != nil {
		t.Fatal(err)
	}
	if err := brokers.StopBroker(1); err != nil {
		t.Fatal(err)
	}
	read(map[string]truth.Partition{"t/0-0": {Committed: -1}})
	if err := brokers.StartBroker(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	read(well)
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Brokers of Kafka 0.8.2 keep positions for groups, although they know nothing of members.
func TestBrokersThatCoordinateNoGroupsKeepPositions(t *testing.T) {
	w, err := world.Start(t.Context(), world.Config{
		Brokers: 1, Topics: map[string]int32{"orders": 2, offsetsTopic: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	registerAs08(t, w)
	committing, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer committing.Close()
	offsets := kadm.Offsets{}
	offsets.AddOffset("orders", 1, 7, -1)
	if err := kadm.NewClient(committing).CommitAllOffsets(t.Context(), "billing", offsets); err != nil {
		t.Fatal(err)
	}

	cluster, err := Open(t.Context(), Config{ZooKeeper: w.Connect()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cluster.Close() }()
	if err := cluster.coordinates(); err == nil {
		t.Fatal("the brokers are not taken for ones of Kafka 0.8")
	}
	at, err := cluster.keptAtBrokers(t.Context(), "billing", []string{"orders"}, kafka.Earliest())
	want := map[kafka.Partition]int64{{Topic: "orders", ID: "1"}: 7}
	if err != nil || !maps.Equal(at, want) {
		t.Errorf("kept at the brokers are %v, %v; want %v", at, err, want)
	}
}

// registerAs08 has the broker registered as one of Kafka 0.8.
func registerAs08(t *testing.T, w *world.World) {
	t.Helper()
	conn, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, 5*time.Second, zk.WithLogInfo(false))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var port int
	if _, err := fmt.Sscanf(w.Kafka.Addrs()[0], "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	text := fmt.Appendf(nil, `{"jmx_port":-1,"timestamp":"1","host":"127.0.0.1","version":1,"port":%d}`, port)
	if _, err := conn.Set(w.Path("/brokers/ids/0"), text, -1); err != nil {
		t.Fatal(err)
	}
}

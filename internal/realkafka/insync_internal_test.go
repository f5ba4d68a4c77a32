// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"testing"

	"github.com/go-zookeeper/zk"

	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
)

// What ZooKeeper holds of a topic of two partitions, as Kafka 0.8.1 to 3.9 write it.
func TestReplicasThatLagAreFound(t *testing.T) {
	server, err := zookeeper.Start(t.Context(), zookeeper.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, _, err := connect(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	put := func(path, data string) {
		t.Helper()
		_, err := conn.Create(path, []byte(data), 0, zk.WorldACL(zk.PermAll))
		if err == nil || data == "" {
			return
		}
		if _, err := conn.Set(path, []byte(data), -1); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{
		"/brokers", "/brokers/topics", "/brokers/topics/orders", "/brokers/topics/orders/partitions",
		"/brokers/topics/orders/partitions/0", "/brokers/topics/orders/partitions/1",
	} {
		put(path, "")
	}
	put("/brokers/topics/orders", `{"version":1,"partitions":{"0":[0,1],"1":[1,0]}}`)
	state := func(partition, isr string) {
		put("/brokers/topics/orders/partitions/"+partition+"/state",
			`{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":2,"isr":`+isr+`}`)
	}
	state("0", "[0,1]")
	if name, err := lagging(conn, "/brokers/topics"); name != "orders/1" || err == nil {
		t.Errorf("a partition without a leader: %q, %v", name, err)
	}
	state("1", "[1]")
	if name, err := lagging(conn, "/brokers/topics"); name != "orders/1" || err != nil {
		t.Errorf("a replica is behind: %q, %v", name, err)
	}
	state("1", "[1,0]")
	cluster := &Cluster{config: Config{ZooKeeper: server.Addr()}}
	if err := cluster.AwaitInSync(t.Context()); err != nil {
		t.Errorf("all replicas are in sync: %v", err)
	}
}

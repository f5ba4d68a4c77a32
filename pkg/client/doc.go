// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package client is a Kafka client that knows a cluster by its ZooKeeper, or by its brokers: the application names a
// topic, and brokers, partitions, ownership and offsets are the client's concern.
//
//	cluster, err := client.Open(ctx, client.Config{ZooKeeper: "zk-0:2181,zk-1:2181/kafka"})
//	topic := cluster.Topic("orders")
//	err = topic.Publish(ctx, []byte("hello"), []byte("world"))
//	consumer, err := topic.Subscribe(ctx, "billing")
//	for message, err := range consumer.Messages(ctx) { ... }
//
// Every Kafka will do whose brokers register in ZooKeeper, from 0.7 on, or are named, from 0.8 on. Which one it is,
// they say: it is nobody's setting. What is different with Kafka 0.7 is in docs/kafka-0.7.md; the examples run on it.
//
// A cluster whose brokers are not registered in ZooKeeper, or that has none any more, is found by some of its brokers,
// and they coordinate its groups, from Kafka 0.9 on; see Coordination for clusters that have both:
//
//	cluster, err := client.Open(ctx, client.Config{Bootstrap: []string{"kafka-0:9092", "kafka-1:9092"}})
//
// Who operates groups rather than joins them looks at them from outside, and deletes them:
//
//	view, err := cluster.Group("billing").Inspect(ctx, []string{"orders"}, nil)
//	err = cluster.Group("billing").Delete(ctx)
//
// # Guarantees
//
// Publish returns nil only once a broker acknowledged the messages, and goes on to other partitions and brokers as long
// as one accepts writes. A message is consumed at least once: the committed position never passes a message that was
// not acknowledged. Partitions are delivered under a lease: while it is not proved that the group still counts a member
// in, its deliveries pause, which the log tells.
//
// # Implementation
//
// A Cluster follows the brokers in ZooKeeper, or asks them. A Consumer drives one member (package group, or package
// coordinator where brokers coordinate its group) with one goroutine: its commands are carried out against the
// registry, or the coordinator, by short-lived goroutines whose answers come back as events. A second goroutine owns
// the transport and hands batches to the processors, one per claimed partition.
package client

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package embedkafka is a Kafka cluster inside the process, for samsa-local and for tests: franz-go's kfake, registered
// in ZooKeeper node by node as the brokers of Kafka 2.7 to 3.9 register there, and with brokers that can be stopped,
// started and frozen.
//
// The formats follow Kafka's kafka.zk.ZkData. What is left out: replicas (each partition has one), configurations,
// access control lists and everything that travels through ZooKeeper between Kafka's own brokers only.
package embedkafka

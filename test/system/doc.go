// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package system holds the tests of the whole product, from a user's side: a real control plane, ZooKeeper, Kafka, the
// manager, and workers that are processes of the binary that is shipped.
//
// Every spec has a namespace, a topic and a sink of its own. From the moment its ConsumerGroup exists to the end, every
// status of it is held against what is true (package truth): each spec ends with "and no lies". Most of a spec's time
// is waiting, so those that do not disturb each other wait together; what takes down more than its own namespace gets a
// ZooKeeper and a Kafka of its own.
package system

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cli is the client on the command line: brokers, topics, partitions, publish, subscribe, groups and offsets,
// the same for every Kafka. What a command needs of a cluster is one interface, cluster, with two implementations: a
// cluster with a ZooKeeper (package client: Kafka 0.7 and all later ones that register there, or brokers of any later
// Kafka beside one that is for groups alone), and one known by its brokers (franz-go: groups and offsets are those of
// the brokers' coordinator).
//
// # Output
//
// What was asked for goes to the standard output, everything else to the standard error. Lists are tables, or with
// -o json one object per line, whose field names are stable; what is unknown is null there, and "-" in a table.
package cli

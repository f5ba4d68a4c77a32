// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo is `samsa-local demo`: a real file's lines through a group of worker processes to a sink that
// remembers, while the group grows, shrinks, loses a worker to kill -9 and another to a freeze. It ends with an
// account and a verdict.
//
// ZooKeeper and Kafka run inside this process; the workers are the product itself, started as a user would start
// them.
package demo

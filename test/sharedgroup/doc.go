// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sharedgroup holds the tests of groups that samsa's members share with Kafka's own clients: real brokers, a
// real ZooKeeper, the old consumer out of the jars of Kafka 0.8.2 to 1.1 in virtual machines of its own, and samsa's
// members in processes of their own, so that both can be killed.
//
// Both sides write down each message before they commit it. What was committed by whom, ZooKeeper's own transaction log
// tells afterwards: each write of a position with the session that made it. So a message that is in no book has
// somebody who passed it, and what the old consumer loses by itself is told apart from what samsa would have lost.
//
// The specs are made only where a release is named, since they need Java and take minutes:
//
//	go test ./test/sharedgroup -args -kafka=0.8.2,0.10,1.1 -changes=50
package sharedgroup

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kafka07 is a broker of Kafka 0.7 inside the process, for samsa-local and for tests. It answers, refuses,
// stores, flushes, forgets and registers itself as a broker of Kafka 0.7.2 does; the tests hold it against what one
// did. Beyond that it can be made to misbehave: see Faults.
//
// What it stores it keeps in memory, with a copy in files if it is given a directory. What differs from the real one:
// wrappers may be nested protocol.MaxDepth deep and inflate to protocol.DefaultInflateLimit, where the real one knows
// no limit, and a broker that finds its id taken in ZooKeeper waits for it to become free, where the real one exits
// and leaves that to who restarts it.
package kafka07

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package zookeeper is a ZooKeeper server inside the process, for tests and for demonstrations on one machine.
//
// It answers every operation that github.com/go-zookeeper/zk sends as one standalone server of ZooKeeper 3.8
// would: the same error codes, stats, transaction ids, order of events and rules for sessions. The suite of
// this package runs the same specs against both. What it adds are faults on purpose: a connection cut before
// or after a chosen answer, a session expired now, an answer that comes late, watches that get lost, a server
// that is frozen or restarted. What it leaves out: disk, quorum, SASL, quotas, containers, nodes with a time
// to live, persistent watches and reconfiguration.
//
// One mutex guards the tree, the watches and the sessions, so that the events of a change stand in the queue
// of every connection before any answer that could show the change. Time comes from an injected [Clock].
//
// The wire format and the order of the checks follow the sources of Apache ZooKeeper 3.8: ZooKeeperServer,
// PrepRequestProcessor, FinalRequestProcessor, DataTree, SessionTrackerImpl and ExpiryQueue.
package zookeeper

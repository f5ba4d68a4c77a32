// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package realzk runs the ZooKeeper server of the machine (Debian's package zookeeper) as a child process
// on a loopback port, so that a suite of behavior written against the embedded server can be held against
// the real one as well.
//
// It is meant for tests. Where Java or the server is missing, [Available] says so and the suite skips.
package realzk

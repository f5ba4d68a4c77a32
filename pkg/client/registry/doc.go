// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registry reads and changes what ZooKeeper holds: brokers, topics, and the members, claims and positions of
// consumer groups. What that is, as bytes, says package layout; this package carries it out on real servers.
//
// A Client holds one ZooKeeper session at a time. Each session is an epoch with a connection of its own, so that a
// request made in one session can never run in the next. Everything is a method of a Session, is bounded by its
// context, and fails with an *Error whose Kind says what to do about it.
//
// The library underneath, go-zookeeper, has no contexts, keeps requests of an expired session for the next one, drops
// events, resolves names once, re-arms watches by hope, trusts every length it reads and can deadlock when a write
// fails while it authenticates. All of that is made up for here, mostly in three places: link (the life of one
// connection), guard (what passes over it) and watches.
package registry

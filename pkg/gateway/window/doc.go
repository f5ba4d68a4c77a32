// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package window makes a request that is sent again give the answer of the first, and no second message.
//
// Window is the memory for that: what became of each Idempotency-Key, for a while. Shares says which of several
// replicas answers for a key (rendezvous hashing), and when one that takes over may begin to. Forwarder sends requests
// to the replica whose key they carry. Rebuild reads back from the topic what a former owner wrote, where messages have
// headers.
//
// Window and Shares are pure: they take the time from outside, and start nothing.
package window

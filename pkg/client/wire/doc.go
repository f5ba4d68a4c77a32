// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire is the transport for Kafka 0.8 and newer: the seam kafka.Transport over franz-go, in its mode of direct
// partitions, so that who fetches what is decided elsewhere.
//
// What this package adds to franz-go is that nothing happens silently. franz-go resets positions, clamps them into the
// log, hides errors it retries, skips what it cannot parse and goes on after a log was truncated; here each of those
// comes out of Poll as an error of the one partition it concerns, and no message is ever skipped or read twice because
// of it.
package wire

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package connections keeps one connection to each Kafka cluster for as long as it is wanted, whoever asks for it.
//
// A Cache is told what is wanted and makes it so in its own goroutines: Ensure and Release never block. A connection
// that does not come about is a state to look at and not an error to retry; each change of state wakes the reconcilers
// that listen to Source.
package connections

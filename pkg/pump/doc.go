// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pump moves messages from a consumer to a sink: a lane for each owned partition, in order, with retries, never
// past a message that the sink has not acknowledged.
//
// # Implementation
//
// What happens to a partition's messages is decided by package lane, without I/O. Here is its driver: one goroutine per
// lane, which waits for batches and orders, calls the sink, and tells the lane what came of it. Between goroutines
// whole batches are handed over. What waits for a lane is bounded in bytes: above the bound the consumer pauses the
// partition's fetch, and no other's.
package pump

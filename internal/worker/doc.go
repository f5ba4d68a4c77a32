// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package worker is `samsa worker`: one process that joins a consumer group, delivers the messages of its share of
// the partitions to a sink, and says how it is doing over HTTP.
//
// It is where configuration, client, pump, sink and server meet. What it shows to the outside (status, readiness,
// metrics, the log's transitions) is computed by one pure function, Describe, from one snapshot of the pump, so the
// four can never disagree.
package worker

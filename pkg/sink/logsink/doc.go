// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logsink writes messages as NDJSON: one JSON object a line.
//
//	{"id":"orders/3/42","topic":"orders","partition":"3","offset":42,"index":1,"timestamp":1700000000123,
//	 "key":"k","value":"v","headers":[{"key":"trace","value":"1"}]}
//
// Nothing is lost. A key, a value, a header's key or value that is not UTF-8 is written in base64, and the name
// says so: keyBase64, valueBase64. Null is null, which is not "". A timestamp is in milliseconds since 1970.
// index, timestamp and headers are left out where a message has none. Names of topics and partitions are ASCII in
// every Kafka; should one not be UTF-8, its bad bytes become U+FFFD.
//
// # Torn lines
//
// A line is Done once the writer took all of it. After a write that ended within a line, that message is Unknown,
// and the next write begins with a new line: a reader finds a piece of JSON, then the message again, whole. Lines
// of different partitions never mix.
package logsink

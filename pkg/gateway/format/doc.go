// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package format turns what an HTTP request holds into messages: a raw body with headers, CloudEvents in their three
// modes, the bodies of Kafka REST Proxy v2 and Strimzi's bridge, and the elements of streams.
//
// Everything here is a pure function of bytes and headers. A *Fault says what is wrong with them, and which status
// says so: 400 what is not well-formed, 422 what is but makes no message, 431 headers beyond the limits, 413 too many
// messages, 415 a media type that nobody reads here.
//
// # Headers of a request
//
//	Samsa-Key              the key, in percent-encoding; empty: an empty key; absent: none
//	Samsa-Key-Base64       the key, in base64
//	Samsa-Partition        the partition: 3, or Kafka 0.7's 1-3
//	Samsa-Timestamp        milliseconds since 1970, or RFC 3339
//	Samsa-Header-NAME      a header of the message, in percent-encoding; NAME becomes lower case; may repeat
//	Samsa-Header           headers in order, their names as they are: "name=value, name!", where ! is a null value
//	Samsa-Tombstone        true: the value is null; the body must be empty
//
// In percent-encoding %XX is a byte and everything else stands for itself. That is what samsa's own HTTP sink sends, so
// that a ConsumerGroup may deliver to a ProducerBinding. The sink also says where a message comes from: where a
// Samsa-Offset is among the headers, Samsa-Partition belongs to it and is no wish. Any other header that begins with
// Samsa- is refused, since it is probably a slip.
package format

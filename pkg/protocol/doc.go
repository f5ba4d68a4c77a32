// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package protocol is the wire format of Kafka 0.7: requests, responses, and the message sets inside them, in both
// directions, so that it serves a client and a server. It opens no socket, starts no goroutine, keeps no clock and
// logs nothing.
//
// # Encoding
//
// AppendTo and the Append functions append to a slice and return it. A request or response is appended as a whole
// frame: four bytes with the size of the rest, then the rest. Nothing is checked on the way out: a topic must pass
// CheckTopic, and a frame must stay below 2 GiB.
//
// # Decoding
//
// Decoders take what stands behind the four bytes of the size. They borrow: sets and payloads are slices of the
// input, valid as long as nobody writes to it. A failed decoder returns a *FormatError with the place and the name of
// the first field that was wrong; what was decoded up to there must not be used. Lengths are compared with the bytes
// that are there before memory is taken for them.
//
// # Positions
//
// A position in a partition's log is a byte position: a message at p whose length field says n is followed by one at
// p + 4 + n. The messages inside a compressed wrapper have no positions of their own. They share the wrapper's, are
// told apart by their Index, and only the wrapper's end is a position behind them. See Iterator.
//
// The behaviour is that of Kafka 0.7.2, whose brokers, encoders and iterator were recorded; the tests hold this
// package against the recordings.
package protocol

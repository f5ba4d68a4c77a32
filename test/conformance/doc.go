// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command conformance runs one list of scenarios against a client of Kafka and real brokers of each release, and prints
// which of them pass: version by scenario, each pass, fail, or not applicable with the protocol's reason. make
// conformance runs it and writes docs/compatibility.md.
//
// # The contract
//
// The client is a program, so that any can be put in samsa's place (-client). It is run with one of these command
// lines; WHERE is "--zookeeper HOST:PORT/CHROOT" (groups are those in ZooKeeper) or "--bootstrap HOST:PORT,HOST:PORT"
// (groups are those of the brokers' coordinator), or both (the brokers are those of the latter, and groups are in
// ZooKeeper). A client that cannot do one of the two is run with -ways.
//
//	CLIENT WHERE publish TOPIC --frames -o json [--key KEY --partitioner key] [--compression CODEC]
//	    [--max-message-bytes N]
//
// The standard input is frames: 4 bytes of length, big-endian, and so many bytes, again and again; each is a message.
// It exits with 0 once brokers hold all; with 1 if some were certainly not written, with 3 if that is unknown. The
// last line of its output is {"acknowledged": N}: that many, from the first on, are written.
//
//	CLIENT WHERE subscribe TOPIC --group GROUP -o json [--count N]
//
// It joins a group that begins at the earliest message, and writes each message as a line: {"topic", "partition"
// (text), "offset", "timestamp" (RFC 3339, or null), "key", "value", "headers": [{"key", "value"}]}. A key or value
// that is no UTF-8 is null there, and in base64 as "keyBase64" or "valueBase64". A line that was written counts as
// processed. After N messages, or at SIGTERM, it commits what it has written, leaves the group, and exits with 0. It
// goes on by itself through any death and return of brokers. A partition is called by its number; in Kafka 0.7 by that
// of its broker and its own, as 1-0.
//
//	CLIENT WHERE offsets TOPIC --group GROUP -o json
//
// A line for each partition: {"partition" (text), "committed", "earliest", "end", "lag"}, null where it is unknown.
//
// samsa's own commands are that contract. clients/confluent.py does the same with librdkafka.
package main

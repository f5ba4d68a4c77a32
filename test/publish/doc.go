// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package publish holds the run in which many callers publish by HTTP while brokers and gateways are killed: three
// brokers, two gateways as processes of their own, and callers that send single messages, messages with record keys,
// messages with an Idempotency-Key that they send again until they know, batches and streams. A script, which goes by
// how many messages have their answer, kills one, two and all three brokers, and gateways.
//
// What became of every attempt is written down. At the end the whole topic is read by other code, and judged: every 201
// is there, once where the brokers know what is repeated, and where the answer said; nothing is there that was refused;
// messages of one key are in one partition and in order.
//
// Without a release the brokers are those of Kafka 0.7 in this process, and the messages few. Real ones need Java:
//
//	go test ./test/publish -v -args -kafka=4 -messages=100000
package publish

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package httpsink delivers messages as HTTP requests: one message a request, over connections that are reused.
//
// # What an answer means
//
// The outcome says whose fault it is. Permanent is a verdict on the message, after which a group may dead-letter
// it; so it is kept for answers that judge the message. An answer that judges the sink, its address or our
// credentials is Retry: a token that expired or a route that is gone for a minute must not send a topic to the
// dead letters.
//
//	answer                                        outcome
//	2xx                                           Done, from the status line on: whatever becomes of the answer's body
//	3xx                                           Retry; never followed, the error names where it points
//	400 413 415 416 422 431 451, unknown 4xx      Permanent: the message will never be taken as it is
//	401-412 414 417 421 423-426 428 429           Retry: address, credentials, conflict or overload
//	5xx, 101, anything else                       Retry
//	no connection (refused, no such host, TLS)    Retry: certainly not delivered
//	cut, reset, garbage or silence after that     Unknown: the sink may have it
//	the context ends                              Unknown; Untried while there was no connection yet
//
// Retry-After is honoured on 429 and 503, as seconds or as a date, up to an hour. 1xx answers are skipped.
//
// An answer's body says nothing to samsa. Up to Config.MaxAnswerBytes of it are read, for at most a second, so that the
// connection can be used again; an answer that is longer or slower costs its connection and nothing else.
//
// # Duplicates
//
// Every request carries an Idempotency-Key, which is the message's id and the same at every attempt. With it,
// net/http itself sends a request again, within one attempt, if a reused connection is closed by the server before
// the first byte of an answer: the usual race with a server's keep-alive timeout. As with every other repetition,
// a sink that must not act twice remembers ids. A fresh connection that breaks is never tried again silently.
//
// # What a request carries
//
// Both formats have the value as body and these headers, from which Decode rebuilds the message:
//
//	Samsa-Topic, Samsa-Partition, Samsa-Offset    where it is
//	Samsa-Index                                   only if above 0: inside a compressed wrapper of Kafka 0.7
//	Idempotency-Key                               the message's id, behind Config.KeyPrefix
//	                                              topic/partition/offset[.index]
//	Samsa-Timestamp                               milliseconds since 1970; absent where the message has none
//	Samsa-Key                                     absent: no key; empty: an empty key
//	Samsa-Header                                  the record's headers in order: "name=value, name=value"
//	Samsa-Tombstone                               "true": the value is null, which an empty body alone does not say
//	Samsa-Group, Samsa-Claim                      the group, and the token of the partition's claim: a fence
//
// Text and bytes alike are percent-encoded: printable ASCII stands for itself, except for '"' and '%'; every other
// byte is %XX. That is the encoding of CloudEvents' HTTP binding (§3.1.3.2), it is lossless for any bytes, and a
// plain key reads as it is. In Samsa-Header ',', '=' and '!' are encoded too, so that its lists survive proxies
// that join lines; a null value is written "name!", which keeps it apart from the empty "name=".
//
// A key or headers beyond what the server accepts (8 KiB a line is common) lead to 431 and so to Permanent.
//
// # CloudEvents
//
// CloudEventsBinary adds the attributes of CloudEvents 1.0: id (the message's id), source
// (prefix/topic#partition), type, subject (partition:P#offset, as Knative's Kafka source has it), time, and the
// extension partitionkey where the key is text. The content type is the record's header "content-type", else
// Config.ContentType.
//
// Values are percent-encoded as the binding demands. Receivers must decode them; the SDK for Go does not (2.16),
// which shows where a key or a name is not plain ASCII.
//
// A record that is a CloudEvent already, after the Kafka binding (headers ce_specversion, ce_id, ...; or a content
// type application/cloudevents...), passes through as that event: its own id, source and type. The delivery's
// identity remains in Idempotency-Key.
package httpsink

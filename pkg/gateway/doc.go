// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gateway is an address that publishes: HTTP requests become messages of one topic, and the answer says what
// became of them.
//
// # What is posted
//
//	POST /                                    a message: the body is its value, headers (package format) are the rest
//	  application/cloudevents+json            an event in structured mode; in binary mode by its headers ce-*
//	  application/cloudevents-batch+json      a batch of events
//	  application/x-ndjson                    a stream: each line is a message in JSON (format.LineReader)
//	  application/vnd.samsa.frames            a stream: each value has its length before it, 4 bytes big-endian
//	POST /topics/{topic}                      records of Kafka REST Proxy v2 and Strimzi's bridge
//	POST /topics/{topic}/partitions/{p}       the same, for one partition
//	GET /openapi.json, /healthz, /readyz      for everybody, without a name
//
// # What is answered
//
//	201           a broker holds the message: {"topic", "partition", "offset", "timestamp"}; null: it does not tell
//	202           it was sent, and no broker says more: with acks none
//	200, 207      all or some of a batch: {"results": [...]}, one each with its own status; {"offsets": [...]} in /topics
//	204           all records are held, and ?async=true asked for no answer
//	400           the request is not well-formed: headers, JSON, framing
//	401, 403      nobody knows the caller, or the caller may not publish
//	404           the binding has another topic; the topic or the partition does not exist; there is no such path
//	408           the body came too slowly
//	413           a body, a message or a batch beyond the limits, or a message beyond the brokers'
//	415           a media type, or an encoding of the content, that is not read here
//	422           well-formed, but no message: a member that is missing or not known, base64 that is none; or one
//	              that no broker takes; or an Idempotency-Key that was used for another message
//	429           a limit of the caller, or no memory: nothing was kept, Retry-After says when to come back
//	431           headers beyond the limits
//	503           no broker took it, nobody can verify callers, or this replica ends; Retry-After
//	504           unknown: the message may be written or not
//
// Every error is a problem (RFC 9457) whose member outcome says "refused", which is certain: nothing was written, and
// who sends it again makes no second message; or "unknown". A batch of which no message was taken has the status of the
// gravest of its problems (504, 503, 429, others), and results all the same. No message gets a 2xx that no broker
// holds.
//
// # Streams
//
// The answer of a stream is a line for each message, in order, as soon as it is known. Senders read while they send:
// what may be underway is bounded, and a gateway that cannot write its lines does not read on. The status is 207 where
// lines go out before the stream ends, and that of a batch where all is known by then. A stream that the gateway ends
// (a message beyond the limits, silence, its own end) has a last line that says why; the message of that line, and all
// after it, were not published.
//
// # Idempotency-Key
//
// Within the window, a request with the key of an earlier one is answered as that was, and publishes nothing; one whose
// outcome was "refused" is published. Message i of a batch has the key KEY/i of its own, so that a batch which is sent
// again publishes only what was refused. A stream takes no key. Of one whose outcome was "unknown" the same request
// waits for what becomes of it (Settler).
//
// # Drop-in use
//
// /topics answers in the words of the others, but with true status codes. ?compat=true, or Prefer: compat, asks for
// theirs: 200 for each body that could be read, with error_code where a message was not taken. ?async=true asks for no
// body: the answer is 204, once the brokers hold all.
package gateway

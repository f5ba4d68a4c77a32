// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gateway holds the process of a gateway to what its document promises: every status code of every route and
// format, against real brokers and embedded ones, together with what is in the topic afterwards; and what becomes of
// bad input, of brokers that stall and of brokers that are gone. The topic is read by code of its own.
//
// By itself it runs against the embedded brokers: go test ./test/gateway. Real ones need Java and the jars that
// hack/kafka.sh fetches: go test ./test/gateway -args -kafka=4,3.9,0.7, which make gateway does.
package gateway

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package gateway is `samsa gateway`: one process that takes messages by HTTP from callers it knows, publishes them to
// one topic, and answers when a broker holds them.
//
// It is where configuration, client, the handler of pkg/gateway, callers, the window of Idempotency-Keys and the other
// replicas meet. Only here is Kubernetes asked about tokens.
package gateway

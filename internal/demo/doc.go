// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo is `samsa-local demo`: a real file's lines by HTTP into a ProducerBinding, and through a ConsumerGroup
// to a sink that remembers, while kubectl scales it, one of its pods is killed, another is frozen, and the API server
// and the manager are away. It ends with an account and a verdict: on the messages, and on every status that the group
// showed meanwhile.
//
// The system is the one of `samsa-local up` (package local/cluster); what is done to it is done with kubectl, as a user
// would, and with signals.
package demo

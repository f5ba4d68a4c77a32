// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import "errors"

// Why a write was refused, besides ErrUnfit and ErrTooLarge: each is inside a *Refused, so the message was certainly
// not written and may be sent again without becoming two.
var (
	// ErrBusy says that as much is underway as was allowed: it passes as soon as some of that is done.
	ErrBusy = errors.New("as much is underway as is allowed: send it again in a moment")
	// ErrNoTopic says that the topic does not exist (yet).
	ErrNoTopic = errors.New("the topic does not exist")
	// ErrNoPartition says that the topic has no such partition.
	ErrNoPartition = errors.New("the topic has no such partition")
	// ErrUnavailable says that no broker that may take the message did so in time: all are away, or the one is that has
	// the partition which the message must go to.
	ErrUnavailable = errors.New("no broker took it in time")
	// ErrDenied says that the brokers do not let this client write there.
	ErrDenied = errors.New("the brokers do not allow it")
)

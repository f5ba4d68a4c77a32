// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import "errors"

// ErrUnfit says that the fault is the message's own: no partition and no broker of the cluster takes it, so there is no
// use in another try. It is inside the *Refused of Append.
var ErrUnfit = errors.New("no broker takes such a message")

// ErrTooLarge is the ErrUnfit of a message that is larger than what brokers take.
var ErrTooLarge error = tooLarge{}

type tooLarge struct{}

// Error implements error.
func (tooLarge) Error() string { return "larger than what brokers take" }

// Is makes it one of the kind ErrUnfit, without the words of that.
func (tooLarge) Is(target error) bool { return target == ErrUnfit }

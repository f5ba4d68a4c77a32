// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package kafka

import "errors"

// ErrTooLarge says that a message is larger than what brokers take; it is inside the *Refused of Append. No other
// partition takes it either.
var ErrTooLarge = errors.New("larger than what brokers take")

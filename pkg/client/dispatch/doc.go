// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package dispatch brings messages of many callers to the partitions of one topic: it chooses partitions, batches what
// comes together, tries again what certainly was not written, and tells each caller what became of its message. How
// bytes reach a broker, and what its answers mean, is the Outlet's concern.
//
// # Certainty
//
// A message has one of three outcomes: written, refused (certainly not written, now or later) or unknown. What makes
// that hold:
//
//   - A partition has one batch underway at a time, and the next begins when that is judged. So nothing of what is
//     queued behind can have been written, and may go elsewhere or be refused.
//   - A batch says for itself, by Begin, that bytes of it are about to leave. One that has not begun can be withdrawn:
//     then it never will.
//   - A batch that may have been written stays what it is, messages and order, and is only repeated where the broker
//     recognizes the repetition; it never moves to another partition. One that cannot be repeated is unknown at once.
//   - The end of a message's time makes it unknown exactly if it is in a batch that has begun.
package dispatch

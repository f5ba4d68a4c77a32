// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package truth finds lies in the status of a ConsumerGroup.
//
// A Reader samples what really is: owners and positions out of ZooKeeper's tree, or from the brokers that coordinate
// the group, and ends from the brokers, by code that shares nothing with what the operator reads with. A Checker is
// told of every sample, every delivery at the sink and every status. A status may be late, so a value is true if it was
// true at some time within the last Grace; it is a lie once it was not. Silence is found the same way: a status that
// nobody renews turns into a lie when the truth moves on.
//
// The Checker is pure: times come in with what is told, so that a test writes a history and reads the lies.
package truth

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package group

// AnEvent makes an Event of a type that embeds it: for members of groups that are kept elsewhere than in ZooKeeper,
// whose lanes are the same.
type AnEvent struct{}

// ACommand makes a Command of a type that embeds it.
type ACommand struct{}

func (AnEvent) event()    {}
func (ACommand) command() {}

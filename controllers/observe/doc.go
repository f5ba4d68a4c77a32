// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package observe reads in the background what registry, brokers and workers say of consumer groups, so that a
// reconciler has it at hand and never waits for a network.
//
// Each group that is watched has two goroutines: one reads the registry and the brokers, one asks the workers. Both
// come round every 8 s, at once for a new target, and 200 ms after a hint: a watch in the registry fired, the
// connection changed, the ownership did. How many read or ask at once is bounded over all groups.
//
// A reconciler is woken at once by what a status shows at once (owners, members, blocked partitions, errors, topics),
// and by numbers that messages move at most every 15 s; by nothing else.
package observe

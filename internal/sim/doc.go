// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package sim runs whole groups from a seed: members (package group) and lanes (package lane) as they are, on a model
// of ZooKeeper, of the brokers, of sinks and of time. Processes join, leave, die and freeze, connections break, answers
// come late or never, watches get lost, topics appear, sinks fail and operators interfere. Then a checker holds what
// happened against the promises of the design.
//
// A run depends on nothing but its seed: the same seed gives the same history to the byte, so every failure replays:
//
//	go test ./internal/sim -run TestSeeds -args -seed=N -v
//
// # How it works
//
// The world is a queue of closures ordered by virtual time (world.go). A process (process.go, lanes.go) does what the
// real driver does: it steps its member, carries out the commands and answers them. Its requests travel through a
// connection (client.go) to the one server (zookeeper.go), which carries out the transactions of package layout as they
// are. Faults (faults.go) are drawn from the seed's profile (profile.go). Everything that matters is recorded
// (history.go), and each promise is a function of the record alone (check*.go).
//
// A step is one event handled by a member or a lane, or one request carried out by the server.
package sim

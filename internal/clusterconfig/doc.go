// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package clusterconfig is the `cluster:` block of a configuration file: how a process reaches Kafka. It is the same in
// the files of all of samsa's processes.
package clusterconfig

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package security holds samsa's connections against real brokers and a real ZooKeeper that want certificates or
// credentials, and refuse wrong ones. It needs Java and the jars that hack/kafka.sh fetches, and runs the releases that
// it is told to: go test ./test/security -timeout 20m -args -kafka=4,3.9,0.10.2. Otherwise it runs nothing.
package security

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package security holds samsa's connections against real brokers and a real ZooKeeper that want certificates or
// credentials, and refuse wrong ones. It needs Java and the jars that hack/kafka.sh fetches, and skips without; where
// SAMSA_REQUIRE_JAVA is set, to have skipped is to have failed.
package security

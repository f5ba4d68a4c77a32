// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package realkafka runs real Kafka brokers, of every release that samsa is held against, as child processes on
// loopback ports: one broker or three, registered in a ZooKeeper or, where the release has it, with KRaft.
//
// The releases are pinned in pom.xml beside this file; hack/kafka.sh (make jars) fetches them once into a cache. Where
// Java or a release is missing, [Available] says so and what to do. It is for tests and for samsa-local; what only
// tests need is not here.
package realkafka

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package cluster is the whole system on one machine: a Kubernetes control plane and ZooKeeper and Kafka to work with,
// samsa's kinds, a node that runs pods as processes, and a manager in this process. Parts of it can be ended and
// brought back, to see what the rest does meanwhile.
//
// Its directory:
//
//	lock            held by whoever runs a world there
//	state.json      where everything is, while it runs
//	control.sock    what only the running world can do; see Control
//	controlplane/   certificates, kubeconfig, etcd's data, logs
//	node/           what pods see, and their logs
//	kafka/          what real brokers write: data and logs
//
// Every world begins empty: ZooKeeper and Kafka live in memory (but for real brokers), and objects of Kubernetes whose
// topics and positions are gone would be of no use. Logs stay until the next world begins.
package cluster

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import "fmt"

// Coordination is where a group is kept: who its members are, what each of them owns, and how far they have come.
type Coordination string

const (
	// CoordinationAuto is ZooKeeper where the cluster's configuration names one, else Kafka.
	CoordinationAuto Coordination = ""
	// CoordinationZooKeeper is the classic registry, which Kafka's own consumers used until 2.0.
	CoordinationZooKeeper Coordination = "ZooKeeper"
	// CoordinationKafka is the group coordinator of the brokers, from Kafka 0.9 on.
	CoordinationKafka Coordination = "Kafka"
)

// Resolve gives what Auto stands for in this cluster, and anything else as it is. The error says why the cluster cannot
// serve it.
func (c *Cluster) Resolve(coordination Coordination) (Coordination, error) {
	switch {
	case coordination == CoordinationAuto && c.config.ZooKeeper != "", coordination == CoordinationZooKeeper:
		if c.config.ZooKeeper == "" {
			return "", fmt.Errorf("coordination %s: the cluster's configuration names no ZooKeeper", coordination)
		}
		return CoordinationZooKeeper, nil
	case coordination == CoordinationAuto, coordination == CoordinationKafka:
		return CoordinationKafka, nil
	}
	return "", fmt.Errorf("coordination %q: want %s, %s, or nothing for what the cluster has",
		coordination, CoordinationZooKeeper, CoordinationKafka)
}

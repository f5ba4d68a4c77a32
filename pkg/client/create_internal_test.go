// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

func TestWhichBrokersMakeATopic(t *testing.T) {
	for _, c := range []struct {
		state    ClusterState
		replicas int16
		want     error
	}{
		{ClusterState{}, 0, nil}, // nobody knows yet, and the brokers will say
		{ClusterState{DialectKnown: true, Dialect: layout.Kafka07, MinVersion: "0.7"}, 1, ErrNotCreatable},
		{ClusterState{MinVersion: "0.8.2"}, 1, ErrTooOldToCreate},
		{ClusterState{MinVersion: "0.10.0"}, 1, ErrTooOldToCreate},
		{ClusterState{MinVersion: "0.10.1"}, 1, nil},
		{ClusterState{MinVersion: "0.10.1"}, 0, ErrReplicasNeeded},
		{ClusterState{MinVersion: "2.3"}, 0, ErrReplicasNeeded},
		{ClusterState{MinVersion: "2.4"}, 0, nil},
		{ClusterState{MinVersion: "4.4+"}, 0, nil},
	} {
		if got := creatable(c.state, c.replicas); !errors.Is(got, c.want) {
			t.Errorf("%s, %d replicas: got %v, want %v", c.state.MinVersion, c.replicas, got, c.want)
		}
	}
}

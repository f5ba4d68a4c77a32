// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client"
)

// Who was ready stays so while brokers are away: callers get 503 from it, and nothing from a Service without endpoints.
func TestReadyOnceBrokersWereReached(t *testing.T) {
	state := client.ClusterState{}
	r := &readiness{state: func() client.ClusterState { return state }}
	away := client.ClusterState{Err: errors.New("no broker")}
	for _, step := range []struct {
		state client.ClusterState
		ready bool
	}{
		{client.ClusterState{}, false},
		{away, false},
		{client.ClusterState{Connected: true}, true},
		{away, true},
		{client.ClusterState{}, true},
	} {
		state = step.state
		if err := r.err(); (err == nil) != step.ready {
			t.Errorf("%+v: %v", step, err)
		}
	}
	r.leaving.Store(true)
	if err := r.err(); !errors.Is(err, errLeaving) {
		t.Error(err)
	}
}

func TestWhichKafkaStoresHeaders(t *testing.T) {
	for version, want := range map[string][2]bool{
		"": {false, false}, "0.7": {false, true}, "0.8": {false, true}, "0.10.2": {false, true}, "0.11": {true, true},
		"0.11.0": {true, true}, "1.0": {true, true}, "3.9": {true, true}, "4.4+": {true, true},
	} {
		if headers, known := storesHeaders(client.ClusterState{MinVersion: version}); headers != want[0] || known != want[1] {
			t.Errorf("%s: %v, %v", version, headers, known)
		}
	}
}

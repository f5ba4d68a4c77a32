// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

func TestReadinessIsPatient(t *testing.T) {
	state, now := client.ClusterState{}, time.Unix(1_000_000, 0)
	r := &readiness{state: func() client.ClusterState { return state }, now: func() time.Time { return now }}
	away := client.ClusterState{Err: errors.New("no broker")}
	for _, step := range []struct {
		state client.ClusterState
		after time.Duration
		ready bool
	}{
		{client.ClusterState{}, 0, false},
		{away, 0, false},
		{client.ClusterState{Connected: true}, 0, true},
		{away, 0, true},
		{away, 9 * time.Second, true},
		{away, time.Second, false},
		{client.ClusterState{Connected: true}, 0, true},
		{away, time.Minute, true},
	} {
		state, now = step.state, now.Add(step.after)
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

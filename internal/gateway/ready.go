// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
)

// patience is how long the cluster may be away before callers are sent to other replicas: a broker that restarts, or a
// leader that moves, takes less, and requests wait for it.
const patience = 10 * time.Second

// readiness says whether callers should come here. A replica that reaches no broker while others do should be left
// alone.
type readiness struct {
	state func() client.ClusterState
	now   func() time.Time

	mu   sync.Mutex
	away time.Time
	// once says that the cluster was reached.
	once bool
	// leaving says that the process ends.
	leaving atomic.Bool
}

var errLeaving = errors.New("this replica ends")

// err says why callers should not come; nil if they should.
func (r *readiness) err() error {
	if r.leaving.Load() {
		return errLeaving
	}
	state := r.state()
	r.mu.Lock()
	defer r.mu.Unlock()
	if state.Err == nil && state.Connected {
		r.away, r.once = time.Time{}, true
		return nil
	}
	if r.away.IsZero() {
		r.away = r.now()
	}
	switch {
	case r.once && r.now().Sub(r.away) < patience:
		return nil
	case state.Err != nil:
		return state.Err
	}
	return errors.New("the cluster has not answered yet")
}

// storesHeaders says whether messages have headers: from Kafka 0.11 on. known is false while nobody has said which
// Kafka this is.
func storesHeaders(state client.ClusterState) (headers, known bool) {
	version := state.MinVersion
	if version == "" {
		return false, false
	}
	major, rest, _ := strings.Cut(strings.TrimSuffix(version, "+"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	first, errFirst := strconv.Atoi(major)
	second, errSecond := strconv.Atoi(minor)
	return errFirst == nil && (first > 0 || errSecond == nil && second >= 11), true
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/samsa-dev/samsa/pkg/client"
)

// readiness says whether callers should come here: once brokers were reached, until the process ends. While all brokers
// are away they should as well: they get a true answer here, and none from a Service without endpoints; and replicas
// that went and came back would leave their keys to each other, which have to wait for that.
type readiness struct {
	state func() client.ClusterState
	// once says that the cluster was reached.
	once atomic.Bool
	// leaving says that the process ends.
	leaving atomic.Bool
}

var errLeaving = errors.New("this replica ends")

// err says why callers should not come; nil if they should.
func (r *readiness) err() error {
	if r.leaving.Load() {
		return errLeaving
	}
	if r.once.Load() {
		return nil
	}
	switch state := r.state(); {
	case state.Err != nil:
		return state.Err
	case !state.Connected:
		return errors.New("the cluster has not answered yet")
	}
	r.once.Store(true)
	return nil
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

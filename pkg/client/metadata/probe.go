// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// mayProbe says whether brokers may be of an old Kafka: none has answered yet, credentials are none of their business,
// and they were not probed a moment ago.
func (r *Reader) mayProbe() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told || r.config.Release != wire.Negotiated || r.config.SASL != nil || time.Since(r.probed) < probeEvery {
		return false
	}
	r.probed = time.Now()
	return true
}

// suspectsOf are the addresses of brokers that may be old: those that took a connection and did not answer.
func suspectsOf(failures map[string]error) []string {
	var suspects []string
	for _, address := range slices.Sorted(maps.Keys(failures)) {
		if suspicious(failures[address]) {
			suspects = append(suspects, address)
		}
	}
	return suspects
}

func suspicious(err error) bool { return hangsUp(err) || isLate(err) }

// probeAny probes all at once; the first that turns out to be old is enough.
func (r *Reader) probeAny(ctx context.Context, addresses []string) (wire.Release, bool) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	found := make(chan wire.Release, len(addresses))
	for _, address := range addresses {
		if !r.spawn(func() {
			release, _ := r.probe(ctx, address)
			found <- release
		}) {
			found <- wire.Negotiated
		}
	}
	for range addresses {
		if release := <-found; release != wire.Negotiated {
			return release, true
		}
	}
	return wire.Negotiated, false
}

const (
	// probeTimeout bounds a probe: three questions, one of which is not answered for quickTimeout.
	probeTimeout = 3 * time.Second
	// quickTimeout is for a broker that has just answered something else.
	quickTimeout = 500 * time.Millisecond
)

// probe finds out whether a broker is of Kafka 0.8 or 0.9. Both know metadata, but not what they understand; groups
// that brokers coordinate can be listed since 0.9, and 0.8 hangs up on that.
func (r *Reader) probe(ctx context.Context, address string) (wire.Release, bool) {
	if _, err := r.single(ctx, address, wire.Kafka09, kmsg.NewPtrMetadataRequest()); err != nil {
		return wire.Negotiated, false
	}
	quick, cancel := context.WithTimeout(ctx, quickTimeout)
	defer cancel()
	if _, err := r.single(quick, address, wire.Negotiated, versionsRequest()); err == nil || !suspicious(err) {
		return wire.Negotiated, false // it was only slow
	}
	_, err := r.single(ctx, address, wire.Kafka09, kmsg.NewPtrListGroupsRequest())
	switch {
	case err == nil:
		return wire.Kafka09, true
	case hangsUp(err):
		return wire.Kafka08, true
	}
	return wire.Negotiated, false
}

// single asks one broker, by a client of its own, which is gone afterwards with its connection.
func (r *Reader) single(
	ctx context.Context, address string, release wire.Release, request kmsg.Request,
) (kmsg.Response, error) {
	config := r.Config()
	config.Brokers, config.Release = []string{address}, release
	client, err := kgo.NewClient(wire.Options(config)...)
	if err != nil {
		return nil, err
	}
	type answer struct {
		told kmsg.Response
		err  error
	}
	answers := make(chan answer, 1)
	if !r.spawn(func() {
		told, err := client.SeedBrokers()[0].Request(ctx, request)
		answers <- answer{told, err}
	}) {
		client.Close()
		return nil, ErrClosed
	}
	// This ends the request too, where ctx does not.
	defer client.Close()
	select {
	case got := <-answers:
		return got.told, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

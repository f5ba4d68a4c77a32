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

// mayProbe says whether brokers that did not answer may be of an old Kafka: one hung up, credentials are none of their
// business, and they were not probed a moment ago.
func (r *Reader) mayProbe(failures map[string]error) bool {
	if !slices.ContainsFunc(slices.Collect(maps.Values(failures)), hangsUp) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.config.Release != wire.Negotiated || r.config.SASL != nil || time.Since(r.probed) < probeEvery {
		return false
	}
	r.probed = time.Now()
	return true
}

// probeAny probes those that hung up, one after the other, until one answers.
func (r *Reader) probeAny(ctx context.Context, failures map[string]error) (wire.Release, bool) {
	for _, address := range slices.Sorted(maps.Keys(failures)) {
		if !hangsUp(failures[address]) {
			continue
		}
		if release, ok := r.probe(ctx, address); ok {
			return release, true
		}
	}
	return wire.Negotiated, false
}

// probe finds out whether a broker is of Kafka 0.8 or 0.9. Both know metadata; groups that brokers coordinate can be
// listed since 0.9, and 0.8 hangs up on that.
func (r *Reader) probe(ctx context.Context, address string) (wire.Release, bool) {
	if _, err := r.single(ctx, address, wire.Kafka09, kmsg.NewPtrMetadataRequest()); err != nil {
		return wire.Negotiated, false
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

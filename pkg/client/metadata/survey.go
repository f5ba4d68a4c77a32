// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"golang.org/x/sync/errgroup"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

const (
	// surveyTimeout bounds one broker's answer: 5 s for a dial and a slow handshake, and then a probe.
	surveyTimeout = 5*time.Second + probeTimeout
	// surveyedAtOnce is how many brokers are asked together, a connection each; 100 brokers of which 10 hang are told
	// within 16 s.
	surveyedAtOnce = 8
	// namedSince is the version of the metadata request (of Kafka 0.11) that can name a topic without making it.
	namedSince = 4
)

// Offer is what one broker understands.
type Offer struct {
	// Versions are the releases of Kafka that understand the same.
	Versions Versions
	// Release is how it is spoken to.
	Release wire.Release
	// Raft says that it is without ZooKeeper, Registers that it is of those that register there.
	Raft, Registers bool
	// named says that a topic can be named to it without making it.
	named bool
}

// OfferOf is that of a broker that is known to be of an old release, and cannot be asked.
func OfferOf(release wire.Release) Offer {
	return Offer{
		Versions: Versions{Oldest: release.String(), Newest: release.String()}, Release: release, Registers: true,
	}
}

// Survey asks brokers, given by their numbers and addresses, what they understand. Those that do not answer are missing
// and described by the error.
func (r *Reader) Survey(ctx context.Context, brokers map[string]string) (map[string]Offer, error) {
	var mu sync.Mutex // guards what follows
	offers := make(map[string]Offer, len(brokers))
	failures := make(map[string]error)
	var asking errgroup.Group
	asking.SetLimit(surveyedAtOnce)
	for id, address := range brokers {
		asking.Go(func() error {
			offer, err := r.offer(ctx, address)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures[address] = err
			} else {
				offers[id] = offer
			}
			return nil
		})
	}
	_ = asking.Wait()
	if len(failures) == 0 {
		return offers, nil
	}
	return offers, fmt.Errorf("ask brokers what they understand: %w", nobody(failures))
}

func (r *Reader) offer(ctx context.Context, address string) (Offer, error) {
	ctx, cancel := context.WithTimeout(ctx, surveyTimeout)
	defer cancel()
	patient, stop := context.WithTimeout(ctx, surveyTimeout-probeTimeout)
	defer stop()
	got, err := r.single(patient, address, wire.Negotiated, versionsRequest())
	if err != nil {
		if suspicious(err) && r.Config().SASL == nil {
			if release, ok := r.probe(ctx, address); ok {
				return OfferOf(release), nil
			}
		}
		return Offer{}, err
	}
	told, ok := got.(*kmsg.ApiVersionsResponse)
	if !ok {
		return Offer{}, fmt.Errorf("it answers something else (%T)", got)
	}
	if err := kerr.ErrorForCode(told.ErrorCode); err != nil {
		return Offer{}, fmt.Errorf("it does not tell what it understands: %w", err)
	}
	return offerOf(told), nil
}

func versionsRequest() *kmsg.ApiVersionsRequest {
	request := kmsg.NewPtrApiVersionsRequest()
	request.ClientSoftwareName, request.ClientSoftwareVersion = "samsa", "survey" // refused where they are empty
	return request
}

// offerOf reads an answer. Brokers without ZooKeeper, and no others, describe the quorum of their controllers; those
// that register in it are told what to lead by one of their own.
func offerOf(told *kmsg.ApiVersionsResponse) Offer {
	offered := kversion.FromApiVersionsResponse(told)
	metadata, _ := offered.LookupMaxKeyVersion(kmsg.Metadata.Int16())
	offer := Offer{
		Versions:  guess(offered),
		Raft:      offered.HasKey(kmsg.DescribeQuorum.Int16()),
		Registers: offered.HasKey(kmsg.LeaderAndISR.Int16()),
		named:     metadata >= namedSince,
	}
	return offer
}

// Learn is told what all brokers understand, as they were surveyed. From then on the reader asks for no more than it
// needs; and where brokers turn out to be older or newer than it thought, it speaks to them accordingly.
func (r *Reader) Learn(offers []Offer) error {
	named, release := len(offers) > 0, wire.Negotiated
	for _, offer := range offers {
		named = named && offer.named
		if release == wire.Negotiated || offer.Release == wire.Kafka08 {
			release = offer.Release
		}
	}
	r.mu.Lock()
	r.named = named
	brokers := slices.Clone(r.config.Brokers)
	r.mu.Unlock()
	return r.Follow(brokers, release)
}

// Summary is what all brokers together are.
type Summary struct {
	Versions
	// Raft and Registers say what brokers say of themselves; both while a cluster moves from ZooKeeper to Raft.
	Raft, Registers bool
}

// Summarize says what brokers together are.
func Summarize(offers []Offer) Summary {
	var all Summary
	for _, offer := range offers {
		all.Versions = all.spanning(offer.Versions)
		all.Raft = all.Raft || offer.Raft
		all.Registers = all.Registers || offer.Registers
	}
	return all
}

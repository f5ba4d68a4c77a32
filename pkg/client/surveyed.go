// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/metadata"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

const (
	// surveyEvery is how often brokers are asked again what they understand: one that was replaced by a newer Kafka so
	// quickly that nobody saw it gone is known by then. It costs each of them a connection.
	surveyEvery = 10 * time.Minute
	// surveyRetry is the wait after some did not answer, who are then asked again, and nobody else.
	surveyRetry = 10 * time.Second
)

// surveyed is what the brokers understand, as far as they have told.
type surveyed struct {
	// mu guards what follows.
	mu      sync.Mutex
	offers  map[string]surveyedBroker
	coming  chan struct{} // nil until somebody waits
	summary metadata.Summary
}

// surveyedBroker is a broker as it was when it was asked.
type surveyedBroker struct {
	address string
	at      time.Time
	metadata.Offer
}

func (s *surveyed) changes() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.coming == nil {
		s.coming = make(chan struct{})
	}
	return s.coming
}

// unknown are the addresses of live brokers to ask. Those that are gone are forgotten.
func (s *surveyed) unknown(live map[string]Broker, now time.Time) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.offers, func(id string, known surveyedBroker) bool {
		broker, lives := live[id]
		return !lives || broker.Address != known.address || now.Sub(known.at) > surveyEvery
	})
	ask := map[string]string{}
	for id, broker := range live {
		if _, known := s.offers[id]; !known {
			ask[id] = broker.Address
		}
	}
	return ask
}

// learn notes what brokers told, and returns what all of them did.
func (s *surveyed) learn(asked map[string]string, told map[string]metadata.Offer, now time.Time) []metadata.Offer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offers == nil {
		s.offers = map[string]surveyedBroker{}
	}
	for id, offer := range told {
		s.offers[id] = surveyedBroker{address: asked[id], at: now, Offer: offer}
	}
	offers := make([]metadata.Offer, 0, len(s.offers))
	for _, id := range slices.Sorted(maps.Keys(s.offers)) {
		offers = append(offers, s.offers[id].Offer)
	}
	summary := metadata.Summarize(offers)
	if len(offers) > 0 && summary != s.summary { // while nobody answers, the cluster is what it was
		s.summary = summary
		if s.coming != nil {
			close(s.coming)
		}
		s.coming = make(chan struct{})
	}
	return offers
}

func (s *surveyed) now() metadata.Summary {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.summary
}

// survey asks the brokers what they understand, whenever there are others, until ctx ends.
func (c *Cluster) survey(ctx context.Context) {
	for ctx.Err() == nil {
		changed := c.directory.changes()
		wait := surveyEvery
		if err := c.surveyOnce(ctx); err != nil {
			wait = surveyRetry
		}
		c.directory.pause(ctx, wait, changed, nil)
	}
}

func (c *Cluster) surveyOnce(ctx context.Context) error {
	live, dialect := c.directory.reachable()
	if dialect == layout.Kafka07 || len(live) == 0 {
		return nil
	}
	asked := c.surveyed.unknown(live, time.Now())
	told := map[string]metadata.Offer{}
	if !c.directory.byBrokers() {
		for id := range asked { // what they registered says it
			if release := live[id].release; release != wire.Negotiated {
				told[id] = metadata.OfferOf(release)
			}
		}
	}
	ask := maps.Clone(asked)
	maps.DeleteFunc(ask, func(id, _ string) bool { _, known := told[id]; return known })
	answers, err := c.asking.Survey(ctx, ask)
	maps.Copy(told, answers)
	if len(answers) > 0 && !c.directory.byBrokers() {
		c.askName(ctx)
	}
	if offers := c.surveyed.learn(asked, told, time.Now()); len(told) > 0 {
		c.learn(offers)
	}
	if err != nil {
		c.logger.Debug("Brokers do not tell what they understand", "reason", err)
	}
	return err
}

// askName asks what the cluster calls itself, where the registry told all else. It is of little weight: the next survey
// asks again.
func (c *Cluster) askName(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, directoryTimeout)
	defer cancel()
	view, err := c.asking.Read(ctx, metadata.Question{})
	if err != nil {
		return
	}
	c.directory.mu.Lock()
	defer c.directory.mu.Unlock()
	c.directory.clusterID = view.ClusterID
}

func (c *Cluster) learn(offers []metadata.Offer) {
	if err := c.asking.Learn(offers); err != nil {
		c.logger.Warn("Broker addresses refused", "reason", err)
	}
}

// describe adds to a state which Kafka this is.
func (c *Cluster) describe(state *ClusterState) {
	state.ClusterID = c.directory.id()
	if state.DialectKnown && state.Dialect == layout.Kafka07 {
		state.Controller, state.MinVersion, state.MaxVersion = ControllerZooKeeper, kafka07, kafka07
		state.Degraded = metadata.Degraded(kafka07)
		return
	}
	known := c.surveyed.now()
	state.MinVersion, state.MaxVersion = known.Oldest, known.Newest
	state.Degraded = metadata.Degraded(known.Oldest)
	switch {
	case known.Raft:
		state.Controller = ControllerKRaft
	case known.Registers, state.DialectKnown && !c.directory.byBrokers():
		state.Controller = ControllerZooKeeper
	case metadata.WithoutZooKeeper(known.Oldest):
		state.Controller = ControllerKRaft
	}
}

// kafka07 is the version of brokers that registered as those of Kafka 0.7.
const kafka07 = "0.7"

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// sampleEvery is how often the truth is read: some of it lasts only for the second that a change takes.
	sampleEvery = 250 * time.Millisecond
	// watchAgain is the wait after the API server was not there.
	watchAgain = 500 * time.Millisecond
)

// statuses holds every status of the group against the truth, from another goroutine for each.
type statuses struct {
	api    client.WithWatch
	reader *truth.Reader
	books  *recorder
	// standing is how long a partition's messages may wait before its group is not consuming: what a planned change may
	// cost.
	standing time.Duration
	logger   *slog.Logger

	// mu protects what follows.
	mu      sync.Mutex
	checker truth.Checker
	latest  truth.Claim
	sample  truth.Sample
	seen    int
}

// newStatuses looks at the samples' group. Its reader has to be closed.
func newStatuses(system *System, pace pace, books *recorder, logger *slog.Logger) (*statuses, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	api, err := client.NewWithWatch(system.REST, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("watch statuses: %w", err)
	}
	reader, err := readerOf(system.World)
	if err != nil {
		return nil, err
	}
	return &statuses{api: api, reader: reader, books: books, standing: pace.handover, logger: logger}, nil
}

// readerOf reads the samples' group where the world's Kafka keeps it.
func readerOf(w *world.World) (*truth.Reader, error) {
	brokers := w.Brokers().Addrs()
	if w.ZooKeeper == nil {
		return truth.NewCoordinatedReader(brokers, group, lines)
	}
	return truth.NewReader(w.ZooKeeper, w.Path(""), brokers, group, lines)
}

// newest is the newest sample.
func (s *statuses) newest() truth.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sample
}

// run works until ctx ends.
func (s *statuses) run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { s.follow(ctx) })
	both.Go(func() { s.compare(ctx) })
	both.Wait()
}

// follow is told of every status there is.
func (s *statuses) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.watch(ctx); err != nil {
			s.logger.Info("Statuses cannot be watched", "reason", err)
		}
		pause(ctx, watchAgain)
	}
}

func (s *statuses) watch(ctx context.Context) error {
	watch, err := s.api.Watch(ctx, &v1alpha1.ConsumerGroupList{}, &client.ListOptions{
		Namespace: namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", group),
	})
	if err != nil {
		return err
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		if found, ok := event.Object.(*v1alpha1.ConsumerGroup); ok {
			s.say(truth.ClaimOf(found))
		}
	}
	return nil
}

func (s *statuses) say(claim truth.Claim) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = claim
	s.seen++
	s.checker.Say(claim)
}

// compare samples the truth.
func (s *statuses) compare(ctx context.Context) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		sample, err := s.reader.Read(ctx, s.stands)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.logger.Warn("The truth cannot be read", "error", err)
		default:
			s.observe(sample)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// stands is what the sink knows of a partition, topic/id.
func (s *statuses) stands(partition string) bool {
	topic, id, _ := strings.Cut(partition, "/")
	return s.books.stands(kafka.Partition{Topic: topic, ID: id}, s.standing)
}

func (s *statuses) observe(sample truth.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sample = sample
	s.checker.Observe(sample)
}

// away says that nobody can write a status from now on; back, that somebody can again.
func (s *statuses) away() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checker.Away(time.Now())
}

func (s *statuses) back() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checker.Back(time.Now())
}

// caughtUp reports whether the status says what is true now.
func (s *statuses) caughtUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var now truth.Checker
	settled := s.sample
	settled.At = settled.At.Add(-truth.Grace)
	now.Say(s.latest)
	now.Observe(settled)
	now.Observe(s.sample)
	return s.seen > 0 && len(now.Lies()) == 0
}

// found is what was seen.
func (s *statuses) found() (checks int, lies []truth.Lie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checker.Checks(), s.checker.Lies()
}

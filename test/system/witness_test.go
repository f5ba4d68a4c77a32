// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/truth"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// sampleEvery is how often the truth is read: twenty times and more within what a group takes to change.
	sampleEvery = 500 * time.Millisecond
	// watchAgain is the wait after a watch ended.
	watchAgain = 200 * time.Millisecond
)

// witness holds every status of one ConsumerGroup against the truth, for as long as the object exists.
type witness struct {
	key    types.NamespacedName
	reader *truth.Reader
	// stands is what the sink knows of a partition, by its name in samples.
	stands func(partition string) bool

	// mu protects what follows.
	mu         sync.Mutex
	checker    truth.Checker
	latest     truth.Claim
	sample     truth.Sample
	unreadable bool
	version    string // of the object as it was seen last
	generation int64
	writes     int
	said       []string // what the Ready condition said, in turn

	cancel context.CancelFunc
	both   sync.WaitGroup
}

// witnessed begins to look at a group, to which those in the registry belong.
func witnessed(ctx context.Context, key types.NamespacedName, reader *truth.Reader, stands func(string) bool) *witness {
	w := &witness{key: key, reader: reader, stands: stands}
	ctx, w.cancel = context.WithCancel(ctx)
	w.both.Go(func() { w.follow(ctx) })
	w.both.Go(func() { w.compare(ctx) })
	return w
}

// end stops looking, and waits until that is over.
func (w *witness) end() {
	w.cancel()
	w.both.Wait()
	w.reader.Close()
}

// follow is told of every status that there is.
func (w *witness) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.watch(ctx); err != nil && ctx.Err() == nil {
			GinkgoWriter.Printf("%s: statuses cannot be watched: %v\n", w.key, err)
		}
		pause(ctx, watchAgain)
	}
}

func (w *witness) watch(ctx context.Context) error {
	watch, err := api.Watch(ctx, &v1alpha1.ConsumerGroupList{}, &client.ListOptions{
		Namespace: w.key.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", w.key.Name),
	})
	if err != nil {
		return err
	}
	defer watch.Stop()
	for event := range watch.ResultChan() {
		if found, ok := event.Object.(*v1alpha1.ConsumerGroup); ok {
			w.see(found)
		}
	}
	return nil
}

func (w *witness) see(group *v1alpha1.ConsumerGroup) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.version == group.ResourceVersion {
		return
	}
	if w.version != "" && w.generation == group.Generation {
		w.writes++
	}
	w.version, w.generation = group.ResourceVersion, group.Generation
	if ready := meta.FindStatusCondition(group.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		w.hear(fmt.Sprintf("Ready %s %s: %s", ready.Status, ready.Reason, ready.Message))
	}
	w.latest = truth.ClaimOf(group)
	w.checker.Say(w.latest)
}

// hear keeps what is new. The caller holds mu.
func (w *witness) hear(text string) {
	if len(w.said) == 0 || !strings.HasSuffix(w.said[len(w.said)-1], text) {
		w.said = append(w.said, time.Now().Format("15:04:05.0 ")+text)
	}
}

// compare samples the truth.
func (w *witness) compare(ctx context.Context) {
	for ctx.Err() == nil {
		sample, err := w.reader.Read(ctx, w.stands)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			GinkgoWriter.Printf("%s: the truth cannot be read: %v\n", w.key, err)
		default:
			w.observe(sample)
		}
		pause(ctx, sampleEvery)
	}
}

func (w *witness) observe(sample truth.Sample) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sample.Unreadable = w.unreadable
	w.sample = sample
	w.checker.Observe(sample)
}

// blind says whether the operator has, from now on, no way to read the group: numbers may be as old as that.
func (w *witness) blind(is bool) {
	w.mu.Lock()
	w.unreadable = is
	w.mu.Unlock()
	if is {
		w.away()
	} else {
		w.back()
	}
}

// away says that nobody can write a status from now on; back, that somebody can again.
func (w *witness) away() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checker.Away(time.Now())
}

func (w *witness) back() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.checker.Back(time.Now())
}

// behind is where the status does not say what is true now.
func (w *witness) behind() []truth.Lie {
	w.mu.Lock()
	defer w.mu.Unlock()
	var now truth.Checker
	settled := w.sample
	settled.At = settled.At.Add(-truth.Grace)
	now.Observe(settled)
	if w.version != "" {
		now.Say(w.latest)
	}
	now.Observe(w.sample)
	return now.Lies()
}

// lies are those found so far.
func (w *witness) lies() []truth.Lie {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.checker.Lies()
}

// written counts the writes of the status, and heard is what it said.
func (w *witness) written() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.writes
}

func (w *witness) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.said...)
}

// standsIn asks books for the partitions of samples: of one group, or of those in the partitions' names.
func standsIn(b *books, group string) func(string) bool {
	return func(name string) bool {
		of := group
		if prefix, rest, ok := strings.Cut(name, ":"); ok {
			of, name = prefix, rest
		}
		topic, id, _ := strings.Cut(name, "/")
		return b.stands(of, kafka.Partition{Topic: topic, ID: id})
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

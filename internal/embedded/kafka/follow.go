// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package embedkafka

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// A request is seen before kfake acts on it, which takes it microseconds: the second look finds what it did.
	followInterval = 20 * time.Millisecond
	// followFor is how long a topic is looked at after a request for it: 250 looks, for requests that a test holds back.
	followFor = 5 * time.Second
)

// registered is what ZooKeeper was told of a topic.
type registered struct {
	id         [16]byte
	partitions int
}

// follower registers what clients do to topics by kfake's own API, as a controller of Kafka does. kfake neither lists
// its topics nor tells of changes, so the requests say which to look at.
type follower struct {
	cluster *Cluster
	kicked  chan struct{}
	stop    context.CancelFunc
	running sync.WaitGroup

	// mu guards until: when looking at a topic ends.
	mu    sync.Mutex
	until map[string]time.Time
}

// follow begins before any client does. The follower ends with close, not with ctx.
func follow(ctx context.Context, c *Cluster) *follower {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &follower{cluster: c, kicked: make(chan struct{}, 1), stop: cancel, until: make(map[string]time.Time)}
	for _, key := range []kmsg.Key{kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.CreatePartitions, kmsg.Metadata} {
		c.fake.ControlKey(int16(key), f.saw)
	}
	f.running.Go(func() { f.run(running) })
	return f
}

// saw notes the topics of a request, and leaves it to kfake.
func (f *follower) saw(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's signature
	switch r := request.(type) {
	case *kmsg.CreateTopicsRequest:
		for i := range r.Topics {
			f.note(r.Topics[i].Topic)
		}
	case *kmsg.CreatePartitionsRequest:
		for i := range r.Topics {
			f.note(r.Topics[i].Topic)
		}
	case *kmsg.MetadataRequest:
		for i := range r.Topics {
			if r.AllowAutoTopicCreation && r.Topics[i].Topic != nil {
				f.note(*r.Topics[i].Topic)
			}
		}
	case *kmsg.DeleteTopicsRequest:
		f.sawDeletion(r)
	}
	return nil, nil, false
}

func (f *follower) sawDeletion(r *kmsg.DeleteTopicsRequest) {
	for _, topic := range r.TopicNames { // up to version 5
		f.note(topic)
	}
	for i := range r.Topics {
		if r.Topics[i].Topic != nil {
			f.note(*r.Topics[i].Topic)
			continue
		}
		f.note(f.cluster.nameOf(r.Topics[i].TopicID))
	}
}

func (f *follower) note(topic string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until[topic] = time.Now().Add(followFor)
	signal(f.kicked)
}

// run looks at what was noted, again and again while there is any.
func (f *follower) run(ctx context.Context) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.kicked:
		}
		for f.look(ctx) {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}
}

// look registers what has changed, and tells whether to look again.
func (f *follower) look(ctx context.Context) (again bool) {
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	for topic, until := range f.noted() {
		if err := f.cluster.compare(ctx, topic); err != nil {
			if ctx.Err() == nil {
				f.cluster.config.Logger.Warn("What became of a topic is not registered", "topic", topic, "error", err)
			}
			again = true
			continue
		}
		if time.Now().Before(until) {
			again = true
			continue
		}
		f.forget(topic, until)
	}
	return again
}

func (f *follower) noted() map[string]time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.until)
}

// forget ends looking at a topic, unless it was noted again meanwhile.
func (f *follower) forget(topic string, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until[topic].Equal(until) {
		delete(f.until, topic)
	}
}

// close ends the follower and waits for it: kfake does not answer once it is closed.
func (f *follower) close() {
	f.stop()
	f.running.Wait()
}

// compare makes ZooKeeper say of a topic what kfake has.
func (c *Cluster) compare(ctx context.Context, topic string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.knownMu.Lock()
	known, isKnown := c.known[topic]
	c.knownMu.Unlock()
	info, partitions := c.fake.TopicInfo(topic), c.fake.PartitionInfos(topic)
	if isKnown && (info == nil || info.TopicID != known.id) {
		if err := c.unregisterTopic(ctx, topic); err != nil {
			return err
		}
		isKnown = false
	}
	if info == nil || isKnown && known.partitions == len(partitions) {
		return nil
	}
	return c.registerInfo(ctx, info, partitions)
}

func (c *Cluster) registerInfo(ctx context.Context, info *kfake.TopicInfo, partitions []*kfake.PartitionInfo) error {
	if err := c.registry.putTopic(ctx, info.Topic, info.TopicID, partitions); err != nil {
		return err
	}
	c.knownMu.Lock()
	defer c.knownMu.Unlock()
	c.known[info.Topic] = registered{id: info.TopicID, partitions: len(partitions)}
	return nil
}

func (c *Cluster) unregisterTopic(ctx context.Context, topic string) error {
	if err := c.registry.removeTopic(ctx, topic); err != nil {
		return err
	}
	c.knownMu.Lock()
	defer c.knownMu.Unlock()
	delete(c.known, topic)
	return nil
}

// nameOf is the topic of an id; empty if none of that id is registered.
func (c *Cluster) nameOf(id [16]byte) string {
	c.knownMu.Lock()
	defer c.knownMu.Unlock()
	for topic, known := range c.known {
		if known.id == id {
			return topic
		}
	}
	return ""
}

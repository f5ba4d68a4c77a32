// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"strconv"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// log is one partition at the brokers.
type log struct {
	partition kafka.Partition
	messages  []kafka.Message
	// born is where the log begins, next where it ends.
	born, next int64
	// waiters are fetches that found nothing yet.
	waiters []func()
}

func (l *log) first() int64 { return l.born }

func (l *log) end() int64 { return l.next }

// read gives up to most messages at and after a position.
func (l *log) read(position int64, most int) kafka.Messages {
	from := 0
	for i := len(l.messages); i > 0 && l.messages[i-1].Next > position; i-- {
		from = i - 1
	}
	if len(l.messages) == 0 || l.messages[len(l.messages)-1].Next <= position {
		return nil
	}
	return kafka.Messages(l.messages[from:min(len(l.messages), from+most)])
}

// partitionName names partition n of topic t.
func partitionName(topic, n int) kafka.Partition {
	return kafka.Partition{Topic: topicName(topic), ID: strconv.Itoa(n)}
}

func topicName(topic int) string { return "topic" + strconv.Itoa(topic) }

// addPartition makes a partition. To most, something is written for ever.
func (w *world) addPartition(p kafka.Partition) *log {
	l := &log{partition: p}
	if w.profile.sparse {
		l.born = w.rand.Int64N(100)
		l.next = l.born
	}
	w.logs = append(w.logs, l)
	w.byName[p] = l
	w.server.knows(p)
	w.record(partitionBorn{Partition: p, First: l.next})
	if w.chance(0.8) {
		w.produce(l)
	}
	return l
}

func (w *world) produce(l *log) {
	w.after(w.between(150*time.Millisecond, 1500*time.Millisecond), func() {
		if w.producing {
			w.appendTo(l)
			w.produce(l)
		}
	})
}

func (w *world) appendTo(l *log) {
	m := kafka.Message{Partition: l.partition, Offset: l.next, Next: l.next + 1, Value: []byte{1}}
	if w.profile.sparse {
		m.Offset += w.rand.Int64N(3)
		m.Next = m.Offset + 1 + w.rand.Int64N(3)
	}
	l.next = m.Next
	l.messages = append(l.messages, m)
	w.record(appended{Partition: l.partition, Offset: m.Offset, Next: m.Next})
	waiters := l.waiters
	l.waiters = nil
	for _, wake := range waiters {
		wake()
	}
}

// fetch brings what there is at a position, as soon as there is something.
func (w *world) fetch(l *log, position int64, bring func(kafka.Messages)) {
	w.after(w.between(w.profile.latency/2, 2*w.profile.latency), func() {
		if found := l.read(position, 1+w.rand.IntN(8)); len(found) > 0 {
			bring(found)
			return
		}
		l.waiters = append(l.waiters, func() { w.fetch(l, position, bring) })
	})
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// lookupTimeout bounds one try to ask for the bounds of logs: a leader that hangs must not hide the others' answers for
// longer than faults may take to heal.
const lookupTimeout = 5 * time.Second

// lookup is the question where a partition's log begins and ends, and its answer.
type lookup struct {
	cursor    *cursor
	partition kafka.Partition
	limit     int64
	cause     error

	earliest, latest int64
	err              error // why there is no answer
}

// positioner resolves places in logs; the transport does.
type positioner interface {
	Positions(ctx context.Context, partitions []kafka.Partition, place kafka.Place) (map[kafka.Partition]int64, error)
}

// lookups does what may take long, so that a poll never waits for it: bounds of logs, and what else it is given. One
// goroutine, run, owns the work.
type lookups struct {
	asks  positioner
	life  func() context.Context // ends with the client
	wake  *waker
	ready chan struct{} // holds one token if there is work

	// mu guards what follows.
	mu    sync.Mutex
	todo  []lookup
	tasks []func()
	done  []lookup
}

func newLookups(asks positioner, life func() context.Context, wake *waker) *lookups {
	return &lookups{asks: asks, life: life, wake: wake, ready: make(chan struct{}, 1)}
}

// ask queues a question. Its answer, and errors on the way to it, come out of results.
func (l *lookups) ask(question lookup) {
	l.mu.Lock()
	l.todo = append(l.todo, question)
	l.mu.Unlock()
	l.signal()
}

// do queues a task.
func (l *lookups) do(task func()) {
	l.mu.Lock()
	l.tasks = append(l.tasks, task)
	l.mu.Unlock()
	l.signal()
}

func (l *lookups) signal() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// results gives what was found since the last call.
func (l *lookups) results() []lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.done
	l.done = nil
	return done
}

// run works until the client is closed.
func (l *lookups) run() {
	ctx := l.life()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.ready:
			l.work(ctx)
		}
	}
}

// work does all there is.
func (l *lookups) work(ctx context.Context) {
	l.mu.Lock()
	todo, tasks := l.todo, l.tasks
	l.todo, l.tasks = nil, nil
	l.mu.Unlock()
	for _, task := range tasks {
		task()
	}
	if len(todo) == 0 {
		return
	}
	l.resolve(ctx, todo)
	l.mu.Lock()
	l.done = append(l.done, todo...)
	l.mu.Unlock()
	l.wake.wake()
}

// resolve answers questions in place.
func (l *lookups) resolve(ctx context.Context, questions []lookup) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	partitions := make([]kafka.Partition, len(questions))
	for i := range questions {
		partitions[i] = questions[i].partition
	}
	// The end is asked for first: a log that is emptied in between then shows as it is, with its start beyond.
	latest, errLatest := l.asks.Positions(ctx, partitions, kafka.Latest())
	earliest, errEarliest := l.asks.Positions(ctx, partitions, kafka.Earliest())
	for i := range questions {
		question := &questions[i]
		var haveLatest, haveEarliest bool
		question.latest, haveLatest = latest[question.partition]
		question.earliest, haveEarliest = earliest[question.partition]
		question.latest = max(question.latest, question.earliest)
		switch {
		case !haveLatest:
			question.err = fmt.Errorf("%w; where its log ends: %w", question.cause, errLatest)
		case !haveEarliest:
			question.err = fmt.Errorf("%w; where its log begins: %w", question.cause, errEarliest)
		}
	}
}

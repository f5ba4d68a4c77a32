// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"slices"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
)

const (
	// firstRetry is the wait before workers are asked again of which one did not answer; it doubles up to every. A pod
	// that starts is there within a second or two; one that is gone for good need not be asked all the time.
	firstRetry = time.Second
	// batch is how long an answer waits for others, so that a slow worker does not hold up what the quick ones said, and
	// 50 quick ones wake the reconciler once.
	batch = 100 * time.Millisecond
)

// keepPolling asks the workers until ctx ends.
func (w *watch) keepPolling(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		wait := jittered(every)
		answered, troubled := w.pollAll(ctx)
		if answered {
			retry = firstRetry
		} else {
			wait, retry = min(wait, retry), min(2*retry, every)
		}
		if troubled {
			wait = min(wait, jittered(troubledEvery))
		}
		if w.restFromPolling(ctx, wait) {
			retry = firstRetry
		}
	}
}

// restFromPolling waits until it is time to ask again, and tells whether somebody hinted at it.
func (w *watch) restFromPolling(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return false
	case <-w.poll:
	}
	timer.Reset(settling)
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	select { // the round that follows is for these hints, too
	case <-w.poll:
	default:
	}
	return true
}

// answer is what came of asking one pod.
type answer struct {
	pod    Pod
	at     time.Time
	status *worker.Status
	err    error
}

// pollAll asks every worker of the target once, and tells whether all answered, and whether any told of trouble.
func (w *watch) pollAll(ctx context.Context) (answered, troubled bool) {
	pods := w.current().Pods
	answers := make(chan answer, len(pods)) // for all, so that none of them waits for a reader
	for _, pod := range pods {
		go func() { answers <- w.ask(ctx, pod) }()
	}
	var (
		some  []answer
		flush <-chan time.Time
	)
	answered = true
	for left := len(pods); left > 0; {
		select {
		case a := <-answers:
			left--
			answered = answered && a.err == nil
			troubled = troubled || inTrouble(a.status)
			some = append(some, a)
			if flush == nil {
				flush = time.After(batch)
			}
		case <-flush:
			w.take(ctx, some)
			some, flush = nil, nil
		}
	}
	w.take(ctx, some)
	return answered, troubled
}

// inTrouble tells that a worker says of something that it is not as it should be.
func inTrouble(status *worker.Status) bool {
	return status != nil && (!status.Ready || len(status.Warnings) > 0 ||
		slices.ContainsFunc(status.Partitions, func(p worker.PartitionStatus) bool {
			return p.Error != "" || p.Blocked != nil
		}))
}

// ask asks one worker when it may.
func (w *watch) ask(ctx context.Context, pod Pod) answer {
	select {
	case w.observer.polls <- struct{}{}:
		defer func() { <-w.observer.polls }()
	case <-ctx.Done():
		return answer{pod: pod, err: ctx.Err()}
	}
	status, err := w.observer.ask(ctx, pod.Address)
	return answer{pod: pod, at: time.Now(), status: status, err: err}
}

// take puts answers into the observation, except of pods that the target does not have any more.
func (w *watch) take(ctx context.Context, answers []answer) {
	if ctx.Err() != nil || len(answers) == 0 {
		return
	}
	w.change(always, func(o *Observation) {
		if o.Workers == nil {
			o.Workers = map[string]Worker{}
		}
		for _, a := range answers {
			if w.target.address(a.pod.Name) == a.pod.Address {
				o.Workers[a.pod.Name] = w.observer.tally.note(o.Workers[a.pod.Name], a)
			}
		}
	})
}

func always(Target) bool { return true }

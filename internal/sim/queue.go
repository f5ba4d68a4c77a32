// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sim

import "time"

// queue orders what is to happen: by time, then in the order it was asked for. A binary heap by hand: container/heap
// boxes every element, and this is the innermost loop of a run.
type queue struct {
	heap []happening
	last uint64
}

type happening struct {
	at    time.Duration
	order uint64
	run   func()
}

func (h happening) before(other happening) bool {
	return h.at < other.at || h.at == other.at && h.order < other.order
}

func (q *queue) len() int { return len(q.heap) }

// next is when the first thing happens; there must be one.
func (q *queue) next() time.Duration { return q.heap[0].at }

func (q *queue) push(at time.Duration, run func()) {
	q.last++
	q.heap = append(q.heap, happening{at: at, order: q.last, run: run})
	for i := len(q.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !q.heap[i].before(q.heap[parent]) {
			break
		}
		q.heap[i], q.heap[parent] = q.heap[parent], q.heap[i]
		i = parent
	}
}

func (q *queue) pop() (time.Duration, func()) {
	first, last := q.heap[0], len(q.heap)-1
	q.heap[0], q.heap[last] = q.heap[last], happening{}
	q.heap = q.heap[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.heap[child].before(q.heap[least]) {
				least = child
			}
		}
		if least == i {
			return first.at, first.run
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}

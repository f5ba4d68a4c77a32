// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// sum stands for a credential: what is remembered cannot be used.
type sum [sha256.Size]byte

// recent remembers the most recently used values, a bounded number of them. Safe for concurrent use.
type recent[V any] struct {
	most int

	mu    sync.Mutex
	order *list.List // of *remembered[V], the most recent first
	at    map[sum]*list.Element
}

type remembered[V any] struct {
	key   sum
	value V
}

func newRecent[V any](most int) *recent[V] {
	return &recent[V]{most: most, order: list.New(), at: make(map[sum]*list.Element)}
}

func (r *recent[V]) get(key sum) (value V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	element, ok := r.at[key]
	if !ok {
		return value, false
	}
	r.order.MoveToFront(element)
	return element.Value.(*remembered[V]).value, true //nolint:forcetypeassert // nothing else is in the list
}

func (r *recent[V]) put(key sum, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(key)
	r.at[key] = r.order.PushFront(&remembered[V]{key, value})
	if last := r.order.Back(); r.order.Len() > r.most {
		r.remove(last.Value.(*remembered[V]).key) //nolint:forcetypeassert // as above
	}
}

func (r *recent[V]) forget(key sum) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(key)
}

// remove is forget for who holds mu.
func (r *recent[V]) remove(key sum) {
	if element, ok := r.at[key]; ok {
		r.order.Remove(element)
		delete(r.at, key)
	}
}

func (r *recent[V]) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.Len()
}

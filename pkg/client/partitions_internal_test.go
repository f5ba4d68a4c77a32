// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"sync/atomic"
	"testing"
	"time"
)

// Of readings at the same time the registry tells the last to ask alone; whichever of them is kept must not stand on.
func TestNoReadingOfATopicStandsOnceItChanged(t *testing.T) {
	d := newDirectory(nil, nil, Config{})
	news := d.newsOf("orders")
	first := &topicRead{at: time.Now(), news: d.newsOf("orders"), seen: news.Load()}
	second := &topicRead{at: time.Now(), news: d.newsOf("orders"), seen: news.Load()}
	other := &topicRead{at: time.Now(), news: d.newsOf("refunds"), seen: 0}
	if !first.stands(nil) || !second.stands(nil) {
		t.Error("what has not changed does not stand")
	}
	news.Add(1)
	if first.stands(nil) || second.stands(nil) {
		t.Error("what has changed stands")
	}
	if !other.stands(nil) {
		t.Error("another topic's news counts")
	}
	stale := &topicRead{at: time.Now().Add(-directoryResync), news: new(atomic.Uint64)}
	if stale.stands(nil) {
		t.Error("it stands for ever")
	}
}

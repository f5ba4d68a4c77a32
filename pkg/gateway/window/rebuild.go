// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"slices"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// LoadMessage takes a message of the topic: one that was written with an Idempotency-Key within the window is known
// from now on. full says that there is no memory for it: then the window knows less than it should, and whoever
// rebuilds it must not let anybody rely on it.
func (w *Window) LoadMessage(message *kafka.Message) (found, full bool) {
	for _, header := range slices.Backward(message.Headers) { // the gateway's own comes last
		if header.Key != HeaderName {
			continue
		}
		id, at, ok := ParseHeader(string(header.Value))
		if !ok || at.Before(w.Since()) {
			break
		}
		taken := w.Load(id, Outcome{
			State: Written, Partition: message.Partition.ID, Offset: message.Offset, Timestamp: message.Timestamp,
		})
		return true, !taken
	}
	return false, false
}

// Since is when the oldest message was begun that a window that is rebuilt now has to know.
func (w *Window) Since() time.Time { return w.now().Add(-w.length - w.slack) }

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import "time"

const (
	// A kubelet's: the second restart waits 10 s, and each further one twice as long, up to 5 min.
	defaultBackoff    = 10 * time.Second
	defaultMaxBackoff = 5 * time.Minute
	// forgiveAfter times the longest wait is how long a container has to run for earlier ends to be forgotten.
	forgiveAfter = 2
)

// backoff is how long a container that ended waits before it is started again.
type backoff struct{ base, most, next time.Duration }

// after gives the wait for a container that ended after running so long: none at first.
func (b *backoff) after(ran time.Duration) time.Duration {
	if ran >= forgiveAfter*b.most {
		b.next = 0
	}
	wait := b.next
	b.next = min(max(2*b.next, b.base), b.most)
	return wait
}

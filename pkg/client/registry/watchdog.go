// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"time"

	"github.com/go-zookeeper/zk"
)

// checksPerTimeout is how often in a session's timeout the client asks something to see whether it is answered.
const checksPerTimeout = 3

// watchOver replaces a connection that does not answer. The library's pings prove that bytes come and go; whether
// requests are answered only a request shows. After a timeout without an answer the connection is hung up, which
// keeps the session; after another one the session is given up, as the server would have done long ago.
func (c *Client) watchOver(ctx context.Context, l *link) {
	answered, hungUp := time.Now(), false
	for {
		now, _ := l.look()
		if l.pause(ctx, now.timeout/checksPerTimeout) != nil || ctx.Err() != nil {
			return
		}
		now, _ = l.look()
		switch {
		case !now.up && time.Since(now.alive) > 2*now.timeout+maxPause+maxAttempt:
			// Even a library that only fails to connect tries now and then.
			l.end(errWedged)
		case !now.up:
			answered = time.Now()
		case c.answers(ctx, l, now.timeout/checksPerTimeout):
			answered, hungUp = time.Now(), false
		case time.Since(answered) < now.timeout:
		case hungUp:
			l.end(errWedged)
		default:
			l.hangUp()
			answered, hungUp = time.Now(), true
		}
	}
}

// answers tells whether the server answers at all; what, does not matter.
func (c *Client) answers(ctx context.Context, l *link, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := call(ctx, l, func(conn *zk.Conn) (node, error) { return get(conn, l.full("/")) })
	return err == nil || classify(err) != Unavailable
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"fmt"
	"strings"
	"sync"
)

const (
	// hold opens connections that stay, as many as are missing, and posts a message on each; leave closes them.
	hold  kind = "hold"
	leave kind = "leave"
	// burst posts one message on each of many connections, all at once.
	burst kind = "burst"
)

// postsAtOnce is how many of a crowd post at a time: the others wait, as callers do who have nothing to say.
const postsAtOnce = 64

// crowd is many connections.
type crowd struct {
	connections []*connection
	// Statuses counts the answers, Cut the connections that ended before theirs.
	Statuses map[int]int
	Cut      int
	Err      string
}

// do carries an order out.
func (c *crowd) do(o order) (err error) {
	c.Statuses, c.Cut, c.Err = map[int]int{}, 0, ""
	atOnce := postsAtOnce
	switch o.Kind {
	case leave:
		c.close()
		return nil
	case burst:
		atOnce = o.Connections
		defer c.close()
	case hold, single, lines, frames:
	}
	for len(c.connections) < o.Connections {
		one, err := dial(o.Address)
		if err != nil {
			return err
		}
		c.connections = append(c.connections, one)
	}
	c.post(request(o), atOnce)
	return nil
}

func (c *crowd) close() {
	for _, one := range c.connections {
		_ = one.Close() // nothing is on its way
	}
	c.connections = nil
}

// post posts the same on every connection.
func (c *crowd) post(request []byte, atOnce int) {
	var all sync.WaitGroup
	var mu sync.Mutex
	next := make(chan *connection)
	for range atOnce {
		all.Go(func() {
			for one := range next {
				status, err := one.insist(request)
				mu.Lock()
				if err != nil {
					c.Cut++
				} else {
					c.Statuses[status]++
				}
				mu.Unlock()
			}
		})
	}
	for _, one := range c.connections {
		next <- one
	}
	close(next)
	all.Wait()
}

// insist sends a request and reads the answer, which may come before all is sent.
func (c *connection) insist(request []byte) (status int, err error) {
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.Write(request) // the answer says what became of it
	}()
	status, err = c.answer()
	if err != nil || status >= 400 {
		_ = c.Close() // nobody reads the rest
	}
	<-sent
	return status, err
}

func request(o order) []byte {
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: gateway\r\n%sContent-Length: %d\r\n\r\n%s",
		authorization(o.Token), o.Size, text(o.Size))
}

// String says what the answers were.
func (c *crowd) String() string {
	var parts []string
	for _, status := range []int{200, 201, 202, 408, 413, 429, 500, 503, 504} {
		if n := c.Statuses[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d x %d", n, status))
		}
	}
	if c.Cut > 0 {
		parts = append(parts, fmt.Sprintf("%d cut off", c.Cut))
	}
	return strings.Join(parts, ", ")
}

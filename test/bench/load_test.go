// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// order is what those who publish are told to do: with so many connections, so many messages of so many bytes.
type order struct {
	Address, Token string
	Kind           kind
	Connections    int
	Size           int
	Warm, Window   time.Duration
}

// kind is how messages are published.
type kind string

const (
	// single: a request for each, and the next when that is answered.
	single kind = "single"
	// lines and frames: streams without end.
	lines  kind = "lines"
	frames kind = "frames"
)

// outcome is how many messages were published in a window, after the warm-up.
type outcome struct {
	Messages int64
	Seconds  float64
}

// farewell is what those who published say when all is answered, which for streams is a while after the window.
type farewell struct {
	// Median and P99 are how long single messages took.
	Median, P99 time.Duration
	Err         string
}

// publish publishes as its input says. For each order it answers thrice: with true when the warm-up is over, with the
// outcome when the window is, and with a farewell; with false and a farewell if there is nobody to publish to. What a
// crowd is to do, it answers once.
func publish(in io.Reader, out io.Writer) error {
	orders, answers := json.NewDecoder(in), json.NewEncoder(out)
	all := new(crowd)
	defer all.close()
	for {
		var o order
		if err := orders.Decode(&o); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("order: %w", err)
		}
		var last any = all
		switch o.Kind {
		case hold, leave, burst:
			if err := all.do(o); err != nil {
				all.Err = err.Error()
			}
		case single, lines, frames:
			last = carryOut(o, answers)
		}
		if err := answers.Encode(last); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}

func carryOut(o order, answers *json.Encoder) farewell {
	l, err := newLoad(o)
	if err != nil {
		_ = answers.Encode(false) // whoever does not read it misses the farewell too
		return farewell{Err: err.Error()}
	}
	defer l.close()
	if err := l.run(answers); err != nil {
		return farewell{Err: err.Error()}
	}
	return l.farewell()
}

// load is an order being carried out.
type load struct {
	order

	connections []*connection
	// counting says that what is answered counts, over that the time is.
	counting, over atomic.Bool
	messages       atomic.Int64
}

func newLoad(o order) (*load, error) {
	l := &load{order: o, connections: make([]*connection, o.Connections)}
	for i := range l.connections {
		c, err := dial(o.Address)
		if err != nil {
			l.close()
			return nil, err
		}
		l.connections[i] = c
	}
	return l, nil
}

func (l *load) close() {
	for _, c := range l.connections {
		if c != nil {
			_ = c.Close() // nothing is on its way
		}
	}
}

// run publishes for the warm-up and for the window.
func (l *load) run(answers *json.Encoder) error {
	work := l.singles
	if l.Kind != single {
		work = l.stream
	}
	errs := make([]error, len(l.connections))
	var all sync.WaitGroup
	for i, c := range l.connections {
		all.Go(func() { errs[i] = work(c) })
	}
	<-time.After(l.Warm)
	err := answers.Encode(true)
	from := time.Now()
	l.counting.Store(true)
	<-time.After(l.Window)
	l.counting.Store(false)
	err = errors.Join(err, answers.Encode(outcome{l.messages.Load(), time.Since(from).Seconds()}))
	l.over.Store(true)
	all.Wait()
	return errors.Join(err, errors.Join(errs...))
}

// singles posts one message after the other.
func (l *load) singles(c *connection) error {
	request := request(l.order)
	for !l.over.Load() {
		begin := time.Now()
		status, err := c.ask(request)
		if err != nil {
			return err
		}
		if status != 201 {
			return fmt.Errorf("a message was answered with %d", status)
		}
		if l.counting.Load() {
			c.took = append(c.took, time.Since(begin))
			l.messages.Add(1)
		}
	}
	return nil
}

func (l *load) farewell() (f farewell) {
	var took []time.Duration
	for _, c := range l.connections {
		took = append(took, c.took...)
	}
	if len(took) > 0 {
		slices.Sort(took)
		f.Median, f.P99 = took[len(took)/2], took[len(took)*99/100]
	}
	return f
}

// writtenAtOnce is how much of a stream is written at a time.
const writtenAtOnce = 64 << 10

// stream posts messages as fast as they are taken.
func (l *load) stream(c *connection) error {
	message, mediaType := message(l.Kind, l.Size)
	many := max(writtenAtOnce/len(message), 1)
	chunk := fmt.Appendf(nil, "%x\r\n%s\r\n", many*len(message), bytes.Repeat(message, many))
	sent := make(chan error, 1)
	chunks := 0
	go func() {
		_, err := fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: gateway\r\n%sContent-Type: %s\r\n"+
			"Transfer-Encoding: chunked\r\n\r\n", authorization(l.Token), mediaType)
		for ; err == nil && !l.over.Load(); chunks++ {
			_, err = c.Write(chunk)
		}
		if err == nil {
			_, err = io.WriteString(c, "0\r\n\r\n")
		}
		sent <- err
	}()
	taken, err := c.results(func(n int) {
		if l.counting.Load() {
			l.messages.Add(int64(n))
		}
	})
	if err != nil {
		_ = c.Close() // or whoever writes would wait
		return errors.Join(err, <-sent)
	}
	if err := <-sent; err != nil {
		return fmt.Errorf("stream, of which %d of %d messages were taken: %w", taken, chunks*many, err)
	}
	if taken != chunks*many {
		return fmt.Errorf("of a stream of %d messages %d were taken", chunks*many, taken)
	}
	return nil
}

// message is one of a stream, as it is written, and the stream's media type.
func message(k kind, size int) (message []byte, mediaType string) {
	if k == frames {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), text(size)...), "application/vnd.samsa.frames"
	}
	return []byte(`{"value":"` + text(size) + "\"}\n"), "application/x-ndjson"
}

// text is a value.
func text(size int) string { return strings.Repeat("0123456789abcdef", size/16+1)[:size] }

func authorization(token string) string {
	if token == "" {
		return ""
	}
	return "Authorization: Bearer " + token + "\r\n"
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// errTimeout is the cause of a context that ended because a message took too long.
var errTimeout = errors.New("timeout")

// attempt holds what a request is made of, so that the next request of the partition can be made of it again. net/http
// may go on using a request after it has answered (its writer may still be sending), so an attempt is used again only
// if it is not tainted.
type attempt struct {
	// outer is the context that request's was made of: both are the same from one message to the next.
	outer   context.Context //nolint:containedctx // kept from one message to the next, see bind
	request *http.Request
	cancel  context.CancelCauseFunc

	header http.Header
	// lines backs the values of header: one string each.
	lines []string
	// text and fields are where the encoder gathers values before they become one string.
	text   []byte
	fields []field

	value []byte
	// body reads reader. It is of a type that net/http knows to be in memory, so it goes out with the headers, in one
	// write.
	body    io.ReadCloser
	reader  bytes.Reader
	rewind  func() (io.ReadCloser, error)
	rewound bool
	timer   *time.Timer
	fired   bool
	scratch [512]byte

	gotConn      func(httptrace.GotConnInfo)
	wroteRequest func(httptrace.WroteRequestInfo)
	// connected is set once a request has a connection: from then on some of it may have reached the server.
	connected atomic.Bool
	// wrote is set once net/http will read no more of the request: it may answer before that.
	wrote atomic.Bool
}

// field is a header whose value is text[from:to] of an attempt.
type field struct {
	name     string
	from, to int
}

func newAttempt() *attempt {
	a := &attempt{header: make(http.Header, 32), lines: make([]string, 0, 32), cancel: func(error) {}}
	a.body = io.NopCloser(&a.reader)
	a.gotConn = func(httptrace.GotConnInfo) { a.connected.Store(true) }
	a.wroteRequest = func(httptrace.WroteRequestInfo) { a.wrote.Store(true) }
	a.rewind = func() (io.ReadCloser, error) {
		a.rewound = true
		return io.NopCloser(bytes.NewReader(a.value)), nil
	}
	a.timer = time.AfterFunc(math.MaxInt64, func() { a.cancel(errTimeout) })
	a.timer.Stop()
	return a
}

// bind makes the request that belongs to a context, unless there is one already: contexts are the dearest part of a
// request, and the pump's is the same for all messages as long as its lease holds.
func (a *attempt) bind(ctx context.Context, template *http.Request) {
	if ctx == a.outer {
		return
	}
	a.release()
	a.outer = ctx
	trace := &httptrace.ClientTrace{GotConn: a.gotConn, WroteRequest: a.wroteRequest}
	ctx, a.cancel = context.WithCancelCause(httptrace.WithClientTrace(ctx, trace))
	a.request = template.WithContext(ctx)
	a.request.Header = a.header
}

// release gives back what the context holds.
func (a *attempt) release() { a.cancel(nil) }

// begin prepares for one message, which has timeout to be answered.
func (a *attempt) begin(timeout time.Duration) {
	clear(a.header)
	clear(a.lines)
	a.lines, a.text, a.fields = a.lines[:0], a.text[:0], a.fields[:0]
	a.connected.Store(false)
	a.wrote.Store(false)
	a.timer.Reset(timeout)
}

// end stops the clock.
func (a *attempt) end() {
	if !a.timer.Stop() {
		a.fired = true
	}
	a.value = nil
}

// tainted reports whether net/http or the timer may still use the attempt.
func (a *attempt) tainted() bool { return a.fired || a.rewound || !a.wrote.Load() }

// fill makes the request send value with the headers gathered so far. The value is not copied.
func (a *attempt) fill(value []byte) *http.Request {
	a.value = value
	if len(value) == 0 { // a reader that turns out to be empty would make net/http send it in chunks
		a.request.Body, a.request.GetBody, a.request.ContentLength = http.NoBody, nil, 0
		return a.request
	}
	a.reader.Reset(value)
	a.request.Body, a.request.GetBody, a.request.ContentLength = a.body, a.rewind, int64(len(value))
	return a.request
}

// finish reads what little the answer may still have to say, so that its connection can be used again.
func (a *attempt) finish(answer *http.Response, limit int64) {
	defer answer.Body.Close()
	if answer.Body == http.NoBody || answer.ContentLength > limit {
		return
	}
	if !a.timer.Reset(answerPatience) {
		a.fired = true
	}
	for read := int64(0); read <= limit; {
		n, err := answer.Body.Read(a.scratch[:])
		read += int64(n)
		if err != nil {
			return
		}
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// Handler answers requests that publish to one topic. Safe for concurrent use.
type Handler struct {
	config Config
	// document is what /openapi.json answers.
	document []byte
	// held counts bodies and what is read of streams; streaming what of streams is underway to the producer, again.
	held, streaming held
	// waiters are used again by single messages: a channel, a timer and a closure each.
	waiters sync.Pool
	// slots are used again by the messages of streams.
	slots  sync.Pool
	blocks blocks
	// drained is closed by Drain, and ends the reading of streams.
	drained  context.Context //nolint:containedctx // an event, which streams wait for
	drain    context.CancelFunc
	draining atomic.Bool
}

// New makes a Handler.
func New(config Config) (*Handler, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	h := &Handler{
		config: config, document: describe(config.Topic, config.Security), held: held{most: config.MaxHeldBytes},
		streaming: held{most: min(streamBytes, config.MaxHeldBytes/2)},
	}
	h.drained, h.drain = context.WithCancel(context.Background())
	h.waiters.New = func() any { return newWaiter() }
	h.slots.New = func() any { return newSlot() }
	return h, nil
}

// Drain makes /readyz fail and refuses new requests, with 503 and the end of their connection. What is underway is
// finished: streams are not read on, and end with a line that says so. Call http.Server.Shutdown then, which waits.
func (h *Handler) Drain() {
	h.draining.Store(true)
	h.drain()
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{h: h, w: w, r: r, began: h.config.Now()}
	x.route = routeOf(r)
	x.serve() //nolint:contextcheck // the request has it
	if h.config.Observe != nil {
		h.config.Observe(Observation{
			Route: x.route.pattern, Status: x.status, Messages: x.messages, Written: x.written, Bytes: x.bytes,
			Elapsed: h.config.Now().Sub(x.began),
		})
	}
}

// serve finds out what is asked for, in the order in which it costs.
func (x *exchange) serve() {
	switch {
	case x.route.pattern == "":
		x.refuse(problem{status: http.StatusNotFound, kind: "no-path", title: "No such path",
			detail: "post messages to / or /topics/" + x.h.config.Topic + "; GET /openapi.json tells more"})
	case x.route.read != (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead) ||
		!x.route.read && x.r.Method != http.MethodPost:
		x.refuse(problem{status: http.StatusMethodNotAllowed, kind: "method", title: "Method not allowed",
			detail: "this path takes " + x.route.allow(), allow: x.route.allow()})
	case x.route.read:
		x.serveRead()
	case x.h.draining.Load():
		x.refuse(draining())
	default:
		x.servePost()
	}
}

func draining() problem {
	return problem{status: http.StatusServiceUnavailable, kind: "draining", title: "Going away",
		detail: "this replica of the gateway ends: send it again, to another", retryAfter: retryBusy, hangUp: true}
}

// servePost lets the caller in, and reads only then.
func (x *exchange) servePost() {
	extendWriting(x.w, x.h.config)
	who, err := x.h.config.Verifier.Verify(x.r.Context(), x.r)
	if err != nil {
		x.refuse(ofCaller(err))
		return
	}
	x.caller = who
	if x.pass, err = x.h.config.Limiter.Admit(who); err != nil {
		x.refuse(ofCaller(err))
		return
	}
	defer x.pass.Done()
	if x.route.topic != "" && x.route.topic != x.h.config.Topic {
		x.refuse(problem{status: http.StatusNotFound, kind: "other-topic", title: "No such topic",
			detail: "this binding publishes to " + x.h.config.Topic + " alone"})
		return
	}
	if err := x.idempotencyKey(); err != nil {
		x.refuse(explain(err))
		return
	}
	if x.route.topic != "" {
		x.postRecords()
		return
	}
	x.postMessage()
}

// extendWriting moves the deadline of writing where the request may take longer than the server allows.
func extendWriting(w http.ResponseWriter, config Config) {
	if config.RequestTimeout > serverRequestTimeout {
		deadline := config.Now().Add(ReadTimeout + config.RequestTimeout + writeSlack)
		_ = http.NewResponseController(w).SetWriteDeadline(deadline) // a writer without one needs no more time
	}
}

// writeStatus begins an answer.
func (x *exchange) writeStatus(status int, contentType []string) {
	x.status = status
	if contentType != nil {
		x.w.Header()["Content-Type"] = contentType
	}
	x.w.WriteHeader(status)
}

// refuse answers with a problem.
func (x *exchange) refuse(p problem) {
	body := p.appendMembers(append(make([]byte, 0, 512), '{'))
	if x.route.topic != "" {
		body = appendTheirs(body, &p)
	}
	p.setHeaders(x.w.Header())
	x.writeStatus(p.status, typeProblem)
	x.write(append(body, '}'))
}

// write sends what belongs to an answer; HEAD gets none.
func (x *exchange) write(body []byte) {
	_, _ = x.w.Write(body) // whoever does not listen any more learns nothing
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	callers    = 200
	batchSize  = 20
	streamSize = 50
	// patience is longer than a gateway may take for an answer.
	patience = 40 * time.Second
	// askedAgain is of how many messages with an Idempotency-Key one is sent again though it was taken.
	askedAgain = 10
	// soon is when something is tried again of which nobody said when.
	soon = 500 * time.Millisecond
)

// kindOf shares the callers out: of ten 3 single, 2 keyed, 2 sure, 1 each of the others.
func kindOf(caller int) kind {
	return [...]kind{single, keyed, sure, batched, single, keyed, sureBatched, single, sure, streamed}[caller/2%10]
}

// target is a gateway as callers see it.
type target struct {
	address string
	// leaving says that it was asked to leave and has not come back.
	leaving atomic.Bool
}

// caller publishes its messages one request after the other.
type caller struct {
	page    *page
	names   *names
	total   int
	targets []*target
	pace    *pace
	gaps    *gaps
	client  *http.Client
	// gone is the gateway that could not be reached with the last attempt.
	gone *target
	// strict says that brokers recognize what is repeated, so that it is where it was.
	strict bool
}

func newCaller(id, total int, s *stage) *caller {
	page := &page{caller: id, kind: kindOf(id)}
	s.books.pages = append(s.books.pages, page)
	return &caller{
		page: page, names: s.books.names, total: total, targets: s.targets, pace: s.pace, gaps: s.gaps,
		strict: s.servers.era().once,
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 1}},
	}
}

// run publishes everything.
func (c *caller) run(ctx context.Context) error {
	defer c.client.CloseIdleConnections()
	size, send := 1, c.sendOne
	switch c.page.kind {
	case batched, sureBatched:
		size, send = batchSize, c.sendBatch
	case streamed:
		size, send = streamSize, c.sendStream
	case single, keyed, sure, kinds:
	}
	for begin := 0; begin < c.total; begin += size {
		n := min(size, c.total-begin)
		if err := c.pace.begin(ctx, n); err != nil {
			return err
		}
		open := make([]*attempt, n)
		for i := range open {
			open[i] = &attempt{seq: int32(begin + i)} //nolint:gosec // thousands
		}
		if err := c.publish(ctx, open, send); err != nil {
			return err
		}
	}
	return nil
}

// sent is what a request was answered as a whole.
type sent struct {
	// retryAfter is when to come back, 0 if nobody said.
	retryAfter time.Duration
}

// publish sends messages until each is decided: taken, or, without an Idempotency-Key, unknown.
func (c *caller) publish(
	ctx context.Context, open []*attempt, send func(context.Context, []*attempt) (sent, error),
) error {
	whole := open
	places := make(map[int32]attempt)
	for {
		answered, err := send(ctx, open)
		if err != nil {
			return err
		}
		var again []*attempt
		for _, a := range open {
			c.note(a, places)
			before, known := places[a.seq]
			first := !known || before.answer != taken
			if a.answer == refused || a.answer == unknown && c.page.kind.repeats() {
				again = append(again, a)
				continue
			}
			if first {
				c.pace.decided.Add(1)
				places[a.seq] = *a
			}
			if first && c.page.kind == sure && a.seq%askedAgain == 0 {
				again = append(again, a)
			}
		}
		if len(again) == 0 {
			return nil
		}
		if c.page.kind == sureBatched { // as a whole: what was taken must have the same answer
			again = whole
		}
		for _, a := range again {
			*a = attempt{seq: a.seq, try: a.try + 1}
		}
		open = again
		wait := max(soon, answered.retryAfter)
		if c.gone != nil { // the other is asked at once
			wait = time.Millisecond
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// note writes an attempt down. What was taken before must be where it was.
func (c *caller) note(a *attempt, places map[int32]attempt) {
	c.page.attempts = append(c.page.attempts, *a)
	before, again := places[a.seq]
	again = again && before.answer == taken
	switch a.answer {
	case taken:
		c.pace.taken.Add(1)
		if k := c.page.kind; k == single || k == batched || k == streamed {
			c.gaps.note()
		}
		if again && c.strict && (a.at != before.at || a.offset != before.offset) {
			c.page.complain("message %d was at %s/%d, and is at %s/%d when it is sent again",
				a.seq, c.names.of(before.at), before.offset, c.names.of(a.at), a.offset)
		}
	case refused:
		c.pace.refused.Add(1)
		c.pace.failed.Add(1)
	case unknown:
		c.pace.unknown.Add(1)
		c.pace.failed.Add(1)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// request is what is posted to one of the gateways.
type request struct {
	path, body  string
	contentType string
	header      map[string]string
}

// response is what came of it; status 0 says that there was no whole answer.
type response struct {
	status int
	header http.Header
	body   []byte
	// partial says that the connection broke in the midst of the answer, unsent that the request never left, cut that a
	// gateway broke it that had been asked to leave.
	partial, unsent, cut bool
}

// post sends a request to either gateway.
func (c *caller) post(ctx context.Context, r request) (response, error) {
	to := c.targets[rand.IntN(len(c.targets))] //nolint:gosec // either will do
	if to == c.gone {                          // by a Service nobody would come there, either
		to = c.targets[1-slices.Index(c.targets, to)]
	}
	c.gone = nil
	made, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.address+r.path, strings.NewReader(r.body))
	if err != nil {
		return response{}, err
	}
	made.Header.Set("Content-Type", r.contentType)
	for name, value := range r.header {
		made.Header.Set(name, value)
	}
	got, err := c.client.Do(made) //nolint:bodyclose // readBody does
	if ctx.Err() != nil {
		return response{}, context.Cause(ctx)
	}
	if err != nil {
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			c.gone = to
			return response{unsent: true}, nil
		}
		return response{cut: to.leaving.Load()}, nil
	}
	body, err := readBody(got.Body)
	if ctx.Err() != nil {
		return response{}, context.Cause(ctx)
	}
	return response{
		status: got.StatusCode, header: got.Header, body: body, partial: err != nil, cut: err != nil && to.leaving.Load(),
	}, nil
}

// judgeStatus is what a status says of a message. Callers here send nothing that is wrong, so there are few.
func (c *caller) judgeStatus(status int, outcome string) answer {
	switch status {
	case http.StatusCreated:
		return taken
	case http.StatusGatewayTimeout:
		if outcome != "unknown" {
			c.page.complain("504 with outcome %q", outcome)
		}
		return unknown
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if outcome != "refused" {
			c.page.complain("%d with outcome %q", status, outcome)
		}
		return refused
	}
	c.page.complain("unexpected status %d, outcome %q", status, outcome)
	if status >= http.StatusBadRequest {
		return refused
	}
	return unknown
}

// result is what is said of one message: all that there is in the several forms of it.
type result struct {
	Status    int             `json:"status"`
	ErrorCode int             `json:"error_code"` //nolint:tagliatelle // REST Proxy's
	Outcome   string          `json:"outcome"`
	Partition json.RawMessage `json:"partition"`
	Offset    *int64          `json:"offset"`
}

// settle fills an attempt in.
func (c *caller) settle(a *attempt, r result) {
	status := r.Status
	if status == 0 {
		status = r.ErrorCode
	}
	if status == 0 {
		status = http.StatusCreated // of a batch, where what was taken has no status of its own
	}
	a.status, a.answer, a.offset = uint16(status), c.judgeStatus(status, r.Outcome), -1 //nolint:gosec // three digits
	if a.answer != taken {
		return
	}
	a.at = c.names.index(strings.Trim(string(r.Partition), `"`))
	if r.Offset != nil {
		a.offset = *r.Offset
	}
}

// settleAll gives all messages of a request the same answer.
func (c *caller) settleAll(open []*attempt, got response) {
	for _, a := range open {
		switch {
		case got.unsent:
			a.answer = refused
		case got.status == 0 || got.partial:
			a.answer, a.cut = unknown, got.cut
		default:
			var r result
			if err := json.Unmarshal(got.body, &r); err != nil {
				c.page.complain("%d with a body that is no JSON: %q", got.status, got.body)
			}
			r.Status = got.status
			c.settle(a, r)
		}
	}
}

func retryAfter(header http.Header) sent {
	seconds, _ := strconv.Atoi(header.Get("Retry-After")) // 0 where nobody said
	return sent{time.Duration(seconds) * time.Second}
}

// sendOne sends a message by itself.
func (c *caller) sendOne(ctx context.Context, open []*attempt) (sent, error) {
	a := open[0]
	r := request{
		path: "/", contentType: "application/octet-stream", body: c.page.identity(a).value(), header: map[string]string{},
	}
	if key := recordKey(c.page.caller, c.page.kind, a.seq); key != "" {
		r.header["Samsa-Key"] = key
	}
	if c.page.kind == sure {
		r.header["Idempotency-Key"] = fmt.Sprintf("message-%d-%d", c.page.caller, a.seq)
	}
	got, err := c.post(ctx, r)
	if err != nil {
		return sent{}, err
	}
	c.settleAll(open, got)
	return retryAfter(got.header), nil
}

// sendBatch sends messages as records of REST Proxy.
func (c *caller) sendBatch(ctx context.Context, open []*attempt) (sent, error) {
	var body strings.Builder
	for i, a := range open {
		fmt.Fprintf(&body, `%s{"value":%q}`, [...]string{`{"records":[`, ","}[min(i, 1)], c.page.identity(a).value())
	}
	body.WriteString("]}")
	r := request{
		path: "/topics/" + topic, contentType: "application/vnd.kafka.text.v2+json", body: body.String(),
		header: map[string]string{},
	}
	if c.page.kind == sureBatched {
		r.header["Idempotency-Key"] = fmt.Sprintf("batch-%d-%d", c.page.caller, open[0].seq)
	}
	got, err := c.post(ctx, r)
	if err != nil {
		return sent{}, err
	}
	var results struct {
		Offsets []result `json:"offsets"`
	}
	if whole := got.status != 0 && !got.partial; whole {
		_ = json.Unmarshal(got.body, &results) // an answer for all of them has no results
	}
	if results.Offsets == nil {
		c.settleAll(open, got)
		return retryAfter(got.header), nil
	}
	if len(results.Offsets) != len(open) {
		c.page.complain("%d results for %d messages", len(results.Offsets), len(open))
		c.settleAll(open, response{})
		return sent{}, nil
	}
	for i, a := range open {
		c.settle(a, results.Offsets[i])
	}
	return retryAfter(got.header), nil
}

// sendStream sends messages as lines. What has no line in an answer that is whole was not read.
func (c *caller) sendStream(ctx context.Context, open []*attempt) (sent, error) {
	var body strings.Builder
	for _, a := range open {
		fmt.Fprintf(&body, "{\"value\":%q}\n", c.page.identity(a).value())
	}
	got, err := c.post(ctx, request{path: "/", contentType: "application/x-ndjson", body: body.String()})
	if err != nil {
		return sent{}, err
	}
	if got.status == 0 || got.header.Get("Content-Type") != "application/x-ndjson" {
		c.settleAll(open, got)
		return retryAfter(got.header), nil
	}
	lines := bytes.SplitAfter(got.body, []byte("\n"))
	for i, a := range open {
		var r result
		switch {
		case i < len(lines) && bytes.HasSuffix(lines[i], []byte("\n")) && json.Unmarshal(lines[i], &r) == nil:
			c.settle(a, r)
		case got.partial:
			a.answer, a.cut = unknown, got.cut
		default:
			a.answer = refused
		}
	}
	return retryAfter(got.header), nil
}

// names gives short numbers to the names of partitions. Safe for concurrent use.
type names struct {
	mu  sync.RWMutex
	all []string
}

func (n *names) index(name string) uint8 {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, known := range n.all {
		if known == name {
			return uint8(i) //nolint:gosec // a handful
		}
	}
	n.all = append(n.all, name)
	return uint8(len(n.all) - 1) //nolint:gosec // a handful
}

func (n *names) of(index uint8) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.all[index]
}

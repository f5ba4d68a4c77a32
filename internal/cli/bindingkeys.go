// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// keyedAtOnce is how many messages with an Idempotency-Key are underway at a time: at 5 ms each, 3,000 a second, which
	// is above what a window of five minutes holds keys for.
	keyedAtOnce = 16
	// againAfter is when a message is sent again to whoever does not say when to come back.
	againAfter = time.Second
	// mostAfter is a day, in seconds: what is longer is all the same to a command, and fits into a time.Duration.
	mostAfter = 24 * 60 * 60
)

// errStopped is for messages behind one that failed.
var errStopped = errors.New("not sent, since one before it failed")

// each sends messages one by one, each with a key of its own, which says where among all messages it stands; so the
// same run again makes no second message. Those of one key go one after the other, and keep their order.
func (b *binding) each(ctx context.Context, messages []kafka.Message) []bindingResult {
	results := make([]bindingResult, len(messages))
	places := make(chan struct{}, keyedAtOnce)
	if b.key != nil {
		places = make(chan struct{}, 1)
	}
	var sending sync.WaitGroup
	var failed atomic.Bool
	for i := range messages {
		b.numbered++
		number := strconv.Itoa(b.numbered)
		places <- struct{}{}
		sending.Go(func() {
			defer func() { <-places }()
			if failed.Load() {
				results[i] = bindingResult{Outcome: outcomeRefused, Detail: errStopped.Error(), unsent: true}
				return
			}
			results[i] = b.insist(ctx, messages[i], b.idempotencyKey+"/"+number)
			if !results[i].acknowledged() {
				failed.Store(true)
			}
		})
	}
	sending.Wait()
	return results
}

// insist sends a message until its outcome is one that another try would not change, or ctx ends. After a try of which
// nothing is known, a refusal is only that of the next one.
func (b *binding) insist(ctx context.Context, message kafka.Message, key string) bindingResult {
	var doubt *bindingResult
	for {
		result, wait := b.one(ctx, message, key)
		if result.acknowledged() {
			return result
		}
		if !result.refused() && doubt == nil {
			doubt = &result
		}
		if wait == 0 || !b.sleep(ctx, wait) {
			if doubt != nil {
				return *doubt
			}
			return result
		}
	}
}

// sleep waits, but not if that were for longer than ctx lasts, or somebody wants the command to end.
func (b *binding) sleep(ctx context.Context, wait time.Duration) bool {
	if end, bounded := ctx.Deadline(); bounded && time.Until(end) < wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-b.ending:
		return false
	}
}

// one sends a message once. wait is when to send it again, 0 if that is no use.
func (b *binding) one(
	ctx context.Context, message kafka.Message, key string,
) (result bindingResult, wait time.Duration) {
	request, err := b.request(ctx, message.Value)
	if err != nil {
		return bindingResult{Outcome: outcomeRefused, Detail: err.Error()}, 0
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	request.Header.Set("Idempotency-Key", key)
	response, err := b.client.Do(request)
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" { // nothing was sent
		return bindingResult{Outcome: outcomeRefused, Title: err.Error()}, againAfter
	}
	if err != nil {
		return bindingResult{Outcome: outcomeUnknown, Detail: secure.Explain(err).Error()}, againAfter
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		result = problemOf(response)
		return result, result.wait()
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	if err != nil {
		return bindingResult{Outcome: outcomeUnknown, Detail: err.Error()}, againAfter
	}
	if err := json.Unmarshal(body, &result); err != nil || result.Topic == "" {
		return bindingResult{Outcome: outcomeUnknown, Detail: noGateway}, 0
	}
	result.Status = response.StatusCode
	return result, 0
}

// wait says when it is worth another try, 0 if it is not.
func (r bindingResult) wait() time.Duration {
	switch r.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if r.RetryAfter < 1 {
			return againAfter
		}
		return time.Duration(min(r.RetryAfter, mostAfter)) * time.Second
	}
	return 0
}

// request makes one with what all have: the token, and the messages' key.
func (b *binding) request(ctx context.Context, body []byte) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return request, b.sign(request)
}

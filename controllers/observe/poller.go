// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/samsa-dev/samsa/internal/worker"
)

const (
	// pollTimeout bounds one question: a worker answers from memory, in a millisecond, so one that takes 2 s is not well.
	pollTimeout = 2 * time.Second
	// maxAnswer bounds an answer: a partition takes about 500 bytes of it, so this is 2000 partitions for one worker.
	maxAnswer = 1 << 20
	// idleFor keeps a connection from one round to the next (10 s), not for longer: pods go.
	idleFor = 15 * time.Second
)

// poller asks workers over HTTP.
type poller struct{ client *http.Client }

func newPoller() *poller {
	transport := &http.Transport{
		// Pods are spoken to directly: a proxy of the operator's environment is none for addresses of pods.
		Proxy:                  nil,
		DialContext:            (&net.Dialer{Timeout: pollTimeout}).DialContext,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        idleFor,
		MaxResponseHeaderBytes: 16 << 10, // a worker sends three headers
		DisableCompression:     true,     // the bound on the answer is one on what it takes in memory
	}
	return &poller{client: &http.Client{
		Transport: transport,
		// What redirects is no worker, and might make the operator ask somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p *poller) close() { p.client.CloseIdleConnections() }

// ask gets the status of the worker at an address. The error's text is stable: without ports of our own, and times.
func (p *poller) ask(ctx context.Context, address string) (*worker.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	target := url.URL{Scheme: "http", Host: address, Path: "/v1/status"}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("the worker's address %q cannot be asked: %w", address, err)
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the worker at %s does not answer: %s", address, stable(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the worker at %s answers with HTTP status %d", address, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the worker at %s does not finish its answer: %s", address, stable(err))
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the worker at %s answers with more than %d bytes", address, maxAnswer)
	}
	return decode(address, body)
}

// decode looks at the version before it takes anything else for what it seems.
func decode(address string, body []byte) (*worker.Status, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return nil, fmt.Errorf("what is at %s does not answer as a worker does: no JSON", address)
	}
	if head.Version != worker.StatusVersion {
		return nil, fmt.Errorf("the worker at %s speaks version %d of the status, this operator version %d: "+
			"bring both to one release", address, head.Version, worker.StatusVersion)
	}
	status := new(worker.Status)
	if err := json.Unmarshal(body, status); err != nil {
		return nil, fmt.Errorf("the answer of the worker at %s cannot be understood: %w", address, err)
	}
	return status, nil
}

// stable is the cause of a network's error without what differs each time, such as the port that was ours.
func stable(err error) string {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Sprintf("nothing came within %v", pollTimeout)
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Err.Error()
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err.Error()
	}
	return err.Error()
}

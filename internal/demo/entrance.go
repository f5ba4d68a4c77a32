// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// mostAnswer bounds a line of an answer: a problem in words.
const mostAnswer = 64 << 10

// result is what became of a message. It is acknowledged, at a place; or refused, which is certain; or neither.
type result struct {
	acknowledged, refused bool
	// later says that the same may be taken if it is sent again.
	later     bool
	partition kafka.Partition
	// offset is below 0 where the broker does not tell.
	offset int64
	why    string
}

// entrance is the samples' ProducerBinding: messages enter by HTTP, as applications in the cluster publish.
type entrance struct {
	url, token string
	client     *http.Client
}

// newEntrance comes to the binding by the proxy that knows its Service.
func newEntrance(target, token, proxy string) *entrance {
	return &entrance{url: target, token: token, client: &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}), MaxIdleConnsPerHost: streams,
	}}}
}

func (e *entrance) close() { e.client.CloseIdleConnections() }

// publish sends values in one stream, and gives a result for each. The error is only that of ctx.
func (e *entrance) publish(ctx context.Context, values [][]byte) ([]result, error) {
	var body []byte
	for _, value := range values {
		body = binary.BigEndian.AppendUint32(body, uint32(len(value))) //nolint:gosec // at most maxLine
		body = append(body, value...)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/vnd.samsa.frames")
	request.Header.Set("Authorization", "Bearer "+e.token)
	answer, err := e.client.Do(request)
	if err != nil {
		dial, ok := errors.AsType[*net.OpError](err)
		refused := ok && (dial.Op == "dial" || dial.Op == "proxyconnect") // nothing was sent
		return all(result{refused: refused, later: refused, why: err.Error()}, len(values)), ctx.Err()
	}
	defer answer.Body.Close()
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/x-ndjson") {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, mostAnswer)) // what is there tells more than an error
		told := told{Status: answer.StatusCode, Title: answer.Status}
		_ = json.Unmarshal(text, &told) // what is no problem leaves the status
		return all(told.result(), len(values)), nil
	}
	return read(answer.Body, len(values)), ctx.Err()
}

func all(r result, count int) []result {
	list := make([]result, count)
	for i := range list {
		list[i] = r
	}
	return list
}

// read takes a line for each message. Of those without a line nothing is known.
func read(body io.Reader, count int) []result {
	list := all(result{why: "the answer ended before its line"}, count)
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, mostAnswer)
	for i := 0; i < count && lines.Scan(); i++ {
		var one told
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			list[i].why = err.Error()
			break
		}
		list[i] = one.result()
	}
	return list
}

// told is what the gateway says of a message.
type told struct {
	Status    int    `json:"status"`
	Partition string `json:"partition"`
	Offset    *int64 `json:"offset"`
	Outcome   string `json:"outcome"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
}

func (t told) result() result {
	r := result{
		acknowledged: t.Status == http.StatusCreated && t.Partition != "",
		refused:      t.Outcome == "refused",
		later:        t.Status == http.StatusTooManyRequests || t.Status == http.StatusServiceUnavailable,
		partition:    kafka.Partition{Topic: lines, ID: t.Partition}, offset: -1,
		why: fmt.Sprintf("%d %s: %s", t.Status, t.Title, t.Detail),
	}
	if t.Offset != nil {
		r.offset = *t.Offset
	}
	return r
}

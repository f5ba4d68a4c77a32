// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// binding is a ProducerBinding that messages are sent to, in place of brokers.
type binding struct {
	url, tokenFile, caFile string
	// idempotencyKey is what the keys of all messages begin with; empty: they have none. numbered counts them.
	idempotencyKey string
	numbered       int
	// ending is closed when the command is to end: what is underway is finished then, and not tried again.
	ending <-chan struct{}
	key    []byte
	client *http.Client
}

// mostKey leaves room for the number of a message: a gateway takes 512 characters.
const mostKey = 490

var idempotencyKeys = regexp.MustCompile(fmt.Sprintf("^[!-~]{1,%d}$", mostKey))

// The values of outcome, as a gateway has them.
const (
	outcomeRefused = "refused"
	outcomeUnknown = "unknown"
)

// check says what is wrong with the flags.
func (b *binding) check() error {
	target, err := url.Parse(b.url)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		return usage("--binding: %q is no URL; give one with http:// or https://", b.url)
	}
	if b.caFile != "" && target.Scheme != "https" {
		return usage("--ca-file: it is for https://, and --binding has %s://", target.Scheme)
	}
	if b.idempotencyKey != "" && !idempotencyKeys.MatchString(b.idempotencyKey) {
		return usage("--idempotency-key: %q is none: give 1 to %d visible characters of ASCII", b.idempotencyKey, mostKey)
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: keyedAtOnce, DialContext: dialListening,
	}
	if target.Scheme == "https" {
		config, err := secure.Config("", secure.Files(b.caFile, "", ""), nil)
		if err != nil {
			return usage("--ca-file: %w", err)
		}
		// By way of a proxy net/http shakes hands itself.
		transport.TLSClientConfig = secure.Named(config, target.Hostname())
		transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialListening(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return secure.Client(ctx, conn, config, address)
		}
	}
	b.client = &http.Client{Transport: transport}
	return nil
}

func (b *binding) close() { b.client.CloseIdleConnections() }

// result is what the gateway says of one message.
type bindingResult struct {
	Status    int    `json:"status"`
	Topic     string `json:"topic"`
	Partition string `json:"partition"`
	Title     string `json:"title"`
	Detail    string `json:"detail"`
	Outcome   string `json:"outcome"`
	// RetryAfter is when to come back, in seconds.
	RetryAfter int `json:"retryAfter"`
	// unsent says that the gateway did not get as far as this message.
	unsent bool
	// failure is why there is no answer.
	failure error
}

func (r bindingResult) acknowledged() bool { return r.Status/100 == 2 }

// err says why a message was not acknowledged.
func (r bindingResult) err() error {
	if r.failure != nil {
		return r.failure
	}
	text := r.Detail
	if text == "" {
		text = r.Title
	}
	if r.Status == 0 {
		return errors.New(harmless(text))
	}
	return fmt.Errorf("the gateway answers %d: %s", r.Status, harmless(text))
}

// refused: certainly not written. Whoever is no gateway of samsa's, and answers with 4xx, did not write either.
func (r bindingResult) refused() bool {
	return r.Outcome == outcomeRefused || r.Outcome == "" && r.Status/100 == 4
}

// delimited reports whether the end of an answer is one that its sender made, and not that of a connection.
func delimited(response *http.Response) bool {
	return response.ContentLength >= 0 || len(response.TransferEncoding) > 0 || response.ProtoMajor > 1
}

// publish sends messages, in one request unless each has a key. What was refused for now is sent again when the gateway
// says so, as long as ctx lasts. There are as many results as the gateway gave; of the other messages the error says
// why it is unknown what became of them.
func (b *binding) publish(ctx context.Context, messages []kafka.Message) ([]bindingResult, error) {
	if b.idempotencyKey != "" {
		return b.each(ctx, messages), nil
	}
	results, failure := b.stream(ctx, messages)
	for failure == nil {
		left, wait := b.worthAgain(results)
		if len(left) == 0 || !b.sleep(ctx, wait) {
			break
		}
		rest := make([]kafka.Message, len(left))
		for i, at := range left {
			rest[i] = messages[at]
		}
		var again []bindingResult
		if again, failure = b.stream(ctx, rest); failure != nil {
			again = append(again, repeated(bindingResult{Outcome: outcomeUnknown, failure: failure}, len(rest)-len(again))...)
		}
		for i, at := range left {
			results[at] = again[i]
		}
	}
	if len(results) == len(messages) {
		return results, nil
	}
	return results, failure
}

// worthAgain says which messages to send again, and when: those refused, if each of them was refused for now. With a
// key their order would be another where one behind them is acknowledged.
func (b *binding) worthAgain(results []bindingResult) (left []int, wait time.Duration) {
	for i, result := range results {
		switch {
		case result.acknowledged() && b.key != nil && len(left) > 0:
			return nil, 0
		case result.acknowledged():
			continue
		case !result.refused() || !result.unsent && result.wait() == 0:
			return nil, 0
		}
		left, wait = append(left, i), max(wait, result.wait())
	}
	return left, wait
}

// stream sends messages in one request.
func (b *binding) stream(ctx context.Context, messages []kafka.Message) ([]bindingResult, error) {
	request, err := b.request(ctx, framed(messages))
	if err != nil {
		return repeated(bindingResult{Outcome: outcomeRefused, Detail: err.Error()}, len(messages)), nil
	}
	request.Header.Set("Content-Type", "application/vnd.samsa.frames")
	response, err := b.client.Do(request)
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" { // nothing was sent
		return repeated(bindingResult{Outcome: outcomeRefused, Title: err.Error()}, len(messages)), nil
	}
	if err != nil {
		return nil, secure.Explain(err)
	}
	defer response.Body.Close()
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "application/x-ndjson") {
		return repeated(problemOf(response), len(messages)), nil
	}
	return results(response, len(messages))
}

// framed puts its length before each value.
func framed(messages []kafka.Message) (body []byte) {
	for _, message := range messages {
		body = binary.BigEndian.AppendUint32(body, uint32(len(message.Value))) //nolint:gosec // 100 MiB at most
		body = append(body, message.Value...)
	}
	return body
}

// sign says who sends, and what all messages have.
func (b *binding) sign(request *http.Request) error {
	if b.key != nil {
		request.Header.Set("Samsa-Key-Base64", base64.StdEncoding.EncodeToString(b.key))
	}
	if b.tokenFile == "" {
		return nil
	}
	token, err := os.ReadFile(b.tokenFile) // for each request: Kubernetes renews it in place
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	trimmed := strings.TrimSpace(string(token))
	if strings.ContainsFunc(trimmed, notOfToken) || trimmed == "" { // net/http would refuse it when something is underway
		return fmt.Errorf("--token-file: %s does not hold one token, and nothing else", b.tokenFile)
	}
	request.Header.Set("Authorization", "Bearer "+trimmed)
	return nil
}

// notOfToken tells what no token has: those are of visible ASCII (RFC 6750, section 2.1).
func notOfToken(r rune) bool { return r <= ' ' || r > '~' }

// maxProblem is far above the length of a problem.
const maxProblem = 64 << 10

const noGateway = "what answers there is no gateway of samsa's"

// problemOf is what was answered of all messages together.
func problemOf(response *http.Response) bindingResult {
	all := bindingResult{Status: response.StatusCode, Title: http.StatusText(response.StatusCode)}
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxProblem)) // what is there tells more than an error
	var told bindingResult
	if json.Unmarshal(body, &told) == nil && told.Status == response.StatusCode {
		all = told
	}
	if all.acknowledged() { // somebody answers who is no gateway
		return bindingResult{Outcome: outcomeUnknown, Detail: noGateway}
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		all.RetryAfter = seconds
	}
	return all
}

// errBehind is for messages behind the line that ends a stream.
var errBehind = errors.New("not published, since the gateway ended the stream before it")

// results reads a line for each message. A gateway that ends a stream says why in a last line: that message was not
// published, nor was any behind it. A refusal is such a line where the answer has its own end behind it.
func results(response *http.Response, most int) ([]bindingResult, error) {
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxProblem)
	var all []bindingResult
	for len(all) < most && lines.Scan() {
		var one bindingResult
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return all, fmt.Errorf("the gateway's answer cannot be read: %w", err)
		}
		all = append(all, one)
	}
	switch missing := most - len(all); {
	case missing == 0:
		return all, nil
	case lines.Err() == nil && delimited(response) && len(all) > 0 && all[len(all)-1].refused():
		behind := bindingResult{Outcome: outcomeRefused, Detail: errBehind.Error(), unsent: true}
		return append(all, repeated(behind, missing)...), nil
	}
	return all, errors.Join(errors.New("the gateway's answer ended early"), lines.Err())
}

func repeated(one bindingResult, n int) []bindingResult {
	all := make([]bindingResult, n)
	for i := range all {
		all[i] = one
	}
	return all
}

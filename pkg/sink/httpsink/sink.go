// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
)

const (
	// Below what common peers wait before they close an idle connection (AWS's load balancer 60 s, nginx 75 s), so that it
	// is seldom the server that closes first: that race costs a repetition.
	idleTimeout = 50 * time.Second
	// Three retransmissions of a lost SYN (after 1, 2 and 4 s) fit, and a TLS handshake over a slow link.
	connectTimeout = 10 * time.Second
	// The header of an answer tells us a status and a Retry-After; servers send below 8 KiB.
	maxAnswerHeaderBytes = 64 << 10
	// A dead HTTP/2 connection carries every partition, so it must be found sooner than by a message's timeout of 30 s:
	// after 10 s without a frame ask, and wait 5 s for an answer.
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second
	// A new connection costs at most three round trips (TCP, TLS), about a second on the slowest link: waiting
	// longer for the rest of an answer only to keep the connection does not pay.
	answerPatience = time.Second
)

// Sink delivers each message as one HTTP request. It is safe for concurrent use.
type Sink struct {
	config    Config
	encoder   encoder
	template  *http.Request
	transport *http.Transport
	dialer    *dialer
	attempts  attempts
	// where begins the text of every error: method and address, without user, password or query.
	where string
	// connecting and answering are how long each took when it took too long, as errors tell it.
	connecting, answering string
}

var _ sink.Sink = (*Sink)(nil)

// New makes a sink. It connects to nothing yet; the error names every setting that is wrong.
func New(config Config) (*Sink, error) {
	config.setDefaults()
	target, err := config.validate()
	if err != nil {
		return nil, fmt.Errorf("http sink: %w", err)
	}
	s := &Sink{config: config, dialer: newDialer(config.Dial, min(connectTimeout, config.Timeout))}
	s.where = config.Method + " " + redact(target) + ": "
	s.connecting = "no connection within " + min(connectTimeout, config.Timeout).String()
	s.answering = "no answer within " + config.Timeout.String()
	s.encoder = newEncoder(config, target)
	target.User = nil
	s.template = &http.Request{
		Method: config.Method, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	s.transport = s.newTransport()
	s.attempts.idle = make(map[kafka.Partition]*attempt)
	return s, nil
}

func (s *Sink) newTransport() *http.Transport {
	transport := &http.Transport{
		DialContext:            s.dialer.dial,
		Proxy:                  s.config.Proxy,
		TLSHandshakeTimeout:    min(connectTimeout, s.config.Timeout),
		MaxIdleConns:           s.config.MaxIdleConnections,
		MaxIdleConnsPerHost:    s.config.MaxIdleConnections,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxAnswerHeaderBytes,
		// An answer is counted as it comes; a small one that unpacks to gigabytes is never unpacked.
		DisableCompression: true,
		ForceAttemptHTTP2:  true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
	if s.config.TLS != nil {
		transport.TLSClientConfig = s.config.TLS.Clone()
	}
	return transport
}

// redact leaves of an address what may appear in a status.
func redact(address *url.URL) string {
	return (&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path, RawPath: address.RawPath}).String()
}

// Deliver implements sink.Sink. It takes batches of any length.
func (s *Sink) Deliver(ctx context.Context, claim sink.Claim, batch kafka.Batch, results []sink.Result) {
	a := s.attempts.take(batch.Partition())
	for i := range results {
		if ctx.Err() != nil {
			break
		}
		a.bind(ctx, s.template)
		results[i] = s.deliver(a, claim, batch.Message(i)) //nolint:contextcheck // the attempt is bound to it
		if results[i].Outcome != sink.Done {
			// A goroutine of net/http may still use the attempt; it is left to the collector.
			a.release()
			return
		}
		if a.tainted() {
			a.release()
			a = newAttempt()
		}
	}
	s.attempts.keep(batch.Partition(), a)
}

func (s *Sink) deliver(a *attempt, claim sink.Claim, message kafka.Message) sink.Result {
	a.begin(s.config.Timeout)
	defer a.end()
	s.encoder.encode(a, claim, message)
	if s.config.Authorization != nil {
		value, err := s.config.Authorization()
		if err != nil {
			reason := "no credentials: " + err.Error()
			return sink.Result{Outcome: sink.Retry, Err: &Error{where: s.where, reason: reason, cause: err}}
		}
		a.set(headerAuthorization, value)
	}
	answer, err := s.transport.RoundTrip(a.fill(message.Value))
	if err != nil {
		return s.failed(a.request.Context(), a.connected.Load(), err)
	}
	a.finish(answer, s.config.MaxAnswerBytes)
	return s.judge(answer)
}

// Limits implements sink.Sink: one message, since each is a request of its own. Larger batches would gain nothing,
// and a lane that must be drained would have to wait for all requests of its batch instead of one.
func (s *Sink) Limits() sink.Limits { return sink.Limits{Messages: 1} }

// Close implements sink.Sink: it closes all connections and waits for those being made.
func (s *Sink) Close() error {
	s.attempts.release()
	s.transport.CloseIdleConnections()
	s.dialer.close()
	return nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"time"
)

// The headers of a request that one replica sends on to another.
const (
	// KeyHeader is the request's key, as its sender gives it.
	KeyHeader = "Idempotency-Key"
	// ForwardedHeader names the replica that sent the request on. Such a request is never sent on again: where the
	// replicas do not agree, it is refused. Names that begin with Samsa- are those of messages.
	ForwardedHeader = "Replica-Forwarded"
)

// ForwarderConfig is what a Forwarder needs.
type ForwarderConfig struct {
	Self   string
	Shares *Shares
	// Next answers what is this replica's.
	Next http.Handler
	// Transport reaches other replicas, and Scheme is http or https.
	Transport http.RoundTripper
	Scheme    string
	// Stays, if not nil, says which requests Next answers whoever has their key: those that it refuses.
	Stays func(r *http.Request) bool
	// Prepare, if not nil, changes a request before it is sent on: it may say on whose behalf that is.
	Prepare func(in, out *http.Request)
	// Answered, if not nil, hears the status of each answer that is neither Next's nor another replica's.
	Answered func(status int)
	Logger   *slog.Logger
}

// Forwarder sends requests with an Idempotency-Key to the replica that answers for it. It reads neither body nor
// credentials: the other replica does, with the same headers. Requests without a key pass untouched.
type Forwarder struct {
	config ForwarderConfig
	proxy  *httputil.ReverseProxy
}

// NewForwarder stands before config.Next.
func NewForwarder(config ForwarderConfig) *Forwarder {
	f := &Forwarder{config: config}
	f.proxy = &httputil.ReverseProxy{
		Rewrite:       f.rewrite,
		Transport:     config.Transport,
		FlushInterval: -1, // results of a stream are for now
		ErrorHandler:  f.failed,
		ErrorLog:      slog.NewLogLogger(config.Logger.Handler(), slog.LevelDebug),
	}
	return f
}

// ServeHTTP implements http.Handler.
func (f *Forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get(KeyHeader)
	if key == "" || r.Method != http.MethodPost {
		f.config.Next.ServeHTTP(w, r)
		return
	}
	member, turn := f.config.Shares.Who(key)
	switch {
	case turn == Mine, f.config.Stays != nil && f.config.Stays(r):
		f.config.Next.ServeHTTP(w, r)
	case turn == Soon:
		f.refuse(w, "this replica has just taken over this Idempotency-Key: what may have been written with it before is"+
			" being read", f.config.Shares.RetryAfter())
	case r.Header.Get(ForwardedHeader) != "":
		f.refuse(w, "the replicas do not agree yet about which of them answers for this Idempotency-Key", time.Second)
	default:
		f.proxy.ServeHTTP(w, r.WithContext(withMember(r.Context(), member)))
	}
}

func (f *Forwarder) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(&url.URL{Scheme: f.config.Scheme, Host: memberOf(r.In.Context())})
	r.Out.Host = r.In.Host
	r.Out.Header.Set(ForwardedHeader, f.config.Self)
	if f.config.Prepare != nil {
		f.config.Prepare(r.In, r.Out)
	}
}

// failed answers where the other replica did not. Whether it wrote the message is unknown, unless there was never a
// connection.
func (f *Forwarder) failed(w http.ResponseWriter, r *http.Request, err error) {
	f.config.Logger.Debug("A request could not be sent on", "to", memberOf(r.Context()), "error", err)
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		f.refuse(w, "the replica that answers for this Idempotency-Key cannot be reached", time.Second)
		return
	}
	f.answer(w, http.StatusGatewayTimeout, problem{
		Type: "unknown-outcome", Title: "Unknown outcome", Outcome: "unknown",
		Detail: "the replica that answers for this Idempotency-Key did not say what became of the message;" +
			" send it again with the same key",
	})
}

// refuse answers for a message that was certainly not written.
func (f *Forwarder) refuse(w http.ResponseWriter, detail string, after time.Duration) {
	seconds := int(math.Ceil(after.Seconds()))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	f.answer(w, http.StatusServiceUnavailable, problem{
		Type: "key-moves", Title: "Idempotency-Key not known yet", Detail: detail, Outcome: "refused", RetryAfter: seconds,
	})
}

// problem is a body as RFC 9457 has it.
type problem struct {
	Type    string `json:"type"`
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Outcome string `json:"outcome"`
	// RetryAfter is in seconds.
	RetryAfter int `json:"retryAfter,omitempty"`
}

func (f *Forwarder) answer(w http.ResponseWriter, status int, body problem) {
	if f.config.Answered != nil {
		f.config.Answered(status)
	}
	body.Type, body.Status = "urn:samsa:problem:"+body.Type, status // as the gateway's own
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // only the client's going away can make this fail
}

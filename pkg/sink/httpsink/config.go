// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	// 64 KiB: half a millisecond at 1 Gbit/s, which is what a new connection costs within a data centre. Reading more to
	// save the connection does not pay.
	defaultMaxAnswerBytes = 64 << 10
	// A partition has one request under way, so partitions are the most connections there can be. Each that idles
	// costs two goroutines and two buffers, about 24 KiB: 24 MiB for 1024.
	defaultMaxIdleConnections = 1024
	// A quarter of the 32 KiB of headers that nginx takes by default; the rest is for what the message brings.
	maxStaticHeaderBytes = 8 << 10
)

// Config says where messages go and how. Only URL is required.
type Config struct {
	// URL is where messages go: http or https. A user and password in it become basic authentication and, like the query,
	// appear in no error.
	URL string
	// Method is POST (default), PUT or PATCH.
	Method string
	// Headers are sent with every request, at most 8 KiB of them. Those that the sink sets itself are refused.
	Headers map[string]string
	// Format is Raw (default) or CloudEventsBinary.
	Format Format
	// ContentType describes the values; application/octet-stream by default.
	ContentType string
	// CloudEvents holds what only CloudEventsBinary uses.
	CloudEvents CloudEvents
	// Timeout bounds one message, connecting included, up to the answer's header; 30 s by default.
	Timeout time.Duration
	// MaxAnswerBytes is how much of an answer's body is read, so that the connection may be reused; 64 KiB by default.
	MaxAnswerBytes int64
	// MaxIdleConnections is how many connections are kept; it should be no less than the partitions delivered at a time.
	// 1024 by default.
	MaxIdleConnections int
	// TLS is used for https; nil means the system's certificate authorities. It is copied.
	TLS *tls.Config
	// Authorization gives the value of the header of that name for each request; nil means that there is none. It is
	// called concurrently and must not block for long. While it fails, nothing is sent.
	Authorization func() (string, error)
	// KeyPrefix begins every Idempotency-Key: where several deliver to one sink, what they deliver stays apart.
	KeyPrefix string
	// OmitTimestamp leaves out when the message was written: for a sink that tells by its own clock what came when.
	OmitTimestamp bool
	// Proxy chooses a proxy; nil means none, whatever the environment says.
	Proxy func(*http.Request) (*url.URL, error)
	// Dial replaces net.Dialer's DialContext, for other networks and for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock by which a date in Retry-After is understood; time.Now by default.
	Now func() time.Time
}

// CloudEvents are the attributes that are the same for every message.
type CloudEvents struct {
	// Source is what the attribute source begins with; "/kafka" by default, which makes "/kafka/<topic>#<partition>".
	Source string
	// Type is the attribute type; dev.samsa.kafka.message by default.
	Type string
}

// Format is how a message becomes a request.
type Format uint8

// The formats.
const (
	// Raw is the value as body, and metadata as headers.
	Raw Format = iota
	// CloudEventsBinary is Raw and the attributes of a CloudEvent besides.
	CloudEventsBinary
)

// String names the format as configurations do.
func (f Format) String() string {
	switch f {
	case Raw:
		return "raw"
	case CloudEventsBinary:
		return "cloudevents-binary"
	}
	return "invalid"
}

// MarshalText implements encoding.TextMarshaler.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Nothing means Raw.
func (f *Format) UnmarshalText(text []byte) error {
	switch string(text) {
	case "", Raw.String():
		*f = Raw
	case CloudEventsBinary.String():
		*f = CloudEventsBinary
	default:
		return fmt.Errorf("%q is not a format: use %q or %q", text, Raw, CloudEventsBinary)
	}
	return nil
}

// setDefaults fills what is not set.
func (c *Config) setDefaults() {
	setDefault(&c.Method, http.MethodPost)
	setDefault(&c.ContentType, "application/octet-stream")
	setDefault(&c.CloudEvents.Source, "/kafka")
	setDefault(&c.CloudEvents.Type, "dev.samsa.kafka.message")
	setDefault(&c.Timeout, defaultTimeout)
	setDefault(&c.MaxAnswerBytes, defaultMaxAnswerBytes)
	setDefault(&c.MaxIdleConnections, defaultMaxIdleConnections)
	if c.Now == nil {
		c.Now = time.Now
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate reports everything that is wrong, each with its field and what to do.
func (c *Config) validate() (*url.URL, error) {
	target, err := parseTarget(c.URL)
	problems := []error{err}
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, c.Method) {
		complain("method: %q is not supported: use POST, PUT or PATCH", c.Method)
	}
	if c.Format > CloudEventsBinary {
		complain("format: %d is not a format: use Raw or CloudEventsBinary", c.Format)
	}
	if !validValue(c.ContentType) {
		complain("contentType: %q is no header value: use a media type such as application/json", c.ContentType)
	}
	if _, err := url.Parse(c.CloudEvents.Source); err != nil || strings.Contains(c.CloudEvents.Source, "#") {
		complain("cloudEvents.source: %q is no prefix of a URI reference: use one such as /kafka/prod", c.CloudEvents.Source)
	}
	if !validText(c.CloudEvents.Type) {
		complain("cloudEvents.type: %q has control characters: use a name such as com.example.order", c.CloudEvents.Type)
	}
	if c.Authorization != nil && target != nil && (target.User != nil || c.hasHeader(headerAuthorization)) {
		complain("authorization: it is given twice: remove it from url and headers")
	}
	if !validKey(c.KeyPrefix) {
		complain("keyPrefix: %q is not for a header: use visible characters of ASCII", c.KeyPrefix)
	}
	if c.Timeout < 0 {
		complain("timeout: %s is negative: use a duration such as 30s", c.Timeout)
	}
	if c.MaxAnswerBytes < 0 {
		complain("maxAnswerBytes: %d is negative: use a number of bytes such as %d", c.MaxAnswerBytes, defaultMaxAnswerBytes)
	}
	if c.MaxIdleConnections < 0 {
		complain("maxIdleConnections: %d is negative: use the number of partitions", c.MaxIdleConnections)
	}
	problems = append(problems, c.validateHeaders(target)...)
	return target, errors.Join(problems...)
}

// hasHeader reports whether a header is among those of every request.
func (c *Config) hasHeader(name string) bool {
	for given := range c.Headers {
		if http.CanonicalHeaderKey(given) == name {
			return true
		}
	}
	return false
}

func parseTarget(raw string) (*url.URL, error) {
	target, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's error quotes the URL, and with it a password.
		return nil, errors.New("url: not a URL: use one such as http://host/path")
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, fmt.Errorf("url: scheme %q is not supported: use http or https", target.Scheme)
	case target.Hostname() == "":
		return nil, errors.New("url: no host: use a URL such as http://host/path")
	}
	target.Fragment, target.RawFragment = "", ""
	return target, nil
}

// ours are headers that would contradict what the sink or net/http sets.
var ours = []string{
	headerContentType, "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Trailer",
	"Te", "Upgrade", "Expect", "Host", "Accept-Encoding", headerIdempotencyKey,
}

func (c *Config) validateHeaders(target *url.URL) []error {
	var problems []error
	complain := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	total := 0
	for name, value := range c.Headers {
		canonical := http.CanonicalHeaderKey(name)
		total += len(name) + len(value) + len(": \r\n")
		switch {
		case !validName(name):
			complain("headers: %q is no header name: use letters, digits and dashes", name)
		case !validValue(value):
			complain("headers: the value of %s has control characters: remove them", canonical)
		case canonical == headerContentType:
			complain("headers: %s is a setting of its own: use contentType", canonical)
		case slices.Contains(ours, canonical), strings.HasPrefix(canonical, "Samsa-"), strings.HasPrefix(canonical, "Ce-"):
			complain("headers: %s is set by the sink: remove it", canonical)
		case canonical == headerAuthorization && target != nil && target.User != nil:
			complain("headers: Authorization contradicts the user in url: remove one of them")
		}
	}
	if total > maxStaticHeaderBytes {
		complain("headers: %d bytes are more than %d: send fewer", total, maxStaticHeaderBytes)
	}
	// The map's order is random, the error's text should not be.
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

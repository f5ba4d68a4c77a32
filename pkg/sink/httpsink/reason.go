// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/samsa-dev/samsa/pkg/sink"
)

// Error is why a message was not delivered. Its text is the same each time the same thing happens: it names the
// sink's address, without user, password or query, and holds no port of ours, no time and nothing of the answer
// but its status.
type Error struct {
	where, reason string
	cause         error
	unreachable   bool
}

// Error implements error.
func (e *Error) Error() string { return e.where + e.reason }

// Reason is the text without the sink's address.
func (e *Error) Reason() string { return e.reason }

// Unreachable reports whether there was nobody to talk to: the host's name could not be resolved, or no connection be
// made.
func (e *Error) Unreachable() bool { return e.unreachable }

// Unwrap gives what the network said; nil if the sink answered. Its text is not stable.
func (e *Error) Unwrap() error { return e.cause }

// failed turns an attempt without an answer into a result. Connected says that the request had a connection, which is
// taken to mean that some of it may have reached the sink: whether it has cannot be known.
func (s *Sink) failed(ctx context.Context, connected bool, cause error) sink.Result {
	outcome, reason := sink.Retry, ""
	if connected {
		outcome = sink.Unknown
	}
	switch {
	case ctx.Err() == nil:
		reason = s.reason(cause, connected)
	case !errors.Is(context.Cause(ctx), errTimeout):
		// The caller ended it. What has no connection has not begun.
		if !connected {
			return sink.Result{}
		}
		reason = "interrupted before the answer"
	case connected:
		reason = s.answering
	default:
		reason = "no connection within " + s.config.Timeout.String()
	}
	unreachable := !connected && tlsReason(cause) == ""
	return sink.Result{
		Outcome: outcome, Err: &Error{where: s.where, reason: reason, cause: cause, unreachable: unreachable},
	}
}

// reason names what happened, in words that stay the same.
func (s *Sink) reason(cause error, connected bool) string {
	if reason := tlsReason(cause); reason != "" {
		return reason
	}
	if reason := nameReason(cause); reason != "" {
		return reason
	}
	if errno, ok := errors.AsType[syscall.Errno](cause); ok {
		return errno.Error()
	}
	if timeout, ok := errors.AsType[net.Error](cause); ok && timeout.Timeout() {
		if connected {
			return "connection timed out"
		}
		return s.connecting
	}
	if errors.Is(cause, io.EOF) || errors.Is(cause, io.ErrUnexpectedEOF) {
		return "connection closed before the answer"
	}
	return protocolReason(cause)
}

const notTLS = "tls: the server does not speak TLS (is its address http, not https?)"

func nameReason(cause error) string {
	problem, ok := errors.AsType[*net.DNSError](cause)
	switch {
	case !ok:
		return ""
	case problem.IsNotFound:
		return "no such host: " + problem.Name
	default:
		return "no name server could resolve " + problem.Name
	}
}

// tlsReason: the errors of x509 hold the current time.
func tlsReason(cause error) string {
	if problem, ok := errors.AsType[x509.HostnameError](cause); ok {
		return "tls: the certificate is not valid for " + problem.Host
	}
	if problem, ok := errors.AsType[x509.CertificateInvalidError](cause); ok {
		if problem.Reason == x509.Expired {
			return "tls: the certificate has expired or is not yet valid"
		}
		return "tls: the certificate is not valid"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](cause); ok {
		return "tls: the certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](cause); ok {
		return notTLS
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](cause); ok {
		return "tls: the certificate could not be verified"
	}
	return ""
}

// protocolReason recognises what net/http says only in words. Some of its texts quote the server or number a stream.
func protocolReason(cause error) string {
	text := deepest(cause).Error()
	switch {
	case strings.Contains(text, "server closed idle connection"):
		return "connection closed before the answer"
	case strings.Contains(text, "malformed"), strings.Contains(text, "unexpected trailer"),
		strings.Contains(text, "unsupported transfer encoding"), strings.Contains(text, "bad Content-Length"):
		return "the answer is not HTTP"
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "header list larger"),
		strings.Contains(text, "read limit of"):
		return "the answer's header is larger than 64 KiB"
	case strings.Contains(text, "server gave HTTP response"):
		return notTLS
	case strings.Contains(text, "GOAWAY"):
		return "HTTP/2 connection ended by the server"
	case strings.HasPrefix(text, "stream error:"):
		return "HTTP/2 stream ended by the server"
	}
	return cut(strings.TrimPrefix(text, "net/http: "), maxLocation)
}

// deepest gives the innermost cause: the outer ones name ports.
func deepest(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

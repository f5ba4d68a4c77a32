// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"
)

// Host is the name or address of whom messages are sent to, without a port.
func (s *Sink) Host() string { return s.template.URL.Hostname() }

// Probe resolves the sink's host and connects to it (or to the proxy on the way there), sends nothing, and closes the
// connection. The error is an *Error that reads as one of an attempt would; it is ctx's own if ctx ended it.
func (s *Sink) Probe(ctx context.Context) error {
	target, err := s.nearest()
	if err != nil {
		return err
	}
	if strings.ContainsFunc(target.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return nil // only net/http knows what it makes of such a name: attempts tell
	}
	conn, err := s.dialer.dial(ctx, "tcp", addressOf(target))
	if err == nil {
		_ = conn.Close() // it has served its purpose
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return &Error{where: s.where, reason: s.reason(err, false), cause: err, unreachable: true}
}

// nearest is whom the sink connects to.
func (s *Sink) nearest() (*url.URL, error) {
	if s.config.Proxy == nil {
		return s.template.URL, nil
	}
	proxy, err := s.config.Proxy(s.template)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	if proxy == nil {
		return s.template.URL, nil
	}
	return proxy, nil
}

func addressOf(target *url.URL) string {
	port := target.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[target.Scheme]
	}
	return net.JoinHostPort(target.Hostname(), port)
}

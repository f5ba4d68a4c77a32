// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
)

// Client shakes hands with the server at address, host:port, over conn, which it closes if that fails. The host is the
// name expected in the server's certificate unless config has another. Where the two do not trust or understand each
// other, the error is an *Error; so are those of the connection, as long as the server has not said anything yet: with
// TLS 1.3 it refuses this side's certificate only then.
func Client(ctx context.Context, conn net.Conn, config *tls.Config, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("address %q: %w", address, err)
	}
	asked := false
	secured := tls.Client(conn, forOne(config, host, &asked))
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		if hungUp(err) {
			return nil, errNoTLS
		}
		return nil, Explain(err)
	}
	return &fresh{Conn: secured, asked: asked}, nil
}

// errNoTLS has no cause: the end of a stream would be taken for that of any connection.
var errNoTLS = &Error{text: "the server hangs up in the handshake: " +
	"if it goes on, connect to its port for TLS, or without TLS"}

// forOne is config for one connection. asked becomes true when the server asks for a certificate.
func forOne(config *tls.Config, host string, asked *bool) *tls.Config {
	config = Named(config, host)
	choose := config.GetClientCertificate
	if choose == nil {
		choose = chooser(config.Certificates)
	}
	config.GetClientCertificate = func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		*asked = true
		return choose(request)
	}
	return config
}

// Named is config for connections to one host, which is the name expected in the server's certificate unless config has
// another: for those that shake hands without Client, as net/http does through a proxy.
func Named(config *tls.Config, host string) *tls.Config {
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = host
	}
	if verify := config.VerifyConnection; verify != nil {
		name := config.ServerName
		config.VerifyConnection = func(state tls.ConnectionState) error {
			// The handshake carries no IP addresses as names, so crypto/tls leaves them out here.
			if state.ServerName == "" {
				state.ServerName = name
			}
			return verify(state)
		}
	}
	return config
}

// chooser is what crypto/tls does with certificates that are given beforehand.
func chooser(certificates []tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(request *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		for i := range certificates {
			if request.SupportsCertificate(&certificates[i]) == nil {
				return &certificates[i], nil
			}
		}
		return new(tls.Certificate), nil
	}
}

// fresh is a connection on which the server may still refuse this side's certificate.
type fresh struct {
	*tls.Conn
	// asked says that the server asked for a certificate, heard that it went on after that.
	asked bool
	heard atomic.Bool
}

// Read implements net.Conn.
func (f *fresh) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	if n > 0 && !f.heard.Load() {
		f.heard.Store(true)
	}
	return n, f.refusal(err)
}

// Write implements net.Conn.
func (f *fresh) Write(p []byte) (int, error) {
	n, err := f.Conn.Write(p)
	return n, f.refusal(err)
}

func (f *fresh) refusal(err error) error {
	if err == nil || f.heard.Load() {
		return err
	}
	if text := reason(err); text != "" {
		return &Error{text: text, Err: err}
	}
	if f.asked && hungUp(err) {
		return errAsked // the alert that says why may be lost with the connection
	}
	return err
}

var errAsked = &Error{text: "the server hangs up after it has asked for a certificate of this side: " +
	"give one that is valid and signed by an authority that the server trusts"}

// hungUp tells the ways in which the other side ends a connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

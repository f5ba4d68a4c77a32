// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Error is why a TLS connection cannot be used. Its text stays the same while the cause does, and says what to do.
type Error struct {
	text string
	// Err is the cause, nil where the server has only hung up.
	Err error
}

// Error implements error.
func (e *Error) Error() string { return "tls: " + e.text }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Explain puts what crypto/tls says of a handshake into words that tell what to do. An error that TLS has no part in
// stays as it is: one of the network, or the end of a context.
func Explain(err error) error {
	if _, known := errors.AsType[*Error](err); err == nil || known {
		return err
	}
	text := reason(err)
	if text == "" && !fromNetwork(err) {
		text = strings.TrimPrefix(err.Error(), "tls: ")
	}
	if text == "" {
		return err
	}
	return &Error{text: text, Err: err}
}

func reason(err error) string {
	if text := ofServer(err); text != "" {
		return text
	}
	return ofAlert(err)
}

// ofServer explains why this side refuses the server's certificate.
func ofServer(err error) string {
	if wrong, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is not for " + wrong.Host + ", but for " + namesIn(wrong.Certificate) +
			": connect by a name that it has, or set the server name to one"
	}
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "nobody trusted has signed the server's certificate" + issuerOf(unknown.Cert) +
			": give the certificate of its authority as the CA"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return ofInvalid(invalid)
	}
	if garbage, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the server does not speak TLS there (" + garbage.Msg + "): connect to its port for TLS, or without TLS"
	}
	return ""
}

func ofInvalid(invalid x509.CertificateInvalidError) string {
	if invalid.Reason != x509.Expired {
		return "the server's certificate is not valid: " + strings.TrimPrefix(invalid.Error(), "x509: ")
	}
	return "the server's certificate " + untimely(invalid.Cert, time.Now()) + " at the server"
}

// untimely says why it is not the time of a certificate; empty if it is.
func untimely(certificate *x509.Certificate, at time.Time) string {
	const layout = time.DateTime + " MST"
	switch {
	case at.Before(certificate.NotBefore):
		return "is not valid before " + certificate.NotBefore.UTC().Format(layout) + ": compare the clocks, or renew it"
	case at.After(certificate.NotAfter):
		return "expired at " + certificate.NotAfter.UTC().Format(layout) + ": renew it"
	}
	return ""
}

// The alerts of RFC 8446 by which a server refuses a client's certificate, and the handshake as such.
const (
	alertHandshakeFailure    = tls.AlertError(40)
	alertBadCertificate      = tls.AlertError(42)
	alertUnsupported         = tls.AlertError(43)
	alertRevoked             = tls.AlertError(44)
	alertExpired             = tls.AlertError(45)
	alertCertificateUnknown  = tls.AlertError(46)
	alertUnknownAuthority    = tls.AlertError(48)
	alertAccessDenied        = tls.AlertError(49)
	alertProtocolVersion     = tls.AlertError(70)
	alertUnrecognizedName    = tls.AlertError(112)
	alertCertificateRequired = tls.AlertError(116)
)

// ofAlert explains what the server refuses.
func ofAlert(err error) string {
	remote, ok := errors.AsType[*net.OpError](err)
	if !ok || remote.Op != "remote error" {
		return ""
	}
	// The type of what is in it is crypto/tls's own; its text is that of AlertError.
	said := remote.Err.Error()
	is := func(alert tls.AlertError) bool { return alert.Error() == said }
	heard := " (it says: " + strings.TrimPrefix(said, "tls: ") + ")"
	switch {
	case is(alertCertificateRequired):
		return "the server wants a certificate of this side, and there is none" + heard + ": give one with its key"
	case is(alertHandshakeFailure):
		return "the server breaks off the handshake" + heard + ": it may want a certificate of this side, or other ciphers"
	case slices.ContainsFunc([]tls.AlertError{
		alertBadCertificate, alertUnsupported, alertRevoked, alertExpired, alertCertificateUnknown,
		alertUnknownAuthority, alertAccessDenied,
	}, is):
		return "the server refuses this side's certificate, or the lack of one" + heard +
			": give one that is valid and signed by an authority that the server trusts"
	case is(alertProtocolVersion):
		return "the server knows no version of TLS from 1.2 on" + heard + ": enable one there"
	case is(alertUnrecognizedName):
		return "the server does not know the name it was called by" + heard + ": connect by another, or set the server name"
	}
	return "the server breaks off" + heard
}

// fromNetwork tells errors that TLS has no part in.
func fromNetwork(err error) bool {
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return true
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

// namesMost is how many names a text tells of a certificate, which may have thousands: it stands in a status.
const namesMost = 5

// namesIn are what a certificate is for.
func namesIn(certificate *x509.Certificate) string {
	names := slices.Clone(certificate.DNSNames)
	for _, address := range certificate.IPAddresses {
		names = append(names, address.String())
	}
	if len(names) == 0 {
		return "no name at all"
	}
	more := ""
	if n := len(names) - namesMost; n > 0 {
		names, more = names[:namesMost], fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ") + more
}

func issuerOf(certificate *x509.Certificate) string {
	if certificate == nil || certificate.Issuer.String() == "" {
		return ""
	}
	return " (its issuer is " + certificate.Issuer.String() + ")"
}

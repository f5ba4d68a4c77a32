// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/pkg/client/secure"
)

// admits tells the admission how connections ended.
type admits struct {
	*Admission
	sasl *SASL // nil for none
}

var _ kgo.HookBrokerConnect = admits{}

// OnBrokerConnect implements kgo.HookBrokerConnect. A connection that it is told of without an error has gone through
// TLS and SASL.
func (a admits) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	address := net.JoinHostPort(meta.Host, strconv.Itoa(int(meta.Port)))
	if known, ok := errors.AsType[*NotAdmitted](err); ok && known.held {
		return // nobody was asked
	}
	if err == nil {
		a.admitted(address)
	} else if failure := a.distrust(address, err); failure != nil {
		a.refused(address, failure, time.Now())
	} else {
		a.away(address, canceled(err))
	}
}

// distrust is what is wrong between a broker and this client, nil where that is not why a connection ended.
func (a admits) distrust(address string, err error) error {
	if known, ok := errors.AsType[*NotAdmitted](err); ok {
		return known.Err
	}
	if failure := ofTrust(err); failure != nil {
		return failure
	}
	hungUp := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
	if a.sasl != nil && hungUp && a.isProving(address) {
		return errHungUp(a.sasl.Mechanism)
	}
	return nil
}

// ofTrust is what of an error concerns certificates or credentials, nil for nothing.
func ofTrust(err error) error {
	if known, ok := errors.AsType[*secure.Error](err); ok {
		return known
	}
	if known, ok := errors.AsType[*saslError](err); ok {
		return known
	}
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		// franz-go puts its own words for the code before those of the broker.
		said := strings.TrimPrefix(strings.TrimPrefix(err.Error(), kerr.SaslAuthenticationFailed.Error()), ": ")
		return &saslError{text: refusedCredentials(said), err: err}
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return &saslError{text: "the broker does not offer this mechanism there: use one that it does", err: err}
	case errors.Is(err, kerr.IllegalSaslState):
		return &saslError{text: "the broker wants no SASL there: leave it out, or connect to its listener for it", err: err}
	}
	return nil
}

// explain leaves of an error what a user can do something about: where a broker does not admit this client, that alone,
// and not by what ways it was met.
func explain(err error) error {
	if known, ok := errors.AsType[*NotAdmitted](err); ok {
		return known.Err
	}
	if failure := ofTrust(err); failure != nil {
		return failure
	}
	return err
}

// dialing is what package net calls it.
const dialing = "dial"

// dial opens one connection.
func (c Config) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := c.open(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.Release.heed(conn), nil
}

// open connects, by TLS where that is set: franz-go takes either a dialer or a TLS configuration.
func (c Config) open(ctx context.Context, network, address string) (net.Conn, error) {
	if err := c.Admission.ask(address, time.Now(), c.fingerprint(ctx)); err != nil {
		return nil, &net.OpError{Op: dialing, Net: network, Addr: place(address), Err: err}
	}
	conn, err := c.connect(ctx, network, address)
	if err != nil || c.TLS == nil {
		return conn, err
	}
	ctx, cancel := context.WithTimeout(ctx, requestOverhead)
	defer cancel()
	secured, err := secure.Client(ctx, conn, c.TLS, address)
	if err != nil {
		if known, ok := errors.AsType[*secure.Error](err); ok {
			err = &NotAdmitted{Broker: address, Err: known}
		}
		// As one of dialing, franz-go tries the next broker.
		return nil, &net.OpError{Op: dialing, Net: network, Addr: place(address), Err: err}
	}
	return secured, nil
}

func (c Config) connect(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if c.Dial != nil {
		return c.Dial(ctx, network, address)
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// fingerprint tells the credentials there are now; false where there are none.
func (c Config) fingerprint(ctx context.Context) func() (fingerprint, bool) {
	return func() (fingerprint, bool) {
		if c.SASL == nil {
			return fingerprint{}, false
		}
		credentials, err := c.SASL.Credentials(ctx)
		return credentials.fingerprint(), err == nil
	}
}

// place is a host and a port that have not become an address yet.
type place string

// Network implements net.Addr.
func (place) Network() string { return "tcp" }

// String implements net.Addr.
func (p place) String() string { return string(p) }

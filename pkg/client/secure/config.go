// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Config is a client's configuration that asks source for each connection. serverName is the name expected in the
// server's certificate, empty for the host that is connected to; see Client, which fills it in. The error says what is
// wrong with the material there is now.
func Config(serverName string, source Source) (*tls.Config, error) {
	material, err := source()
	if err == nil {
		err = material.Check()
	}
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName: serverName,
		MinVersion: tls.VersionTLS12,
		// RootCAs cannot be exchanged in a client's configuration. So crypto/tls verifies nothing, and verify does all that
		// it would have done, with the authorities of the moment. It is called for every connection.
		InsecureSkipVerify:   true, //nolint:gosec // see VerifyConnection
		VerifyConnection:     source.verify,
		GetClientCertificate: source.certificate,
	}, nil
}

// certificate is this side's.
func (s Source) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	material, err := s()
	if err != nil {
		return nil, err
	}
	pair, err := material.pair()
	if err != nil {
		return nil, err
	}
	if pair == nil {
		return new(tls.Certificate), nil // none; the server says whether that will do
	}
	return pair, nil
}

// verify is what crypto/tls does with RootCAs.
func (s Source) verify(state tls.ConnectionState) error {
	material, err := s()
	if err != nil {
		return err
	}
	roots, err := material.roots()
	if err != nil {
		return err
	}
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	if state.ServerName == "" {
		return errNoName
	}
	options := x509.VerifyOptions{Roots: roots, DNSName: state.ServerName, Intermediates: x509.NewCertPool()}
	for _, certificate := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	if _, err := state.PeerCertificates[0].Verify(options); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
	}
	return nil
}

// errNoName is not met through Client.
var errNoName = errors.New("no name to look for in the server's certificate: set the server name")

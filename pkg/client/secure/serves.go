// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Serves says why a client would refuse the certificate as that of a host, at a time: it is for other names, its time
// has not come or is over, or nobody in CA has signed it. Without CA it is not looked at who has. The error says what
// to do.
func (m Material) Serves(host string, at time.Time) error {
	pair, err := m.pair()
	switch {
	case err != nil:
		return err
	case pair == nil:
		return errNoCertificate
	}
	leaf := pair.Leaf
	when := untimely(leaf, at)
	switch {
	case leaf.VerifyHostname(host) != nil:
		return fmt.Errorf("the certificate is for %s, and not for %s: issue one that has this name", namesIn(leaf), host)
	case when != "":
		return errors.New("the certificate " + when)
	case len(m.CA) == 0:
		return nil
	}
	return m.signed(pair, at)
}

// signed says why those in CA have not signed.
func (m Material) signed(pair *tls.Certificate, at time.Time) error {
	roots, err := m.roots()
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), CurrentTime: at}
	for _, raw := range pair.Certificate[1:] {
		if certificate, err := x509.ParseCertificate(raw); err == nil {
			options.Intermediates.AddCert(certificate)
		}
	}
	_, err = pair.Leaf.Verify(options)
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return fmt.Errorf("nobody in the CA has signed the certificate%s: give the CA that has, and those between them in "+
			"the certificate's own file", issuerOf(pair.Leaf))
	}
	if err != nil {
		return fmt.Errorf("clients refuse the certificate: %w", err)
	}
	return nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"time"
)

// MTLS knows callers by the certificates of their connections, which the server must have verified when they were made.
// A caller has the names of its certificate: URIs (SPIFFE, say), DNS names, email addresses, and the common name. Who
// has one of the names in allow may publish; an empty list has everybody whose certificate is good.
//
// A certificate that expires while the connection lasts is noticed by the time that now tells.
func MTLS(allow []string, now func() time.Time) Verifier {
	return &mtls{allow: slices.Clone(allow), now: now}
}

type mtls struct {
	allow []string
	now   func() time.Time
}

// Verify implements Verifier.
func (m *mtls) Verify(_ context.Context, r *http.Request) (Caller, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return Caller{}, uncertified("connect with a client certificate that this server trusts")
	}
	certificate := r.TLS.VerifiedChains[0][0]
	if m.now().After(certificate.NotAfter) {
		return Caller{}, uncertified("the client certificate has expired; connect anew with a new one")
	}
	names := namesOf(certificate)
	if len(names) == 0 {
		return Caller{}, uncertified("the client certificate has no name")
	}
	if len(m.allow) == 0 {
		return Caller{Name: names[0]}, nil
	}
	for _, name := range names {
		if slices.Contains(m.allow, name) {
			return Caller{Name: name}, nil
		}
	}
	return Caller{}, forbidden(quoted(names[0]) + " is not among those who may publish here")
}

// uncertified has a challenge, as every 401 must, although HTTP has no registered scheme for certificates.
func uncertified(reason string) error {
	return &Refusal{Cause: ErrUnauthenticated, Reason: reason, Challenge: `TLS-Client-Certificate realm="samsa"`}
}

// namesOf begins with the most telling.
func namesOf(certificate *x509.Certificate) []string {
	var names []string
	for _, uri := range certificate.URIs {
		names = append(names, uri.String())
	}
	if certificate.Subject.CommonName != "" {
		names = append(names, certificate.Subject.CommonName)
	}
	names = append(names, certificate.DNSNames...)
	return append(names, certificate.EmailAddresses...)
}

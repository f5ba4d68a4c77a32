// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package pki makes authorities and certificates for tests: good ones, and ones that are wrong in a chosen way.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// validity is beyond any test's end, in both directions for clocks that differ.
const validity = time.Hour

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

// NewAuthority makes an authority that has signed itself.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of authority %s: %w", name, err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, SerialNumber: serial(), NotBefore: time.Now().Add(-validity),
		NotAfter: time.Now().Add(validity), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of authority %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of authority %s: %w", name, err)
	}
	return &Authority{certificate: certificate, key: key, pem: block("CERTIFICATE", der)}, nil
}

// PEM is the authority's certificate.
func (a *Authority) PEM() []byte { return a.pem }

// Certificate says what a certificate is to be. The zero value is valid, for nobody.
type Certificate struct {
	// Name is the subject's common name; Hosts are the names and addresses that it is for.
	Name  string
	Hosts []string
	// Expired makes it one of the past, Early one of the future.
	Expired, Early bool
}

// Pair is a certificate with its key, in PEM (PKCS #8, which Java reads, too).
type Pair struct{ Certificate, Key []byte }

// TLS is the pair as crypto/tls has it.
func (p Pair) TLS() (tls.Certificate, error) { return tls.X509KeyPair(p.Certificate, p.Key) }

// Issue signs a certificate, for a server or a client.
func (a *Authority) Issue(wanted Certificate) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, fmt.Errorf("key of %s: %w", wanted.Name, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, wanted.template(), a.certificate, key.Public(), a.key)
	if err != nil {
		return Pair{}, fmt.Errorf("certificate of %s: %w", wanted.Name, err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("key of %s: %w", wanted.Name, err)
	}
	return Pair{Certificate: block("CERTIFICATE", der), Key: block("PRIVATE KEY", private)}, nil
}

func (c Certificate) template() *x509.Certificate {
	now := time.Now()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: c.Name}, SerialNumber: serial(),
		NotBefore: now.Add(-validity), NotAfter: now.Add(validity),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if c.Expired {
		template.NotAfter = now.Add(-validity / 2)
	}
	if c.Early {
		template.NotBefore = now.Add(validity / 2)
	}
	for _, host := range c.Hosts {
		if address := net.ParseIP(host); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// serial is random: two certificates of one authority with the same number are refused by some.
func serial() *big.Int {
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return big.NewInt(time.Now().UnixNano())
	}
	return number.Add(number, big.NewInt(1))
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

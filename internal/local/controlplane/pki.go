// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	// validity is longer than anybody leaves a world running, and ends before anybody forgets a leaked key.
	validity = 30 * 24 * time.Hour
	// clockSlack lets a certificate count at once where the clock is set back a little.
	clockSlack = 10 * time.Minute
)

// authority signs the certificates of one run. Its key stays in memory.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	directory   string
}

// pair are the files of a certificate and its key, PEM.
type pair struct{ certificate, key string }

// newAuthority makes an authority and writes its certificate into the directory.
func newAuthority(directory string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("key of the authority: %w", err)
	}
	template := newTemplate(pkix.Name{CommonName: "samsa-local"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate of the authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of the authority: %w", err)
	}
	a := &authority{certificate: certificate, key: key, directory: directory}
	return a, writePEM(a.file(), "CERTIFICATE", der)
}

// file is where the authority's certificate lies.
func (a *authority) file() string { return filepath.Join(a.directory, "ca.crt") }

// issue makes a certificate for a server on loopback and a client of this name and groups.
func (a *authority) issue(name string, groups ...string) (pair, error) {
	files := pair{
		certificate: filepath.Join(a.directory, name+".crt"), key: filepath.Join(a.directory, name+".key"),
	}
	template := newTemplate(pkix.Name{CommonName: name, Organization: groups})
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	template.DNSNames = []string{"localhost", "kubernetes.default.svc"}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	key, err := writeKey(files.key)
	if err != nil {
		return pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return pair{}, fmt.Errorf("certificate of %s: %w", name, err)
	}
	return files, writePEM(files.certificate, "CERTIFICATE", der)
}

func newTemplate(subject pkix.Name) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: subject,
		NotBefore: now.Add(-clockSlack), NotAfter: now.Add(validity),
	}
}

// serviceAccountKeys writes the key that signs service accounts' tokens, and its public half.
func serviceAccountKeys(directory string) (pair, error) {
	files := pair{certificate: filepath.Join(directory, "sa.pub"), key: filepath.Join(directory, "sa.key")}
	key, err := writeKey(files.key)
	if err != nil {
		return pair{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return pair{}, fmt.Errorf("key of service accounts: %w", err)
	}
	return files, writePEM(files.certificate, "PUBLIC KEY", der)
}

// writeKey makes a key and writes it into a file.
func writeKey(file string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return key, writePEM(file, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	// A file that is there keeps its mode, so it goes first.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("certificates: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	return nil
}

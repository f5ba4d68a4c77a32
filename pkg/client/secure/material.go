// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
)

// Material is what TLS needs besides names, in PEM. All of it may be missing.
type Material struct {
	// CA are the certificates of those who may have signed the server's; without, those whom the system trusts may.
	CA []byte
	// Certificate and Key are this side's, for servers that want them. Either both are given or none.
	Certificate, Key []byte
}

// Source gives the material as it is now. It is asked for each connection, concurrently, and must not block for long.
type Source func() (Material, error)

// Static is a source that never changes.
func Static(material Material) Source { return func() (Material, error) { return material, nil } }

// readings is how often a certificate and a key that do not fit are read: one of them may have been replaced while the
// other was read, which takes microseconds. Twice in a row that is something else.
const readings = 2

// Files reads the material from files; a name that is empty is material that is missing. A file that is empty is an
// error.
func Files(ca, certificate, key string) Source {
	var fitted atomic.Pointer[Material] // what did last: to look at a key of RSA takes longer than all the rest
	return func() (Material, error) {
		var material Material
		for range readings {
			var err error
			if material, err = readFiles(ca, certificate, key); err != nil {
				return Material{}, err
			}
			if last := fitted.Load(); last != nil && last.equal(material) {
				break
			}
			if _, err := material.pair(); err == nil {
				fitted.Store(&material)
				break
			}
		}
		return material, nil
	}
}

func (m Material) equal(other Material) bool {
	return bytes.Equal(m.CA, other.CA) && bytes.Equal(m.Certificate, other.Certificate) && bytes.Equal(m.Key, other.Key)
}

func readFiles(ca, certificate, key string) (Material, error) {
	var material Material
	for _, file := range []struct {
		name   string
		target *[]byte
	}{{ca, &material.CA}, {certificate, &material.Certificate}, {key, &material.Key}} {
		if file.name == "" {
			continue
		}
		data, err := os.ReadFile(file.name)
		if err != nil {
			return Material{}, err
		}
		if len(data) == 0 { // which would be taken for none
			return Material{}, fmt.Errorf("%s is empty", file.name)
		}
		*file.target = data
	}
	return material, nil
}

// Check says what is wrong with the material. It repeats nothing of it.
func (m Material) Check() error {
	_, err := m.client()
	return err
}

// roots are nil for those whom the system trusts.
func (m Material) roots() (*x509.CertPool, error) {
	if len(m.CA) == 0 {
		return nil, nil //nolint:nilnil // as x509 has it
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(m.CA) {
		return nil, errors.New("the CA holds no certificate; it has to be PEM, with -----BEGIN CERTIFICATE-----")
	}
	return pool, nil
}

// pair is nil where there is none.
func (m Material) pair() (*tls.Certificate, error) {
	if len(m.Certificate) == 0 && len(m.Key) == 0 {
		return nil, nil //nolint:nilnil // to have none is as good as any
	}
	pair, err := tls.X509KeyPair(m.Certificate, m.Key)
	if err != nil {
		return nil, fmt.Errorf("the certificate and its key do not work: %w", err)
	}
	return &pair, nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// systemTLS is the directory that stands for the machine's own authorities.
const systemTLS = "system"

// tlsConfig reads a directory as Kubernetes mounts a Secret of type kubernetes.io/tls: ca.crt says whom to believe
// (else the machine's authorities), tls.crt and tls.key who this is, where they are there. No directory is no
// encryption.
func tlsConfig(directory string) (*tls.Config, error) {
	if directory == "" {
		return nil, nil //nolint:nilnil // nil is what "in the clear" is to the client
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if directory == systemTLS {
		return config, nil
	}
	if _, err := os.Stat(directory); err != nil {
		return nil, err
	}
	authorities := filepath.Join(directory, "ca.crt")
	switch pem, err := os.ReadFile(authorities); {
	case err == nil:
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", authorities)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	own := filepath.Join(directory, "tls.crt")
	if _, err := os.Stat(own); errors.Is(err, fs.ErrNotExist) {
		return config, nil
	}
	certificate, err := tls.LoadX509KeyPair(own, filepath.Join(directory, "tls.key"))
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{certificate}
	return config, nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/configfile"
)

// certificate writes a certificate that signed itself, and its key.
func certificate(t *testing.T, dir string, serial int64) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, 1)
	settings := &TLS{CAFile: cert, CertFile: cert, KeyFile: key, ServerName: "zk"}
	var f configfile.Faults
	settings.Check(&f, "tls")
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	config, err := settings.config(nil)
	if err != nil {
		t.Fatal(err)
	}
	if config.ServerName != "zk" {
		t.Errorf("got %+v", config)
	}
	for serial := range int64(2) { // a certificate that is renewed in place is used without a restart
		certificate(t, dir, serial+5)
		own, err := config.GetClientCertificate(nil)
		if err != nil || own.Leaf.SerialNumber.Int64() != serial+5 {
			t.Errorf("got %v, %v", own.Leaf.SerialNumber, err)
		}
	}
	if _, err := (&TLS{CAFile: filepath.Join(dir, "none")}).config(nil); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestNothingIsNoTLSAndNoSASL(t *testing.T) {
	if config, err := (*TLS)(nil).config(nil); config != nil || err != nil {
		t.Errorf("got %v, %v", config, err)
	}
	if sasl := (*SASL)(nil).config(); sasl != nil {
		t.Errorf("got %v", sasl)
	}
}

func TestCredentialsAreThoseOfTheMoment(t *testing.T) {
	dir := t.TempDir()
	user, password := filepath.Join(dir, "user"), filepath.Join(dir, "password")
	settings := &SASL{Mechanism: MechanismScramSHA256, UsernameFile: user, PasswordFile: password}
	sasl := settings.config()
	if _, err := sasl.Credentials(t.Context()); err == nil {
		t.Error("no error without files")
	}
	for _, now := range []string{"old", "new"} {
		for _, file := range []string{user, password} {
			if err := os.WriteFile(file, []byte(now+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		credentials, err := sasl.Credentials(t.Context())
		if err != nil || credentials.User != now || credentials.Password != now {
			t.Errorf("got %+v, %v", credentials, err)
		}
	}
}

func TestConnect(t *testing.T) {
	dir := t.TempDir()
	digest := filepath.Join(dir, "digest")
	if err := os.WriteFile(digest, []byte("user:password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	zk := ZooKeeper{
		Connect: "127.0.0.1:1", SessionTimeout: configfile.Duration(time.Second), DigestFile: digest, TLS: &TLS{},
	}
	logger := slog.New(slog.DiscardHandler)
	cluster, err := (&Cluster{ZooKeeper: &zk}).Connect(logger)
	if err != nil {
		t.Fatal(err)
	}
	if err := cluster.Close(); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*ZooKeeper){
		"digest gone": func(z *ZooKeeper) { z.DigestFile = filepath.Join(dir, "none") },
		"CA gone":     func(z *ZooKeeper) { z.TLS = &TLS{CAFile: filepath.Join(dir, "none")} },
		"nowhere":     func(z *ZooKeeper) { z.Connect = "a:b:c" },
	} {
		broken := zk
		edit(&broken)
		if _, err := (&Cluster{ZooKeeper: &broken}).Connect(logger); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

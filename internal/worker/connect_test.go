// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

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

	"github.com/samsa-dev/samsa/pkg/pump/lane"
	"github.com/samsa-dev/samsa/pkg/sink/discard"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/logsink"
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
	var f faults
	settings.check(&f, "tls")
	if err := f.err(); err != nil {
		t.Fatal(err)
	}
	config, err := settings.config()
	if err != nil {
		t.Fatal(err)
	}
	if config.ServerName != "zk" || config.RootCAs == nil {
		t.Errorf("got %+v", config)
	}
	for serial := range int64(2) { // a certificate that is renewed in place is used without a restart
		certificate(t, dir, serial+5)
		client, err := config.GetClientCertificate(nil)
		if err != nil || client.Leaf.SerialNumber.Int64() != serial+5 {
			t.Errorf("got %v, %v", client.Leaf.SerialNumber, err)
		}
	}
	if _, err := (&TLS{CAFile: filepath.Join(dir, "none")}).config(); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestEachWordHasItsRule(t *testing.T) {
	for word, want := range map[OutOfRange]lane.Rule{
		OutOfRangeEarliestOrBlock: lane.EarliestOrBlock, OutOfRangeBlock: lane.BlockOutOfRange,
		OutOfRangeEarliest: lane.ToEarliest, OutOfRangeLatest: lane.ToLatest, OutOfRangeNearest: lane.ToNearest,
	} {
		if got := word.rule(); got != want {
			t.Errorf("%s: got %d, want %d", word, got, want)
		}
	}
}

func TestConnect(t *testing.T) {
	dir := t.TempDir()
	digest := filepath.Join(dir, "digest")
	if err := os.WriteFile(digest, []byte("user:password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	zk := ZooKeeper{Connect: "127.0.0.1:1", SessionTimeout: Duration(time.Second), DigestFile: digest, TLS: &TLS{}}
	logger := slog.New(slog.DiscardHandler)
	cluster, err := (&Cluster{ZooKeeper: &zk}).connect(logger)
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
		if _, err := (&Cluster{ZooKeeper: &broken}).connect(logger); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSinks(t *testing.T) {
	for _, c := range []struct {
		sink Sink
		is   func(any) bool
	}{
		{Sink{Log: &LogSink{}}, func(s any) bool { _, ok := s.(*logsink.Sink); return ok }},
		{Sink{Discard: &DiscardSink{}}, func(s any) bool { _, ok := s.(discard.Sink); return ok }},
		{Sink{HTTP: &HTTPSink{URL: "http://b"}}, func(s any) bool { _, ok := s.(*httpsink.Sink); return ok }},
	} {
		opened, err := c.sink.open(Default().Delivery)
		if err != nil || !c.is(opened) {
			t.Errorf("got %T, %v", opened, err)
			continue
		}
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}
}

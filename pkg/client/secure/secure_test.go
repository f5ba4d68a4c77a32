// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/client/secure"
)

func authority(t *testing.T, name string) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, by *pki.Authority, wanted pki.Certificate) pki.Pair {
	t.Helper()
	pair, err := by.Issue(wanted)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// serve answers each connection by TLS with what it is sent, until the test ends. It gives the address.
func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	plain, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close() })
	listener := plain
	if config != nil {
		listener = tls.NewListener(plain, config)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if config == nil {
					_, _ = conn.Write([]byte("220 mail\r\n"))
				}
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return plain.Addr().String()
}

// talk connects, and sends a word there and back.
func talk(t *testing.T, config *tls.Config, address, as string) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	secured, err := secure.Client(ctx, conn, config, as)
	if err != nil {
		return err
	}
	defer secured.Close()
	if _, err := secured.Write([]byte("word")); err != nil {
		return err
	}
	_, err = io.ReadFull(secured, make([]byte, 4))
	return err
}

func server(t *testing.T, pair pki.Pair) *tls.Config {
	t.Helper()
	certificate, err := pair.TLS()
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
}

func trusting(t *testing.T, name string, material secure.Material) *tls.Config {
	t.Helper()
	config, err := secure.Config(name, secure.Static(material), nil)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	ours, other := authority(t, "ours"), authority(t, "other")
	good := issue(t, ours, pki.Certificate{Hosts: []string{"127.0.0.1", "kafka"}})
	for _, c := range []struct {
		name     string
		pair     pki.Pair
		trusting []byte
		as       string
		expected string // in place of the host
		want     string // empty for nothing
	}{
		{"an address", good, ours.PEM(), "127.0.0.1", "", ""},
		{"a host", good, ours.PEM(), "kafka", "", ""},
		{"a name that is set", good, ours.PEM(), "10.0.0.1", "kafka", ""},
		{"another host", good, ours.PEM(), "zebra", "",
			"tls: the server's certificate is not for zebra, but for kafka, 127.0.0.1: connect by a name that it has," +
				" or set the server name to one"},
		{"another address", good, ours.PEM(), "10.0.0.1", "", "is not for 10.0.0.1, but for kafka, 127.0.0.1"},
		{"another name that is set", good, ours.PEM(), "kafka", "zebra", "is not for zebra"},
		{"no names", issue(t, ours, pki.Certificate{}), ours.PEM(), "kafka", "", "but for no name at all"},
		{"another authority", good, other.PEM(), "kafka", "",
			"tls: nobody trusted has signed the server's certificate (its issuer is CN=ours): give the certificate of its" +
				" authority as the CA"},
		{"the system's authorities", good, nil, "kafka", "", "nobody trusted has signed the server's certificate"},
		{"the past", issue(t, ours, pki.Certificate{Hosts: []string{"kafka"}, Expired: true}), ours.PEM(), "kafka", "",
			"tls: the server's certificate expired at "},
		{"the future", issue(t, ours, pki.Certificate{Hosts: []string{"kafka"}, Early: true}), ours.PEM(), "kafka", "",
			"tls: the server's certificate is not valid before "},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := serve(t, server(t, c.pair))
			_, port, _ := net.SplitHostPort(address)
			config := trusting(t, c.expected, secure.Material{CA: c.trusting})
			said(t, talk(t, config, address, net.JoinHostPort(c.as, port)), c.want)
			if c.trusting == nil {
				return
			}
			// One that does not change says the same.
			fixed := &tls.Config{ServerName: c.expected, RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
			fixed.RootCAs.AppendCertsFromPEM(c.trusting)
			said(t, talk(t, fixed, address, net.JoinHostPort(c.as, port)), c.want)
		})
	}
}

func said(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got %v", err)
		}
		return
	}
	explained, ok := errors.AsType[*secure.Error](err)
	if !ok || !strings.Contains(explained.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAServerThatWantsACertificate(t *testing.T) {
	ours, other := authority(t, "ours"), authority(t, "other")
	good := issue(t, ours, pki.Certificate{Hosts: []string{"kafka"}})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			config := server(t, good)
			config.MaxVersion, config.ClientAuth = version, tls.RequireAndVerifyClientCert
			config.ClientCAs = x509.NewCertPool()
			config.ClientCAs.AppendCertsFromPEM(ours.PEM())
			address := serve(t, config)
			for _, c := range []struct {
				name string
				pair pki.Pair
				want string
			}{
				{"a good one", issue(t, ours, pki.Certificate{Name: "me"}), ""},
				{"none", pki.Pair{}, "certificate of this side"},
				{"of another authority", issue(t, other, pki.Certificate{Name: "me"}), "certificate"},
				{"of the past", issue(t, ours, pki.Certificate{Name: "me", Expired: true}),
					"certificate, or the lack of one"},
			} {
				material := secure.Material{CA: ours.PEM(), Certificate: c.pair.Certificate, Key: c.pair.Key}
				said(t, talk(t, trusting(t, "kafka", material), address, address), c.want)
			}
		})
	}
}

func TestAServerWithoutTLS(t *testing.T) {
	config := trusting(t, "", secure.Material{})
	said(t, talk(t, config, serve(t, nil), "kafka:9092"), "the server does not speak TLS there")

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, _ = conn.Read(make([]byte, 1<<10))
			conn.Close()
		}
	}()
	said(t, talk(t, config, listener.Addr().String(), "kafka:9092"), "the server hangs up in the handshake")
}

func TestFilesAreReadAnew(t *testing.T) {
	dir := t.TempDir()
	ca, certificate, key := filepath.Join(dir, "ca"), filepath.Join(dir, "crt"), filepath.Join(dir, "key")
	write := func(authority *pki.Authority, pair pki.Pair) {
		t.Helper()
		for file, data := range map[string][]byte{ca: authority.PEM(), certificate: pair.Certificate, key: pair.Key} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	before, after := authority(t, "before"), authority(t, "after")
	write(before, issue(t, before, pki.Certificate{Name: "me"}))
	config, err := secure.Config("kafka", secure.Files(ca, certificate, key), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, now := range []*pki.Authority{before, after} {
		write(now, issue(t, now, pki.Certificate{Name: "me"}))
		mutual := server(t, issue(t, now, pki.Certificate{Hosts: []string{"kafka"}}))
		mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		mutual.ClientCAs.AppendCertsFromPEM(now.PEM())
		said(t, talk(t, config, serve(t, mutual), "127.0.0.1:1"), "")
	}
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	address := serve(t, server(t, issue(t, after, pki.Certificate{Hosts: []string{"kafka"}})))
	said(t, talk(t, config, address, address), "")
}

func TestAClientGoesOnWithWhatWasGoodLast(t *testing.T) {
	ours, others := authority(t, "ours"), authority(t, "others")
	pair, strange := issue(t, ours, pki.Certificate{Name: "me"}), issue(t, others, pki.Certificate{})
	good := secure.Material{CA: ours.PEM(), Certificate: pair.Certificate, Key: pair.Key}
	material, told := good, []string{}
	config, err := secure.Config("kafka", func() (secure.Material, error) { return material, nil },
		func(err error) { told = append(told, fmt.Sprint(err)) })
	if err != nil {
		t.Fatal(err)
	}
	mutual := server(t, issue(t, ours, pki.Certificate{Hosts: []string{"kafka"}}))
	mutual.ClientAuth, mutual.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	mutual.ClientCAs.AppendCertsFromPEM(ours.PEM())
	tries := func(now secure.Material, want string) {
		t.Helper()
		material = now
		said(t, talk(t, config, serve(t, mutual), "127.0.0.1:1"), want)
	}
	tries(good, "")
	tries(secure.Material{CA: good.CA, Certificate: good.Certificate, Key: strange.Key}, "")
	tries(secure.Material{CA: []byte("rubbish"), Certificate: good.Certificate, Key: good.Key}, "")
	tries(good, "")
	tries(secure.Material{CA: others.PEM(), Certificate: good.Certificate, Key: good.Key}, "nobody trusted has signed")
	want := []string{"do not work", "the CA holds no certificate", "<nil>"}
	if len(told) != len(want) {
		t.Fatalf("told %q", told)
	}
	for i := range want {
		if !strings.Contains(told[i], want[i]) {
			t.Errorf("told %q, want %q", told[i], want[i])
		}
	}
}

func TestMaterialThatIsWrong(t *testing.T) {
	ours := authority(t, "ours")
	one, another := issue(t, ours, pki.Certificate{}), issue(t, ours, pki.Certificate{})
	for name, c := range map[string]struct {
		material secure.Material
		want     string
	}{
		"nothing":           {secure.Material{}, ""},
		"all of it":         {secure.Material{CA: ours.PEM(), Certificate: one.Certificate, Key: one.Key}, ""},
		"no CA":             {secure.Material{CA: []byte("x")}, "the CA holds no certificate"},
		"a key alone":       {secure.Material{Key: one.Key}, "the certificate and its key do not work"},
		"a certificate":     {secure.Material{Certificate: one.Certificate}, "the certificate and its key do not work"},
		"another one's key": {secure.Material{Certificate: one.Certificate, Key: another.Key}, "do not work"},
	} {
		_, err := secure.Config("", secure.Static(c.material), nil)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	gone := secure.Files(filepath.Join(t.TempDir(), "none"), "", "")
	if _, err := secure.Config("", gone, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What the network does is not TLS's fault, and stays as it is.
func TestErrorsOfTheNetworkStay(t *testing.T) {
	for _, err := range []error{context.Canceled, context.DeadlineExceeded, io.EOF, net.ErrClosed, nil} {
		if got := secure.Explain(err); !errors.Is(got, err) || got != nil && got.Error() != err.Error() {
			t.Errorf("got %v, want %v", got, err)
		}
	}
}

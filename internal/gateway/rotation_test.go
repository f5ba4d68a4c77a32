// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// service is the name that the certificates of replicas are for: no address is in them.
const service = "orders-gateway.shop.svc"

// pair is two replicas with files of their own.
type pair struct {
	world     *world.World
	replicas  [2]*trust
	addresses []string
	client    *http.Client
}

func newPair(t *testing.T) *pair {
	t.Helper()
	w, err := world.Start(t.Context(), world.Config{Topics: map[string]int32{"orders": 3}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &pair{world: w, replicas: [2]*trust{newTrust(t), newTrust(t)}, addresses: ports(t, 2)}
	p.client = p.replicas[0].caller(t, "billing")
	transport, _ := p.client.Transport.(*http.Transport)
	transport.TLSClientConfig.InsecureSkipVerify = true
	p.replicas[1].write(t, "ca.crt", p.replicas[0].authority.PEM())
	return p
}

// certify gives a replica a certificate of an authority.
func (p *pair) certify(t *testing.T, replica int, authority *pki.Authority) {
	t.Helper()
	issued, err := authority.Issue(pki.Certificate{Name: "gateway", Hosts: []string{service}})
	if err != nil {
		t.Fatal(err)
	}
	p.replicas[replica].write(t, "tls.crt", issued.Certificate)
	p.replicas[replica].write(t, "tls.key", issued.Key)
}

// agree gives the second replica what the first has.
func (p *pair) agree(t *testing.T) {
	t.Helper()
	for _, name := range []string{"tls.crt", "tls.key"} {
		data, err := os.ReadFile(filepath.Join(p.replicas[0].directory, name))
		if err != nil {
			t.Fatal(err)
		}
		p.replicas[1].write(t, name, data)
	}
}

func (p *pair) run(t *testing.T, auth string) {
	t.Helper()
	for i, replica := range p.replicas {
		start(t, fmt.Sprintf(`
topic: orders
cluster: {zookeeper: {connect: %q}}
http:
  address: %q
  internalAddress: "127.0.0.1:0"
  drainDelay: 0s
  tls: {certFile: %[3]s/tls.crt, keyFile: %[3]s/tls.key, caFile: %[3]s/ca.crt, serverName: %[4]s}
auth: %[5]s
produce: {timeout: 1s}
idempotency: {peers: %[6]q}
`, p.world.Connect(), p.addresses[i], replica.directory, service,
			strings.ReplaceAll(auth, "DIR", replica.directory), strings.Join(p.addresses, ",")))
	}
}

// settle publishes with keys until each has a replica that answers for it, and gives these.
func (p *pair) settle(t *testing.T) map[string]int {
	t.Helper()
	owners := map[string]int{}
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	const keys = 10
	for begun := time.Now(); len(owners) < keys; <-pause.C {
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("only these have an owner: %v", owners)
		}
		for i := range keys {
			key := fmt.Sprint("key-", i)
			for replica, address := range p.addresses {
				if _, known := owners[key]; known {
					continue
				}
				if status, _ := post(t, p.client, address, key, "a message"); status == http.StatusCreated {
					owners[key] = replica
				}
			}
		}
	}
	return owners
}

// Two replicas while their certificate is being replaced, so that each has another with another key.
func TestReplicasWithDifferentCertificates(t *testing.T) {
	const mtls = "{type: MTLS, mtls: {caFile: DIR/ca.crt}}"
	for name, c := range map[string]struct {
		auth    string
		foreign bool
		// says is why what is sent on is refused; empty if it is not.
		says string
	}{
		"of one authority trust each other":         {auth: "{type: None}"},
		"of one authority speak for nobody":         {auth: mtls, says: "have the same key yet"},
		"of two authorities have nothing in common": {auth: "{type: None}", foreign: true, says: "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			p.certify(t, 0, p.replicas[0].authority)
			p.certify(t, 1, p.replicas[0].authority)
			if c.foreign {
				p.certify(t, 1, p.replicas[1].authority)
				p.replicas[1].write(t, "ca.crt", p.replicas[1].authority.PEM())
			}
			p.run(t, c.auth)
			owners := p.settle(t)
			for key, owner := range owners {
				status, answer := post(t, p.client, p.addresses[1-owner], key, "a message")
				if c.says == "" && status != http.StatusCreated ||
					c.says != "" && (status != http.StatusServiceUnavailable || !strings.Contains(answer, c.says)) {
					t.Errorf("%s: %d %s", key, status, answer)
				}
			}
			p.agree(t)
			for key, owner := range owners {
				first := written(t, p.client, p.addresses[owner], key, "a message")
				if again := written(t, p.client, p.addresses[1-owner], key, "a message"); again != first {
					t.Errorf("%s: %s, then %s", key, first, again)
				}
			}
			total := int64(0)
			for _, id := range p.world.Brokers().Partitions("orders") {
				total += p.world.Brokers().End(kafka.Partition{Topic: "orders", ID: id})
			}
			if total != int64(len(owners)) {
				t.Errorf("%d messages for %d keys", total, len(owners))
			}
		})
	}
}

// Whatever becomes of the files, callers and replicas go on with what was good last, and speak for nobody by what is no
// key: anybody could.
func TestReplicasWhoseFilesBreak(t *testing.T) {
	for name, files := range map[string]map[string][]byte{
		"empty":   {"tls.crt": {}, "tls.key": {}, "ca.crt": {}},
		"rubbish": {"tls.key": []byte("key"), "ca.crt": []byte("authority")},
		"swapped": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			p.certify(t, 0, p.replicas[0].authority)
			p.agree(t)
			p.run(t, "{type: MTLS, mtls: {caFile: DIR/ca.crt}}")
			owners := p.settle(t)
			if files == nil {
				certificate, err := os.ReadFile(filepath.Join(p.replicas[0].directory, "tls.crt"))
				if err != nil {
					t.Fatal(err)
				}
				files = map[string][]byte{"tls.key": certificate}
			}
			for file, data := range files {
				p.replicas[0].write(t, file, data)
				p.replicas[1].write(t, file, data)
			}
			p.client.CloseIdleConnections()
			for key, owner := range owners {
				first := written(t, p.client, p.addresses[owner], key, "a message")
				if again := written(t, p.client, p.addresses[1-owner], key, "a message"); again != first {
					t.Errorf("%s: %s, then %s", key, first, again)
				}
			}
		})
	}
}

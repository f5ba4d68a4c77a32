// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package security_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/pki"
	"github.com/samsa-dev/samsa/internal/realkafka"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

const (
	topic = "orders"
	// host is where all brokers are.
	host = "127.0.0.1"
	user = "billing"
	// secret is the user's password, at the beginning.
	secret = "correct horse"
)

// The listeners of the broker, by what they want.
const (
	open     = "PLAINTEXT"
	byTLS    = "TLS"
	expired  = "EXPIRED"
	stranger = "STRANGER"
	mutual   = "MUTUAL"
	byPlain  = "PLAIN"
	byScram  = "SCRAM"
	byToken  = "TOKEN"
)

// reauthentication is how long brokers believe credentials, in milliseconds. franz-go proves them again a second
// earlier.
const reauthentication = "3000"

// startTimeout is for machines that others keep busy: five TLS engines more make a start of 3 s one of 5 s on two idle
// cores, and of more than 3 min where ten processes want each of them.
const startTimeout = 10 * time.Minute

// broker is a broker that can be reached in every way.
type broker struct {
	*realkafka.Cluster
	dir string
	// authority has signed everything there is at first.
	authority *pki.Authority
	admin     *kadm.Client
}

func newBroker(ctx context.Context, release string) *broker {
	GinkgoHelper()
	need(release)
	b := &broker{dir: GinkgoT().TempDir(), authority: authority("samsa")}
	b.keep("expired", b.authority, pki.Certificate{Hosts: []string{host}, Expired: true})
	b.keep("stranger", b.authority, pki.Certificate{Hosts: []string{"somebody.else"}})
	b.keep("server", b.authority, pki.Certificate{Hosts: []string{host}})
	b.trust(b.authority)
	cluster, err := realkafka.Start(ctx, realkafka.Config{
		Version: release, Properties: b.properties(), StartTimeout: startTimeout, Keep: keep,
		Listeners: []realkafka.Listener{
			{Protocol: open}, {Name: byTLS, Protocol: "SSL"}, {Name: expired, Protocol: "SSL"},
			{Name: stranger, Protocol: "SSL"}, {Name: mutual, Protocol: "SSL"}, {Name: byPlain, Protocol: "SASL_PLAINTEXT"},
			{Name: byScram, Protocol: "SASL_SSL"}, {Name: byToken, Protocol: "SASL_PLAINTEXT"},
		},
	})
	Expect(err).NotTo(HaveOccurred())
	b.Cluster = cluster
	DeferCleanup(cluster.Stop)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Bootstrap()))
	Expect(err).NotTo(HaveOccurred())
	b.admin = kadm.NewClient(client)
	DeferCleanup(b.admin.Close)
	makeTopic(ctx, cluster.Bootstrap())
	b.setPassword(ctx, secret)
	return b
}

// keep keeps the logs of what failed.
func keep() bool { return CurrentSpecReport().Failed() }

// properties say how each listener convinces, and is convinced.
func (b *broker) properties() map[string]string {
	all := map[string]string{
		of(mutual, "ssl.client.auth"):          "required",
		of(byPlain, "sasl.enabled.mechanisms"): "PLAIN",
		of(byPlain, "plain.sasl.jaas.config"):  plainModule(),
		of(byScram, "sasl.enabled.mechanisms"): "SCRAM-SHA-256,SCRAM-SHA-512",
		of(byToken, "sasl.enabled.mechanisms"): "OAUTHBEARER",
		of(byToken, "oauthbearer.sasl.jaas.config"): module("oauthbearer.OAuthBearerLoginModule",
			`unsecuredLoginStringClaim_sub="broker"`),
		"connections.max.reauth.ms": reauthentication,
	}
	for _, mechanism := range []string{"scram-sha-256", "scram-sha-512"} {
		all[of(byScram, mechanism+".sasl.jaas.config")] = module("scram.ScramLoginModule", "")
	}
	for listener, store := range map[string]string{
		byTLS: "server", mutual: "server", byScram: "server", expired: "expired", stranger: "stranger",
	} {
		all[of(listener, "ssl.keystore.type")], all[of(listener, "ssl.truststore.type")] = "PEM", "PEM"
		all[of(listener, "ssl.keystore.location")] = b.file(store + ".pem")
		all[of(listener, "ssl.truststore.location")] = b.file("trusted.pem")
	}
	return all
}

func plainModule() string {
	return module("plain.PlainLoginModule", fmt.Sprintf("user_%s=%q", user, secret))
}

func module(name, options string) string {
	return strings.TrimSpace("org.apache.kafka.common.security."+name+" required "+options) + ";"
}

// of is the name of a listener's property.
func of(listener, property string) string {
	return "listener.name." + strings.ToLower(listener) + "." + property
}

func (b *broker) file(name string) string { return filepath.Join(b.dir, name) }

// keep writes a certificate with its key to where brokers look for it.
func (b *broker) keep(name string, by *pki.Authority, wanted pki.Certificate) {
	GinkgoHelper()
	pair := issue(by, wanted)
	b.write(name+".pem", append(pair.Key, pair.Certificate...))
}

// trust writes the authorities whose clients brokers believe.
func (b *broker) trust(authorities ...*pki.Authority) {
	GinkgoHelper()
	var all []byte
	for _, one := range authorities {
		all = append(all, one.PEM()...)
	}
	b.write("trusted.pem", all)
}

func (b *broker) write(name string, data []byte) {
	GinkgoHelper()
	Expect(os.WriteFile(b.file(name), data, 0o600)).To(Succeed())
}

// setPassword changes the user's, for SCRAM.
func (b *broker) setPassword(ctx context.Context, password string) {
	GinkgoHelper()
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		altered, err := b.admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{
			{User: user, Mechanism: mechanism, Iterations: 4096, Password: password},
		})
		Expect(err).NotTo(HaveOccurred())
		Expect(altered.Error()).NotTo(HaveOccurred())
	}
}

// restart makes the broker read its files anew.
func (b *broker) restart(ctx context.Context) {
	GinkgoHelper()
	Expect(b.Broker(0).Kill()).To(Succeed())
	Expect(b.Broker(0).Start(ctx)).To(Succeed())
}

// at is the configuration of a client that goes to a listener.
func (b *broker) at(listener string) wire.Config {
	return wire.Config{Brokers: []string{b.Addresses(listener)}}
}

func authority(name string) *pki.Authority {
	GinkgoHelper()
	made, err := pki.NewAuthority(name)
	Expect(err).NotTo(HaveOccurred())
	return made
}

func issue(by *pki.Authority, wanted pki.Certificate) pki.Pair {
	GinkgoHelper()
	pair, err := by.Issue(wanted)
	Expect(err).NotTo(HaveOccurred())
	return pair
}

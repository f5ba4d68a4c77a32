// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/client/wire"
)

const (
	// leastMaxMessageBytes is below what any broker is set to, and above what somebody gives who means megabytes.
	leastMaxMessageBytes = 1_000
	// mostMaxMessageBytes is the largest request that brokers of Kafka 0.7 read, unless they are set to read larger ones
	// (max.socket.request.bytes): 100 MiB.
	mostMaxMessageBytes = 100 << 20
)

// Check reports what is wrong with the block, including the files it names.
func (c *Cluster) Check(f *configfile.Faults) {
	if n := c.MaxMessageBytes; n < leastMaxMessageBytes || n > mostMaxMessageBytes {
		f.Add("cluster.maxMessageBytes", "is %d; give what the brokers take (max.message.size), from %d to %d bytes",
			n, leastMaxMessageBytes, mostMaxMessageBytes)
	}
	if c.ZooKeeper == nil && len(c.BootstrapServers) == 0 {
		f.Add("cluster", "has neither zookeeper nor bootstrapServers; say how to reach the cluster:"+
			" `zookeeper: {connect: HOST:PORT/CHROOT}`, or `bootstrapServers: [HOST:PORT]`")
	}
	checkServers(f, "cluster.bootstrapServers", c.BootstrapServers)
	if c.TLS != nil {
		c.TLS.Check(f, "cluster.tls")
	}
	if c.SASL != nil {
		c.SASL.check(f, "cluster.sasl")
	}
	if c.ZooKeeper != nil {
		c.ZooKeeper.check(f)
	}
}

func (zk *ZooKeeper) check(f *configfile.Faults) {
	checkConnect(f, "cluster.zookeeper.connect", zk.Connect)
	// A session must outlast 3 ticks of the server; the shortest tick in use is some 300 ms. Servers give no more than
	// 20 ticks unless told to; 5 minutes without an owner after a crash is more than anybody wants.
	configfile.Between(f, "cluster.zookeeper.sessionTimeout", zk.SessionTimeout, time.Second, 5*time.Minute)
	checkDigest(f, "cluster.zookeeper.digestFile", zk.DigestFile)
	if zk.TLS != nil {
		zk.TLS.Check(f, "cluster.zookeeper.tls")
	}
}

// Check reports what is wrong with the files.
func (t *TLS) Check(f *configfile.Faults, path string) {
	if data, ok := f.Read(path+".caFile", t.CAFile); ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
		f.Add(path+".caFile", "%s holds no certificate; it should be PEM, with -----BEGIN CERTIFICATE-----", t.CAFile)
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		f.Add(path, "has one of certFile and keyFile; give both, or neither")
		return
	}
	cert, haveCert := f.Read(path+".certFile", t.CertFile)
	key, haveKey := f.Read(path+".keyFile", t.KeyFile)
	if !haveCert || !haveKey {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		f.Add(path, "certFile and keyFile do not make a certificate: %v", err)
	}
}

// check also tries the credentials that there are now; that they are right is for the brokers to say.
func (s *SASL) check(f *configfile.Faults, path string) {
	configfile.OneOf(f, path+".mechanism", s.Mechanism,
		MechanismPlain, MechanismScramSHA256, MechanismScramSHA512, MechanismOAuthBearer)
	wanted := map[string]string{"usernameFile": s.UsernameFile, "passwordFile": s.PasswordFile}
	others := map[string]string{"tokenFile": s.TokenFile}
	if s.Mechanism == MechanismOAuthBearer {
		wanted, others = others, wanted
	}
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		file := wanted[field]
		if file == "" {
			f.Add(path+"."+field, "is missing; mechanism %s needs it", s.Mechanism)
			continue
		}
		f.Read(path+"."+field, file)
	}
	for _, field := range slices.Sorted(maps.Keys(others)) {
		if others[field] != "" {
			f.Add(path+"."+field, "is not for mechanism %s; remove it", s.Mechanism)
		}
	}
	if f.Within(path) {
		return
	}
	credentials, err := s.credentials(context.Background())
	if err == nil {
		err = credentials.Check(wire.Mechanism(s.Mechanism))
	}
	if err != nil {
		f.Add(path, "%v", err)
	}
}

func checkDigest(f *configfile.Faults, path, file string) {
	data, ok := f.Read(path, file)
	if !ok {
		return
	}
	// What stands in the file is never repeated in the message: it is a secret.
	if user, _, ok := strings.Cut(strings.TrimSpace(string(data)), ":"); !ok || user == "" {
		f.Add(path, "%s does not hold user:password", file)
	}
}

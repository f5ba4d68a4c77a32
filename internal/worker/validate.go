// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/client/wire"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// check reports what is wrong with a configuration, including the files it names.
func (c *Config) check(f *faults) {
	checkName(f, "group", c.Group, "name the consumer group")
	checkName(f, "member", c.Member, "give this worker a name that is its own in the group")
	c.checkTopics(f)
	oneOf(f, "semantics", c.Semantics, SemanticsQueue, SemanticsTopic)
	c.checkOrdinal(f)
	c.Cluster.check(f)
	c.checkCoordination(f)
	oneOf(f, "start", c.Start, StartEarliest, StartLatest)
	oneOf(f, "outOfRange", c.OutOfRange,
		OutOfRangeEarliestOrBlock, OutOfRangeBlock, OutOfRangeEarliest, OutOfRangeLatest, OutOfRangeNearest)
	oneOf(f, "assignment", c.Assignment, AssignSticky, AssignRange)
	// Below 100 ms ten members of one group make 100 transactions a second on an ensemble made for far fewer; above a
	// minute a crash delivers too much again.
	between(f, "commitInterval", c.CommitInterval, 100*time.Millisecond, time.Minute)
	between(f, "drainTimeout", c.DrainTimeout, 100*time.Millisecond, time.Hour)
	c.Delivery.check(f)
	c.Sink.check(f)
	checkListen(f, c.Listen)
}

const (
	// leastMaxMessageBytes is below what any broker is set to, and above what somebody gives who means megabytes.
	leastMaxMessageBytes = 1_000
	// mostMaxMessageBytes is the largest request that brokers of Kafka 0.7 read, unless they are set to read larger ones
	// (max.socket.request.bytes): 100 MiB.
	mostMaxMessageBytes = 100 << 20
)

func (c *Cluster) check(f *faults) {
	if n := c.MaxMessageBytes; n < leastMaxMessageBytes || n > mostMaxMessageBytes {
		f.add("cluster.maxMessageBytes", "is %d; give what the brokers take (max.message.size), from %d to %d bytes",
			n, leastMaxMessageBytes, mostMaxMessageBytes)
	}
	if c.ZooKeeper == nil && len(c.BootstrapServers) == 0 {
		f.add("cluster", "has neither zookeeper nor bootstrapServers; say how to reach the cluster:"+
			" `zookeeper: {connect: HOST:PORT/CHROOT}`, or `bootstrapServers: [HOST:PORT]`")
	}
	checkServers(f, "cluster.bootstrapServers", c.BootstrapServers)
	if c.TLS != nil {
		c.TLS.check(f, "cluster.tls")
	}
	if c.SASL != nil {
		c.SASL.check(f, "cluster.sasl")
	}
	if c.ZooKeeper != nil {
		c.ZooKeeper.check(f)
	}
}

func (zk *ZooKeeper) check(f *faults) {
	checkConnect(f, "cluster.zookeeper.connect", zk.Connect)
	// A session must outlast 3 ticks of the server; the shortest tick in use is some 300 ms. Servers give no more than
	// 20 ticks unless told to; 5 minutes without an owner after a crash is more than anybody wants.
	between(f, "cluster.zookeeper.sessionTimeout", zk.SessionTimeout, time.Second, 5*time.Minute)
	checkDigest(f, "cluster.zookeeper.digestFile", zk.DigestFile)
	if zk.TLS != nil {
		zk.TLS.check(f, "cluster.zookeeper.tls")
	}
}

func (t *TLS) check(f *faults, path string) {
	if data, ok := readable(f, path+".caFile", t.CAFile); ok && !x509.NewCertPool().AppendCertsFromPEM(data) {
		f.add(path+".caFile", "%s holds no certificate; it should be PEM, with -----BEGIN CERTIFICATE-----", t.CAFile)
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		f.add(path, "has one of certFile and keyFile; give both, or neither")
		return
	}
	cert, haveCert := readable(f, path+".certFile", t.CertFile)
	key, haveKey := readable(f, path+".keyFile", t.KeyFile)
	if !haveCert || !haveKey {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		f.add(path, "certFile and keyFile do not make a certificate: %v", err)
	}
}

// check also tries the credentials that there are now; that they are right is for the brokers to say.
func (s *SASL) check(f *faults, path string) {
	oneOf(f, path+".mechanism", s.Mechanism,
		MechanismPlain, MechanismScramSHA256, MechanismScramSHA512, MechanismOAuthBearer)
	wanted := map[string]string{"usernameFile": s.UsernameFile, "passwordFile": s.PasswordFile}
	others := map[string]string{"tokenFile": s.TokenFile}
	if s.Mechanism == MechanismOAuthBearer {
		wanted, others = others, wanted
	}
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		file := wanted[field]
		if file == "" {
			f.add(path+"."+field, "is missing; mechanism %s needs it", s.Mechanism)
			continue
		}
		readable(f, path+"."+field, file)
	}
	for _, field := range slices.Sorted(maps.Keys(others)) {
		if others[field] != "" {
			f.add(path+"."+field, "is not for mechanism %s; remove it", s.Mechanism)
		}
	}
	if slices.ContainsFunc(f.list, func(known fault) bool { return strings.HasPrefix(known.path, path) }) {
		return
	}
	credentials, err := s.credentials(context.Background())
	if err == nil {
		err = credentials.Check(wire.Mechanism(s.Mechanism))
	}
	if err != nil {
		f.add(path, "%v", err)
	}
}

func (c *Config) checkCoordination(f *faults) {
	oneOf(f, "coordination", c.Coordination, CoordinationAuto, CoordinationZooKeeper, CoordinationKafka)
	if c.Coordination == CoordinationZooKeeper && c.Cluster.ZooKeeper == nil {
		f.add("coordination", "is ZooKeeper, and the cluster has none; give cluster.zookeeper, or make it %s",
			CoordinationKafka)
	}
}

func (d *Delivery) check(f *faults) {
	between(f, "delivery.timeout", d.Timeout, time.Millisecond, time.Hour)
	between(f, "delivery.retry.initialBackoff", d.Retry.InitialBackoff, time.Millisecond, time.Hour)
	between(f, "delivery.retry.maxBackoff", d.Retry.MaxBackoff, time.Millisecond, time.Hour)
	if d.Retry.MaxBackoff < d.Retry.InitialBackoff {
		f.add("delivery.retry.maxBackoff", "%s is below initialBackoff %s; raise it or lower initialBackoff",
			d.Retry.MaxBackoff, d.Retry.InitialBackoff)
	}
}

func (s *Sink) check(f *faults) {
	var chosen []string
	if s.HTTP != nil {
		chosen = append(chosen, "http")
		s.HTTP.check(f)
	}
	if s.Log != nil {
		chosen = append(chosen, "log")
	}
	if s.Discard != nil {
		chosen = append(chosen, "discard")
	}
	switch len(chosen) {
	case 0:
		f.add("sink", "is not chosen; give one of `http: {url: ...}`, `log: {}`, `discard: {}`")
	case 1:
	default:
		f.add("sink", "has %s; keep one, a message goes to one sink", strings.Join(chosen, " and "))
	}
}

// check leaves all but the format to the sink itself, which knows what it can send.
func (s *HTTPSink) check(f *faults) {
	const path = "sink.http."
	oneOf(f, path+"format", s.Format, FormatRaw, FormatCloudEventsBinary)
	if s.URL == "" {
		f.add(path+"url", "is missing; say where messages are posted to, as in http://billing/orders")
		return
	}
	if target, err := url.Parse(s.URL); err == nil && target.User != nil {
		f.add(path+"url", "holds a user's name; send credentials as a header, a URL ends up in logs")
	}
	made, err := httpsink.New(s.config(Default().Delivery))
	if err == nil {
		_ = made.Close() // it never connected
		return
	}
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) {
		f.add("sink.http", "%v", err)
		return
	}
	for _, problem := range list.Unwrap() {
		field, text, _ := strings.Cut(problem.Error(), ": ")
		f.also(path+field, text)
	}
}

func checkDigest(f *faults, path, file string) {
	data, ok := readable(f, path, file)
	if !ok {
		return
	}
	// What stands in the file is never repeated in the message: it is a secret.
	if user, _, ok := strings.Cut(strings.TrimSpace(string(data)), ":"); !ok || user == "" {
		f.add(path, "%s does not hold user:password", file)
	}
}

// readable reads a file that the configuration names; false if it names none or it cannot be read.
func readable(f *faults, path, file string) ([]byte, bool) {
	if file == "" {
		return nil, false
	}
	data, err := os.ReadFile(file)
	if err != nil {
		f.add(path, "cannot be read: %v", err)
		return nil, false
	}
	return data, true
}

func oneOf[T ~string](f *faults, path string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	names := make([]string, len(allowed))
	for i, name := range allowed {
		names[i] = string(name)
	}
	last := len(names) - 1
	f.add(path, "is %q; it can be %s or %s", string(value), strings.Join(names[:last], ", "), names[last])
}

func between(f *faults, path string, value Duration, low, high time.Duration) {
	switch {
	case time.Duration(value) < low:
		f.add(path, "%s is too short; give at least %s", value, low)
	case time.Duration(value) > high:
		f.add(path, "%s is too long; give at most %s", value, high)
	}
}

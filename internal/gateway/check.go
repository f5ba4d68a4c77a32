// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/internal/clusterconfig"
	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	handling "github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const (
	// leastBodyBytes is above what somebody gives who means megabytes; mostBodyBytes is the largest request that brokers
	// read.
	leastBodyBytes = 1 << 10
	mostBodyBytes  = 100 << 20
	// mostLinger is the API's: what waits longer is a batch job.
	mostLinger = 10 * time.Second
	// leastBuffered holds one message of the size that brokers take by default.
	leastBuffered = 1 << 20
	// mostRate is more than any cluster takes: 10^8 messages, 1 TiB in bytes a second.
	mostRate  = 100_000_000
	mostBytes = 1 << 40
)

// check reports what is wrong with a configuration, including the files it names.
func (c *Config) check(f *configfile.Faults) {
	c.Cluster.Check(f)
	if c.Topic == "" {
		f.Add("topic", "is missing; name what is published to")
	} else if err := layout.CheckTopic(c.Topic); err != nil {
		f.Add("topic", "%v", err)
	}
	c.HTTP.check(f)
	c.Auth.check(f, c.HTTP.TLS)
	c.Produce.check(f)
	c.Limits.check(f)
	c.Idempotency.check(f)
	if c.HTTP.RequestTimeout < c.Produce.Timeout && !f.Has("http.requestTimeout") && !f.Has("produce.timeout") {
		f.Add("http.requestTimeout", "%s is below produce.timeout %s, so requests would end before their outcome is known;"+
			" raise it, or lower produce.timeout", c.HTTP.RequestTimeout, c.Produce.Timeout)
	}
}

func (h *HTTP) check(f *configfile.Faults) {
	configfile.CheckListen(f, "http.address", h.Address)
	configfile.CheckListen(f, "http.internalAddress", h.InternalAddress)
	within(f, "http.maxBodyBytes", h.MaxBodyBytes, leastBodyBytes, mostBodyBytes)
	// More would be above what the server gives an answer.
	configfile.Between(f, "http.bodyTimeout", h.BodyTimeout, time.Second, handling.ReadTimeout)
	configfile.Between(f, "http.requestTimeout", h.RequestTimeout, time.Second, 10*time.Minute)
	configfile.Between(f, "http.drainDelay", h.DrainDelay, 0, 10*time.Minute)
	if h.TLS == nil {
		return
	}
	if h.TLS.CertFile == "" || h.TLS.KeyFile == "" {
		f.Add("http.tls", "has to have certFile and keyFile; give both, or remove it")
		return
	}
	(&clusterconfig.TLS{CertFile: h.TLS.CertFile, KeyFile: h.TLS.KeyFile}).Check(f, "http.tls")
	if _, err := secure.Config(h.TLS.ServerName, h.TLS.authority, nil); err != nil {
		f.Add("http.tls.caFile", "%v", err)
	}
}

func (a *Auth) check(f *configfile.Faults, server *ServerTLS) {
	configfile.OneOf(f, "auth.type", a.Type, AuthServiceAccount, AuthMTLS, AuthBasic, AuthNone)
	switch a.Type {
	case AuthServiceAccount:
		a.ServiceAccount.check(f)
	case AuthMTLS:
		a.MTLS.check(f, server)
	case AuthBasic:
		a.Basic.check(f)
	case AuthNone:
	}
}

func (s *ServiceAccount) check(f *configfile.Faults) {
	const path = "auth.serviceAccount."
	configfile.OneOf(f, path+"mode", s.Mode, ReviewToken, ReviewJWKS)
	if s.Audience == "" {
		f.Add(path+"audience", "is missing; name whom tokens are for, as in orders.shop.svc")
	}
	if s.Mode == ReviewToken && (s.Issuer != "" || s.JWKSURL != "") {
		f.Add(path+"mode", "is TokenReview, which has no issuer and jwksUrl; remove them, or make it JWKS")
	}
	if s.JWKSURL != "" {
		if target, err := url.Parse(s.JWKSURL); err != nil || target.Host == "" ||
			target.Scheme != "http" && target.Scheme != "https" {
			f.Add(path+"jwksUrl", "%q is no URL; give one with http:// or https://", s.JWKSURL)
		}
	}
	for i, allowed := range s.Allow {
		if allowed.Namespace == "" {
			f.Add(fmt.Sprintf("%sallow[%d].namespace", path, i), "is missing; name that of the ServiceAccount")
		}
	}
}

func (m *MTLS) check(f *configfile.Faults, server *ServerTLS) {
	if server == nil {
		f.Add("http.tls", "is missing, and callers show their certificates by TLS alone; give certFile and keyFile")
	}
	if m.CAFile == "" {
		f.Add("auth.mtls.caFile", "is missing; say who may sign the callers' certificates")
	}
	(&clusterconfig.TLS{CAFile: m.CAFile}).Check(f, "auth.mtls")
}

func (b *Basic) check(f *configfile.Faults) {
	const path = "auth.basic.usersFile"
	if b.UsersFile == "" {
		f.Add(path, "is missing; make one with htpasswd -B")
		return
	}
	if _, err := caller.NewUsers(b.UsersFile, time.Now, slog.New(slog.DiscardHandler)); err != nil {
		f.Add(path, "%v", err)
	}
}

func (p *Produce) check(f *configfile.Faults) {
	if _, err := client.ParsePartitioner(p.Partitioner); err != nil {
		f.Add("produce.partitioner", "%v", err)
	}
	if _, err := client.ParseAcks(p.Acks); err != nil {
		f.Add("produce.acks", "%v", err)
	}
	if _, err := kafka.ParseCompression(p.Compression); err != nil {
		f.Add("produce.compression", "%v", err)
	}
	configfile.Between(f, "produce.timeout", p.Timeout, time.Second, 10*time.Minute)
	configfile.Between(f, "produce.linger", p.Linger, 0, min(mostLinger, time.Duration(p.Timeout)/10))
	within(f, "produce.maxBufferedBytes", p.MaxBufferedBytes, leastBuffered, 1<<31-1)
}

func (l *Limits) check(f *configfile.Faults) {
	within(f, "limits.messagesPerSecond", l.MessagesPerSecond, 0, mostRate)
	within(f, "limits.bytesPerSecond", l.BytesPerSecond, 0, mostBytes)
	within(f, "limits.concurrent", l.Concurrent, 0, mostRate)
}

func (i *Idempotency) check(f *configfile.Faults) {
	if i.Window != nil {
		configfile.Between(f, "idempotency.window", *i.Window, 0, 24*time.Hour)
	}
	if i.Peers == "" {
		return
	}
	for peer := range strings.SplitSeq(i.Peers, ",") {
		if host, port, err := net.SplitHostPort(peer); err != nil || host == "" || port == "" {
			f.Add("idempotency.peers", "%q is no NAME:PORT; give the name that has the addresses of all replicas", peer)
		}
	}
}

func within(f *configfile.Faults, path string, value, low, high int) {
	if value < low || value > high {
		f.Add(path, "is %d; give a number from %d to %d", value, low, high)
	}
}

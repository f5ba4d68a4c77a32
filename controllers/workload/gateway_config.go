// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/gateway"
)

// gatewayFile is the configuration's key in its ConfigMap, and its file in the pod.
const gatewayFile = "gateway.yaml"

// peersPort is where gateways send requests on to each other: where callers send them.
const peersPort = PortNumber

// config is what gateways are told. What the spec leaves out is left out here, too: the gateway's defaults are the
// API's.
func (in *gatewayInput) config() (gateway.Config, error) {
	spec := &in.binding.Spec
	var d durations
	c := gateway.Config{
		Cluster: clusterConfig(&in.cluster.Spec, in.zookeeper(), &d),
		Topic:   string(spec.Topic),
		HTTP: gateway.HTTP{
			Address: fmt.Sprintf(":%d", PortNumber), InternalAddress: fmt.Sprintf(":%d", internalNumber),
			MaxBodyBytes:   int(spec.HTTP.MaxBodyBytes),
			RequestTimeout: d.read("spec.http.requestTimeout", spec.HTTP.RequestTimeout),
		},
		Auth: in.auth(),
		Produce: gateway.Produce{
			Partitioner: in.partitioner(),
			KeyedMoves:  spec.Produce.KeyedMessages == v1alpha1.KeyedMessagesMove,
			Acks:        in.acks(), Compression: in.compression(),
			Linger:           d.read("spec.produce.linger", spec.Produce.Linger),
			Timeout:          d.read("spec.produce.timeout", spec.Produce.Timeout),
			MaxBufferedBytes: int(spec.Produce.MaxBufferedBytes),
		},
		Limits: gateway.Limits{
			MessagesPerSecond: int(spec.Limits.MessagesPerSecond), BytesPerSecond: int(spec.Limits.BytesPerSecond),
			Concurrent: int(spec.Limits.Concurrent),
		},
		Idempotency: in.idempotency(&d),
	}
	if secured(in.binding) {
		c.HTTP.TLS = &gateway.ServerTLS{
			CertFile: fromConfig(gatewayCertificate, "tls.crt"), KeyFile: fromConfig(gatewayCertificate, "tls.key"),
			CAFile: fromConfig(gatewayCertificate, "ca.crt"), ServerName: GatewayHost(in.binding),
		}
	}
	return c, d.err
}

func (in *gatewayInput) auth() gateway.Auth {
	auth := &in.binding.Spec.HTTP.Auth
	c := gateway.Auth{Type: gateway.AuthType(AuthOf(in.binding))}
	switch AuthOf(in.binding) {
	case v1alpha1.AuthServiceAccount:
		c.ServiceAccount.Audience = Audience(in.binding)
		c.ServiceAccount.Mode = gateway.ReviewMode(in.verification)
		for _, allowed := range auth.ServiceAccount.Allow {
			c.ServiceAccount.Allow = append(c.ServiceAccount.Allow, gateway.Allowed(allowed))
		}
		if len(c.ServiceAccount.Allow) == 0 { // which to a gateway is everybody
			c.ServiceAccount.Allow = []gateway.Allowed{{Namespace: in.binding.Namespace}}
		}
	case v1alpha1.AuthMTLS:
		c.MTLS = gateway.MTLS{CAFile: fromConfig(callersAuthority, "ca.crt"), Allow: auth.MTLS.Allow}
	case v1alpha1.AuthBasic:
		c.Basic = gateway.Basic{UsersFile: fromConfig(callersUsers, "users")}
	case v1alpha1.AuthNone:
	}
	return c
}

func (in *gatewayInput) partitioner() string {
	switch in.binding.Spec.Produce.Partitioner {
	case v1alpha1.PartitionerRandom:
		return "random"
	case v1alpha1.PartitionerRoundRobin:
		return "round-robin"
	case v1alpha1.PartitionerKey:
	}
	return "key"
}

func (in *gatewayInput) acks() string {
	switch in.binding.Spec.Produce.Acks {
	case v1alpha1.AcksLeader:
		return "leader"
	case v1alpha1.AcksNone:
		return "none"
	case v1alpha1.AcksAll:
	}
	return "all"
}

func (in *gatewayInput) compression() string {
	switch in.binding.Spec.Produce.Compression {
	case v1alpha1.CompressionGzip:
		return "gzip"
	case v1alpha1.CompressionSnappy:
		return "snappy"
	case v1alpha1.CompressionNone:
	}
	return "none"
}

// idempotency says so where keys are ignored: left out, it would not be.
func (in *gatewayInput) idempotency(d *durations) gateway.Idempotency {
	window := d.read("spec.idempotency.window", in.binding.Spec.Idempotency.Window)
	if window == 0 {
		return gateway.Idempotency{Window: &window}
	}
	return gateway.Idempotency{
		Window: &window, Scope: in.binding.Namespace + "/" + in.binding.Name,
		Peers: fmt.Sprintf("%s.%s.svc:%d", PeersName(in.binding.Name), in.binding.Namespace, peersPort),
	}
}

// zookeeper is nil where brokers are found by brokers: then nothing that befalls it is of concern to gateways.
func (in *gatewayInput) zookeeper() *v1alpha1.ZooKeeper {
	spec := &in.cluster.Spec
	if len(spec.BootstrapServers) > 0 || spec.ZooKeeper.Connect == "" {
		return nil
	}
	return &spec.ZooKeeper
}

// grace is how long a gateway may take to end, see internal/gateway: 5 s until nobody sends requests any more, 30 s for
// a body that has just begun to come, the request's own time, what the producer takes to write what it holds, and 15 s
// for a kubelet that is slow that day. It takes as long only where clients or brokers do.
func (in *gatewayInput) grace() int64 {
	const beside = 50 * time.Second
	return int64((beside + positive(in.binding.Spec.HTTP.RequestTimeout) +
		positive(in.binding.Spec.Produce.Timeout)) / time.Second)
}

// positive reads a duration, which is the default of both where it is left out.
func positive(text v1alpha1.Duration) time.Duration {
	if d, err := time.ParseDuration(string(text)); err == nil && d > 0 {
		return d
	}
	return 30 * time.Second
}

// checkGateway asks the gateway's own reader about a configuration. Files exist in the pod alone, so what names them is
// left out; which of them there have to be the API has made sure of.
func checkGateway(c gateway.Config) error {
	c.Cluster = bare(c.Cluster)
	c.HTTP.TLS = nil
	if c.Auth.Type != gateway.AuthServiceAccount {
		c.Auth = gateway.Auth{Type: gateway.AuthNone}
	}
	data, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the gateways' configuration: %w", err)
	}
	_, err = gateway.Parse(data)
	return err
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"time"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/worker"
)

// gatewayFile is the configuration's key in its ConfigMap, and its file in the pod.
const gatewayFile = "gateway.yaml"

// gatewayConfig is what gateways are told, as `samsa gateway` reads it. What is left out gets the gateway's default.
type gatewayConfig struct {
	Cluster     worker.Cluster      `json:"cluster"`
	Topic       string              `json:"topic"`
	HTTP        gatewayHTTP         `json:"http"`
	Auth        gatewayAuth         `json:"auth"`
	Produce     gatewayProduce      `json:"produce"`
	Limits      *gatewayLimits      `json:"limits,omitempty"`
	Idempotency *gatewayIdempotency `json:"idempotency,omitempty"`
}

type gatewayHTTP struct {
	Address         string          `json:"address"`
	InternalAddress string          `json:"internalAddress"`
	MaxBodyBytes    int             `json:"maxBodyBytes,omitempty"`
	RequestTimeout  worker.Duration `json:"requestTimeout,omitempty"`
	TLS             *worker.TLS     `json:"tls,omitempty"`
}

type gatewayAuth struct {
	Type           v1alpha1.AuthType `json:"type"`
	ServiceAccount *gatewayAccounts  `json:"serviceAccount,omitempty"`
	MTLS           *gatewayMTLS      `json:"mtls,omitempty"`
	Basic          *gatewayBasic     `json:"basic,omitempty"`
}

type gatewayAccounts struct {
	Audience string                    `json:"audience"`
	Mode     v1alpha1.Verification     `json:"mode"`
	Allow    []v1alpha1.AllowedAccount `json:"allow"`
}

type gatewayMTLS struct {
	CAFile string   `json:"caFile"`
	Allow  []string `json:"allow,omitempty"`
}

type gatewayBasic struct {
	UsersFile string `json:"usersFile"`
}

type gatewayProduce struct {
	Partitioner      string          `json:"partitioner,omitempty"`
	KeyedMoves       bool            `json:"keyedMoves,omitempty"`
	Acks             string          `json:"acks,omitempty"`
	Compression      string          `json:"compression,omitempty"`
	Linger           worker.Duration `json:"linger,omitempty"`
	Timeout          worker.Duration `json:"timeout,omitempty"`
	MaxBufferedBytes int             `json:"maxBufferedBytes,omitempty"`
}

type gatewayLimits struct {
	MessagesPerSecond int   `json:"messagesPerSecond,omitempty"`
	BytesPerSecond    int64 `json:"bytesPerSecond,omitempty"`
	Concurrent        int   `json:"concurrent,omitempty"`
}

type gatewayIdempotency struct {
	Window worker.Duration `json:"window"`
	Peers  string          `json:"peers"`
}

func (in *gatewayInput) config() (gatewayConfig, error) {
	spec := &in.binding.Spec
	var d durations
	c := gatewayConfig{
		Cluster: clusterConfig(&in.cluster.Spec, in.zookeeper(), &d),
		Topic:   string(spec.Topic),
		HTTP: gatewayHTTP{
			Address: fmt.Sprintf(":%d", PortNumber), InternalAddress: fmt.Sprintf(":%d", internalNumber),
			MaxBodyBytes:   int(spec.HTTP.MaxBodyBytes),
			RequestTimeout: d.read("spec.http.requestTimeout", spec.HTTP.RequestTimeout),
		},
		Auth: in.auth(),
		Produce: gatewayProduce{
			Partitioner: in.partitioner(),
			KeyedMoves:  spec.Produce.KeyedMessages == v1alpha1.KeyedMessagesMove,
			Acks:        in.acks(), Compression: in.compression(),
			Linger:           d.read("spec.produce.linger", spec.Produce.Linger),
			Timeout:          d.read("spec.produce.timeout", spec.Produce.Timeout),
			MaxBufferedBytes: int(spec.Produce.MaxBufferedBytes),
		},
		Idempotency: in.idempotency(&d),
	}
	if secured(in.binding) {
		c.HTTP.TLS = &worker.TLS{
			CertFile: fromConfig(gatewayCertificate, "tls.crt"), KeyFile: fromConfig(gatewayCertificate, "tls.key"),
		}
	}
	if limits := spec.Limits; limits != (v1alpha1.CallerLimits{}) {
		c.Limits = &gatewayLimits{
			MessagesPerSecond: int(limits.MessagesPerSecond), BytesPerSecond: limits.BytesPerSecond,
			Concurrent: int(limits.Concurrent),
		}
	}
	return c, d.err
}

func (in *gatewayInput) auth() gatewayAuth {
	auth := &in.binding.Spec.HTTP.Auth
	c := gatewayAuth{Type: AuthOf(in.binding)}
	switch c.Type {
	case v1alpha1.AuthServiceAccount:
		c.ServiceAccount = &gatewayAccounts{
			Audience: Audience(in.binding), Mode: in.verification, Allow: auth.ServiceAccount.Allow,
		}
		if len(auth.ServiceAccount.Allow) == 0 {
			c.ServiceAccount.Allow = []v1alpha1.AllowedAccount{{Namespace: in.binding.Namespace}}
		}
	case v1alpha1.AuthMTLS:
		c.MTLS = &gatewayMTLS{CAFile: fromConfig(callersAuthority, "ca.crt"), Allow: auth.MTLS.Allow}
	case v1alpha1.AuthBasic:
		c.Basic = &gatewayBasic{UsersFile: fromConfig(callersUsers, "users")}
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
	case v1alpha1.CompressionLZ4:
		return "lz4"
	case v1alpha1.CompressionZstd:
		return "zstd"
	case v1alpha1.CompressionNone:
	}
	return ""
}

// idempotency is nil where keys are ignored.
func (in *gatewayInput) idempotency(d *durations) *gatewayIdempotency {
	window := d.read("spec.idempotency.window", in.binding.Spec.Idempotency.Window)
	if window == 0 {
		return nil
	}
	return &gatewayIdempotency{Window: window, Peers: fmt.Sprintf("%s.%s.svc:%d",
		PeersName(in.binding.Name), in.binding.Namespace, PortNumber)}
}

// zookeeper is nil where brokers are found by brokers: then nothing that befalls it is of concern to gateways.
func (in *gatewayInput) zookeeper() *v1alpha1.ZooKeeper {
	spec := &in.cluster.Spec
	if len(spec.BootstrapServers) > 0 || spec.ZooKeeper.Connect == "" {
		return nil
	}
	return &spec.ZooKeeper
}

// grace is how long a gateway may take to end: a request that has just begun takes its whole time, and with it the
// message that it brought; ten seconds are for flushing and for a kubelet that is slow that day.
func (in *gatewayInput) grace() int64 {
	request, err := time.ParseDuration(string(in.binding.Spec.HTTP.RequestTimeout))
	if err != nil || request <= 0 {
		request = defaultDrain
	}
	return int64((request + graceAfterDrain) / time.Second)
}

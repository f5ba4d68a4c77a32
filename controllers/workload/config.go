// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/worker"
)

const (
	// configFile is the configuration's key in its ConfigMap, and its file in the pod.
	configFile = "worker.yaml"
	// hashDigits of a hash make the ConfigMap's name: 16^10 are enough for the few that one group ever has at a time.
	hashDigits = 10
	// defaultDrain is what a worker takes for a drain timeout that is not given.
	defaultDrain = 30 * time.Second
)

// config is what the workers are told. What the spec leaves out is left out here, too: the worker's defaults are the
// API's.
func config(in *input) (worker.Config, error) {
	group, spec := in.group, &in.group.Spec
	var d durations
	c := worker.Config{
		Group:          GroupName(group),
		TopicPattern:   spec.TopicPattern,
		Semantics:      worker.Semantics(spec.Semantics),
		Coordination:   worker.Coordination(in.coordination),
		Start:          worker.Start(spec.Start),
		OutOfRange:     worker.OutOfRange(spec.OutOfRange),
		Assignment:     worker.Assignment(spec.Assignment),
		CommitInterval: d.read("spec.commitInterval", spec.CommitInterval),
		DrainTimeout:   d.read("spec.drainTimeout", spec.DrainTimeout),
		Delivery: worker.Delivery{
			Timeout: d.read("spec.delivery.timeout", spec.Delivery.Timeout),
			Retry: worker.Retry{
				InitialBackoff: d.read("spec.delivery.retry.initialBackoff", spec.Delivery.Retry.InitialBackoff),
				MaxBackoff:     d.read("spec.delivery.retry.maxBackoff", spec.Delivery.Retry.MaxBackoff),
			},
		},
		Sink:   in.sink(),
		Listen: fmt.Sprintf(":%d", PortNumber),
	}
	for _, topic := range spec.Topics {
		c.Topics = append(c.Topics, string(topic))
	}
	c.Cluster = clusterConfig(&in.cluster.Spec, in.zookeeper(), &d)
	return c, d.err
}

// clusterConfig says how a cluster is reached. Of ZooKeeper it is what zk says, which is nil for none.
func clusterConfig(spec *v1alpha1.KafkaClusterSpec, zk *v1alpha1.ZooKeeper, d *durations) worker.Cluster {
	c := worker.Cluster{
		ZooKeeper: zookeeper(zk, d), TLS: tls(spec.TLS, brokerFiles()),
		SASL: sasl(&spec.SASL), MaxMessageBytes: int(spec.MaxMessageBytes),
	}
	for _, server := range spec.BootstrapServers {
		c.BootstrapServers = append(c.BootstrapServers, string(server))
	}
	return c
}

// zookeeper is nil where workers need none: they find brokers by brokers, and these coordinate the group. Then nothing
// that is edited of it, or befalls it, is of concern to them.
func (in *input) zookeeper() *v1alpha1.ZooKeeper {
	spec := &in.cluster.Spec
	if in.coordination == v1alpha1.CoordinationKafka && len(spec.BootstrapServers) > 0 || spec.ZooKeeper.Connect == "" {
		return nil
	}
	return &spec.ZooKeeper
}

func (in *input) sink() worker.Sink {
	switch s := &in.group.Spec.Sink; {
	case s.HTTP != nil:
		http := &worker.HTTPSink{URL: s.HTTP.URL, Format: worker.Format(s.HTTP.Format)}
		if len(s.HTTP.Headers) > 0 {
			http.Headers = make(map[string]string, len(s.HTTP.Headers))
		}
		for _, header := range s.HTTP.Headers {
			http.Headers[header.Name] = header.Value
		}
		return worker.Sink{HTTP: http}
	case in.binding != nil:
		c := &worker.BindingSink{URL: GatewayURL(in.binding), Scope: in.group.Spec.ClusterRef.Name}
		if Audience(in.binding) != "" {
			c.TokenFile = fromConfig(bindingVolume, bindingToken)
		}
		if in.trusts() {
			c.CAFile = fromConfig(bindingVolume, bindingAuthority)
		}
		return worker.Sink{Binding: c}
	case s.Log != nil:
		return worker.Sink{Log: &worker.LogSink{}}
	default:
		return worker.Sink{Discard: &worker.DiscardSink{}}
	}
}

func zookeeper(zk *v1alpha1.ZooKeeper, d *durations) *worker.ZooKeeper {
	if zk == nil {
		return nil
	}
	c := &worker.ZooKeeper{
		Connect:        zk.Connect,
		SessionTimeout: d.read("spec.zookeeper.sessionTimeout of the KafkaCluster", zk.SessionTimeout),
		TLS:            tls(zk.TLS, zookeeperFiles()),
	}
	if zk.DigestSecretRef.Name != "" {
		c.DigestFile = fromConfig(digestSecret, "digest")
	}
	return c
}

func tls(spec *v1alpha1.TLS, files tlsFiles) *worker.TLS {
	if spec == nil {
		return nil
	}
	c := &worker.TLS{ServerName: spec.ServerName}
	if spec.CASecretRef.Name != "" {
		c.CAFile = fromConfig(files.authority, "ca.crt")
	}
	if spec.CertificateSecretRef.Name != "" {
		c.CertFile, c.KeyFile = fromConfig(files.certificate, "tls.crt"), fromConfig(files.certificate, "tls.key")
	}
	return c
}

func sasl(spec *v1alpha1.SASL) *worker.SASL {
	c := &worker.SASL{Mechanism: worker.Mechanism(spec.Mechanism)}
	switch spec.Mechanism {
	case "":
		return nil
	case v1alpha1.SASLOAuthBearer:
		c.TokenFile = fromConfig(tokenSecret, "token")
	case v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
		c.UsernameFile, c.PasswordFile = fromConfig(loginSecret, "username"), fromConfig(loginSecret, "password")
	}
	return c
}

// fromConfig is a mounted Secret's file, as seen from the configuration's directory.
func fromConfig(secret, file string) string { return "../secrets/" + secret + "/" + file }

// durations reads the API's texts and keeps the first that is none.
type durations struct{ err error }

func (d *durations) read(field string, text v1alpha1.Duration) worker.Duration {
	if text == "" {
		return 0
	}
	parsed, err := time.ParseDuration(string(text))
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s: %q is no duration: write it with a unit, as in 10s", field, text)
	}
	return worker.Duration(parsed)
}

// check asks the worker's own reader about a configuration. The credentials' files exist in the pod alone, and the
// member's name is the pod's, so those are left out and put in. Which of them SASL needs the API has made sure of.
func check(c worker.Config, name string) error {
	c.Member = PodName(name, 0)
	c.Cluster = bare(c.Cluster)
	if binding := c.Sink.Binding; binding != nil {
		c.Sink.Binding = &worker.BindingSink{URL: binding.URL, Scope: binding.Scope}
	}
	data, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the workers' configuration: %w", err)
	}
	_, err = worker.Parse(data)
	return err
}

// bare is a cluster without the files that exist in the pod alone.
func bare(c worker.Cluster) worker.Cluster {
	c.TLS, c.SASL = withoutFiles(c.TLS), nil
	if zk := c.ZooKeeper; zk != nil {
		without := *zk
		without.DigestFile, without.TLS = "", withoutFiles(zk.TLS)
		c.ZooKeeper = &without
	}
	return c
}

func withoutFiles(t *worker.TLS) *worker.TLS {
	if t == nil {
		return nil
	}
	return &worker.TLS{ServerName: t.ServerName}
}

// hash is short, and the same for the same bytes.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:hashDigits]
}

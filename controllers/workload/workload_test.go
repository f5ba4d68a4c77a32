// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package workload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers/workload"
	"github.com/samsa-dev/samsa/internal/worker"
)

var update = flag.Bool("update", false, "write the golden files anew")

var options = workload.Options{Image: "samsa:dev"}

func simple() (*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster) {
	return &v1alpha1.ConsumerGroup{
			ObjectMeta: metav1.ObjectMeta{Name: "billing", Namespace: "shop", UID: "7f8a"},
			Spec: v1alpha1.ConsumerGroupSpec{
				ClusterRef: v1alpha1.ClusterReference{Name: "prod"},
				Topics:     []v1alpha1.TopicName{"orders"},
				Replicas:   ptr.To[int32](1),
				Sink:       v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{URL: "http://billing/orders"}},
			},
		}, &v1alpha1.KafkaCluster{
			ObjectMeta: metav1.ObjectMeta{Name: "prod", Namespace: "shop"},
			Spec:       v1alpha1.KafkaClusterSpec{ZooKeeper: v1alpha1.ZooKeeper{Connect: "zk-0:2181,zk-1:2181/kafka"}},
		}
}

// coordinated is what Auto stands for.
func coordinated(cluster *v1alpha1.KafkaCluster) v1alpha1.Coordination {
	if cluster.Spec.ZooKeeper.Connect == "" {
		return v1alpha1.CoordinationKafka
	}
	return v1alpha1.CoordinationZooKeeper
}

func resolved(cluster *v1alpha1.KafkaCluster) workload.Resolved {
	return workload.Resolved{Cluster: cluster, Coordination: coordinated(cluster)}
}

// brokers is simple by brokers alone, with all that secures the connections to them.
func brokers() (*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster) {
	group, cluster := simple()
	cluster.Spec = v1alpha1.KafkaClusterSpec{
		BootstrapServers: []v1alpha1.BootstrapServer{"kafka-0:9092", "[::1]:9092"},
		TLS: &v1alpha1.TLS{
			CASecretRef:          v1alpha1.SecretKeyReference{Name: "kafka-authority", Key: "bundle.pem"},
			CertificateSecretRef: v1alpha1.SecretReference{Name: "kafka-client"},
			ServerName:           "kafka.internal",
		},
		SASL: v1alpha1.SASL{
			Mechanism: v1alpha1.SASLScramSHA512, CredentialsSecretRef: v1alpha1.SecretReference{Name: "billing-login"},
		},
	}
	return group, cluster
}

// full has every field of both specs.
func full() (*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster) {
	group, cluster := simple()
	group.Spec = v1alpha1.ConsumerGroupSpec{
		ClusterRef:   v1alpha1.ClusterReference{Name: "prod"},
		TopicPattern: `orders-\d+`, Group: "billing.v2",
		Semantics: v1alpha1.SemanticsTopic, Coordination: v1alpha1.CoordinationAuto,
		Assignment: v1alpha1.AssignmentRange, Replicas: ptr.To[int32](3), Suspend: new(false),
		Start: v1alpha1.StartLatest, OutOfRange: v1alpha1.OutOfRangeBlock,
		Delivery: v1alpha1.Delivery{
			Timeout: "5s", Retry: v1alpha1.Retry{InitialBackoff: "100ms", MaxBackoff: "1m"},
		},
		Sink: v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{
			URL: "https://billing/orders", Format: v1alpha1.HTTPFormatRaw,
			Headers: []v1alpha1.HTTPHeader{{Name: "X-Team", Value: "billing"}, {Name: "X-On", Value: "true"}},
		}},
		CommitInterval: "500ms", DrainTimeout: "1m30s", DeletionPolicy: v1alpha1.DeletionDelete,
		Template: v1alpha1.PodTemplate{
			Metadata: v1alpha1.PodMetadata{
				Labels:      map[string]string{"team": "billing", workload.GroupLabel: "not-yours"},
				Annotations: map[string]string{"sidecar.istio.io/inject": "false"},
			},
			Spec: v1alpha1.PodSpec{
				Resources: corev1.ResourceRequirements{
					Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")},
					Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1024Mi")},
				},
				NodeSelector: map[string]string{"disk": "none"},
				Tolerations:  []corev1.Toleration{{Key: "spot", Operator: corev1.TolerationOpExists}},
				Affinity: &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
					RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
						TopologyKey:   corev1.LabelHostname,
						LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "billing"}},
					}},
				}},
				TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
					MaxSkew: 2, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule,
				}},
				ServiceAccountName: "quiet",
				ImagePullSecrets:   []corev1.LocalObjectReference{{Name: "registry"}},
				PriorityClassName:  "high",
			},
		},
	}
	cluster.Spec.MaxMessageBytes = 2_000_000
	cluster.Spec.ZooKeeper.SessionTimeout = "6s"
	cluster.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zk", Key: "login"}
	cluster.Spec.ZooKeeper.TLS = &v1alpha1.TLS{
		CASecretRef:          v1alpha1.SecretKeyReference{Name: "zk-ca", Key: "bundle.pem"},
		CertificateSecretRef: v1alpha1.SecretReference{Name: "zk-client"},
		ServerName:           "zk.internal",
	}
	return group, cluster
}

func TestGolden(t *testing.T) {
	for name, build := range map[string]func() (*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster){
		"simple": simple, "full": full, "brokers": brokers,
	} {
		t.Run(name, func(t *testing.T) {
			group, cluster := build()
			got := render(t, group, cluster)
			if again := render(t, group, cluster); !bytes.Equal(got, again) {
				t.Fatalf("the same spec gave\n%s\nand\n%s", got, again)
			}
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs (go test -update writes it anew); got\n%s", path, got)
			}
		})
	}
}

func render(t *testing.T, group *v1alpha1.ConsumerGroup, cluster *v1alpha1.KafkaCluster) []byte {
	t.Helper()
	children, err := workload.Of(group, resolved(cluster), options)
	if err != nil {
		t.Fatal(err)
	}
	var documents [][]byte
	for _, child := range []any{children.ConfigMap, children.Service, children.StatefulSet, children.Disruption} {
		document, err := yaml.Marshal(child)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, document)
	}
	return bytes.Join(documents, []byte("---\n"))
}

// A StatefulSet replaces its pods when their template changes, and only then.
func TestWhatReplacesThePods(t *testing.T) {
	template := func(group *v1alpha1.ConsumerGroup, cluster *v1alpha1.KafkaCluster) string {
		children, err := workload.Of(group, resolved(cluster), options)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(children.StatefulSet.Spec.Template)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for _, c := range []struct {
		name     string
		edit     func(*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster)
		replaced bool
	}{
		{"replicas", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) { g.Spec.Replicas = ptr.To[int32](7) }, false},
		{"suspend", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) { g.Spec.Suspend = new(true) }, false},
		{"deletionPolicy", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Spec.DeletionPolicy = v1alpha1.DeletionDelete
		}, false},
		{"labels of the object", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Labels = map[string]string{"a": "b"}
		}, false},
		{"status", func(g *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			g.Status.Group, c.Status.BrokerCount = "x", ptr.To[int32](3)
		}, false},
		{"topics", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Spec.Topics = append(g.Spec.Topics, "returns")
		}, true},
		{"sink", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) { g.Spec.Sink.HTTP.URL = "http://other" }, true},
		{"drainTimeout", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) { g.Spec.DrainTimeout = "2m" }, true},
		{"the cluster's address", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper.Connect = "zk-9:2181"
		}, true},
		{"the cluster's largest message", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.MaxMessageBytes = 2_000_000
		}, true},
		{"another Secret", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zk", Key: "login"}
		}, true},
		{"other credentials", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.SASL = v1alpha1.SASL{
				Mechanism: v1alpha1.SASLPlain, CredentialsSecretRef: v1alpha1.SecretReference{Name: "me"},
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			group, cluster := simple()
			before := template(group, cluster)
			c.edit(group, cluster)
			if replaced := template(group, cluster) != before; replaced != c.replaced {
				t.Errorf("replaces the pods: %v, want %v", replaced, c.replaced)
			}
		})
	}
}

// A group that brokers coordinate, found by brokers, has nothing to do with ZooKeeper.
func TestWorkersAreToldOfZooKeeperWhereTheyNeedIt(t *testing.T) {
	const connect, secret = "zk-0:2181", "zookeeper-digest"
	for _, c := range []struct {
		coordination v1alpha1.Coordination
		bootstrap    []v1alpha1.BootstrapServer
		want         bool
	}{
		{v1alpha1.CoordinationZooKeeper, nil, true},
		{v1alpha1.CoordinationZooKeeper, []v1alpha1.BootstrapServer{"kafka:9092"}, true},
		{v1alpha1.CoordinationKafka, nil, true},
		{v1alpha1.CoordinationKafka, []v1alpha1.BootstrapServer{"kafka:9092"}, false},
	} {
		group, cluster := simple()
		cluster.Spec.BootstrapServers = c.bootstrap
		cluster.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zk", Key: "login"}
		children, err := workload.Of(group, workload.Resolved{Cluster: cluster, Coordination: c.coordination}, options)
		if err != nil {
			t.Fatal(err)
		}
		text := children.ConfigMap.Data["worker.yaml"]
		template, err := json.Marshal(children.StatefulSet.Spec.Template)
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(text, connect); told != c.want || strings.Contains(string(template), secret) != c.want {
			t.Errorf("%s, %v: told of ZooKeeper: %v\n%s", c.coordination, c.bootstrap, told, text)
		}
		if !strings.Contains(text, "coordination: "+string(c.coordination)+"\n") {
			t.Errorf("no coordination in\n%s", text)
		}
	}
}

// What a worker would end at is found before a running one is replaced by it.
func TestRefusesWhatTheWorkerWouldRefuse(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster)
	}{
		{"pattern", "topicPattern", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Spec.Topics, g.Spec.TopicPattern = nil, "orders-("
		}},
		{"control character", "group", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Spec.Group = "a\u0001"
		}},
		{"port", "cluster.zookeeper.connect", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.ZooKeeper.Connect = "zk:99999"
		}},
		{"largest message", "cluster.maxMessageBytes", func(_ *v1alpha1.ConsumerGroup, c *v1alpha1.KafkaCluster) {
			c.Spec.MaxMessageBytes = 1
		}},
		{"duration", "spec.drainTimeout", func(g *v1alpha1.ConsumerGroup, _ *v1alpha1.KafkaCluster) {
			g.Spec.DrainTimeout = "soon"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			group, cluster := simple()
			c.edit(group, cluster)
			_, err := workload.Of(group, resolved(cluster), options)
			if _, ok := errors.AsType[*workload.InvalidError](err); !ok || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want an InvalidError about %s", err, c.want)
			}
		})
	}
}

// Every word of the API is one of the worker's.
func TestWorkersKnowTheWordsForOutOfRange(t *testing.T) {
	for _, word := range []v1alpha1.OutOfRange{
		v1alpha1.OutOfRangeEarliestOrBlock, v1alpha1.OutOfRangeBlock, v1alpha1.OutOfRangeEarliest,
		v1alpha1.OutOfRangeLatest, v1alpha1.OutOfRangeNearest,
	} {
		group, cluster := simple()
		group.Spec.OutOfRange = word
		children, err := workload.Of(group, resolved(cluster), options)
		if err != nil {
			t.Fatal(err)
		}
		if text := children.ConfigMap.Data["worker.yaml"]; !strings.Contains(text, "outOfRange: "+string(word)+"\n") {
			t.Errorf("%s is not in\n%s", word, text)
		}
	}
}

// The worker reads what is written for it, credentials' files included, from the directory where they are mounted.
func TestWorkersReadIt(t *testing.T) {
	for name, c := range map[string]struct {
		build func() (*v1alpha1.ConsumerGroup, *v1alpha1.KafkaCluster)
		files map[string]string
		group string
	}{
		"ZooKeeper": {full, map[string]string{"zookeeper-digest/digest": "samsa:secret"}, "billing.v2-2"},
		"brokers": {brokers, map[string]string{
			"kafka-login/username": "samsa", "kafka-login/password": "secret\n",
		}, "billing"},
	} {
		t.Run(name, func(t *testing.T) {
			group, cluster := c.build()
			cluster.Spec.ZooKeeper.TLS, cluster.Spec.TLS = nil, nil // their files would have to be real ones
			children, err := workload.Of(group, resolved(cluster), options)
			if err != nil {
				t.Fatal(err)
			}
			root := t.TempDir()
			write(t, filepath.Join(root, "config", "worker.yaml"), children.ConfigMap.Data["worker.yaml"])
			for path, content := range c.files {
				write(t, filepath.Join(root, "secrets", path), content)
			}
			t.Setenv("POD_NAME", "billing-2")
			config, err := worker.LoadAt(filepath.Join(root, "config", "worker.yaml"), "10.1.2.3")
			if err != nil {
				t.Fatal(err)
			}
			if config.GroupName() != c.group || config.Listen != "10.1.2.3:8080" {
				t.Errorf("got group %s at %s", config.GroupName(), config.Listen)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReplicas(t *testing.T) {
	for _, c := range []struct {
		replicas *int32
		suspend  *bool
		want     int32
	}{
		{nil, nil, 1}, {ptr.To[int32](0), nil, 0}, {ptr.To[int32](5), new(false), 5}, {ptr.To[int32](5), new(true), 0},
	} {
		group, cluster := simple()
		group.Spec.Replicas, group.Spec.Suspend = c.replicas, c.suspend
		children, err := workload.Of(group, resolved(cluster), options)
		if err != nil {
			t.Fatal(err)
		}
		if got := *children.StatefulSet.Spec.Replicas; got != c.want {
			t.Errorf("got %d, want %d", got, c.want)
		}
		if protected := children.Disruption != nil; protected != (c.want > 1) {
			t.Errorf("%d replicas: a budget: %v", c.want, protected)
		}
	}
}

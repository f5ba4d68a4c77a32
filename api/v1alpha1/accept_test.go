// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

var _ = Describe("What is accepted", func() {
	It("a small ConsumerGroup, and is completed", func(ctx SpecContext) {
		made, err := api.create(ctx, group(orders, logged), dryRun)
		Expect(err).NotTo(HaveOccurred())
		Expect(made.at("spec")).To(Equal(map[string]any{
			"clusterRef": map[string]any{"name": "local"}, "topics": []any{"orders"},
			"sink":      map[string]any{"log": map[string]any{}},
			"semantics": "Queue", "coordination": "Auto", "assignment": "Sticky", "replicas": 1.0, "suspend": false,
			"start": "Earliest", "outOfRange": "EarliestOrBlock", "commitInterval": "1s", "drainTimeout": "30s",
			"deletionPolicy": "Retain",
		}))
		Expect(made.at("status")).To(Equal(map[string]any{"observedGeneration": -1.0}),
			"until the operator has seen it, nobody may take it for ready")
	})

	It("an HTTP sink, with the format completed", func(ctx SpecContext) {
		made, err := api.create(ctx, group(orders, url("http://billing/orders")), dryRun)
		Expect(err).NotTo(HaveOccurred())
		Expect(made.at("spec.sink.http.format")).To(Equal("CloudEventsBinary"))
	})

	It("a small KafkaCluster, and is completed", func(ctx SpecContext) {
		made, err := api.create(ctx, cluster(reachable), dryRun)
		Expect(err).NotTo(HaveOccurred())
		Expect(made.at("spec.zookeeper")).To(Equal(map[string]any{"connect": "zk:2181", "sessionTimeout": "10s"}))
		Expect(made.at("spec.maxMessageBytes")).To(Equal(1e6))
		Expect(made.at("status")).To(Equal(map[string]any{"observedGeneration": -1.0}))
	})

	It("a small ProducerBinding, and is completed", func(ctx SpecContext) {
		made, err := api.create(ctx, binding(subject("kind: Deployment, name: shop")), dryRun)
		Expect(err).NotTo(HaveOccurred())
		Expect(made.at("spec")).To(Equal(map[string]any{
			"clusterRef": map[string]any{"name": "local"}, "topic": "orders", "replicas": 2.0,
			"http": map[string]any{
				"port": 8080.0, "maxBodyBytes": 1048576.0, "requestTimeout": "30s",
				"auth": map[string]any{"type": "ServiceAccount"},
			},
			"produce": map[string]any{
				"partitioner": "Key", "keyedMessages": "Wait", "acks": "All", "compression": "None", "linger": "0s",
				"timeout": "30s", "maxBufferedBytes": 67108864.0,
			},
			"idempotency": map[string]any{"window": "5m"},
			"subject":     map[string]any{"kind": "Deployment", "name": "shop", "envPrefix": "SAMSA_BINDING_"},
		}))
		Expect(made.at("status")).To(Equal(map[string]any{"observedGeneration": -1.0}))
	})

	It("a KafkaCluster by brokers alone, and gives it no ZooKeeper", func(ctx SpecContext) {
		made, err := api.create(ctx, brokers(anywhere), dryRun)
		Expect(err).NotTo(HaveOccurred())
		Expect(made.at("spec")).To(Equal(map[string]any{"bootstrapServers": []any{"kafka:9092"}, "maxMessageBytes": 1e6}))
	})
})

// accepted asserts that a manifest is accepted however it is applied.
func accepted(ctx SpecContext, manifest string) {
	_, err := api.create(ctx, manifest, dryRun)
	Expect(err).NotTo(HaveOccurred(), manifest)
	_, err = api.apply(ctx, manifest, dryRun)
	Expect(err).NotTo(HaveOccurred(), manifest)
}

var _ = DescribeTable("A ConsumerGroup is accepted", accepted,
	Entry("with everything", group(`topicPattern: 'orders-(eu|us)-\d+'`, "group: Zahlungen für alle", "semantics: Topic",
		"coordination: ZooKeeper", "assignment: Range", "replicas: 0", "suspend: true", "start: Latest", "outOfRange: Block",
		"delivery: {timeout: 1m30s, retry: {initialBackoff: 1s, maxBackoff: 1h}}", "commitInterval: 1m", "drainTimeout: 1h",
		"deletionPolicy: Delete", headers(`{name: Authorization, value: Bearer x}, {name: X-Key, value: "a\tb c"}`),
		`template:
  metadata: {labels: {team: billing}, annotations: {note: "any text"}}
  spec:
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 1Gi}}
    nodeSelector: {disk: ssd}
    tolerations: [{key: spot, operator: Exists}]
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}]
    serviceAccountName: worker
    imagePullSecrets: [{name: registry}]
    priorityClassName: high`)),
	Entry("with the original's way where the log does not hold a position", group(orders, logged, "outOfRange: Nearest")),
	Entry("with coordination by brokers", group(orders, logged, "coordination: Kafka")),
	Entry("with 64 topics", group("topics: ["+numbered("t", 64)+"]", logged)),
	Entry("with a topic as long as Kafka's", group("topics: ["+strings.Repeat("t", 249)+"]", logged)),
	Entry("with empty resources", group(orders, logged, pod("resources: {}, priorityClassName: high"))),
	Entry("with the longest name", strings.Replace(group(orders, logged), "name: orders", "name: "+strings.Repeat("n", 50), 1)),
	Entry("with a URL of a port and a query", group(orders, url("https://billing:8443/orders?mail=a@b"))),
	Entry("with a URL of an IPv6 address", group(orders, url("http://[::1]:28080"))),
)

var _ = DescribeTable("A KafkaCluster is accepted", accepted,
	Entry("without a port", cluster(connect("zk"))),
	Entry("with a chroot", cluster(connect("zk-0:2181,zk-1:2181,zk-2.zk.prod.svc:2181/kafka/prod"))),
	Entry("with a chroot that ends in a slash", cluster(connect("zk:2181/kafka/"))),
	Entry("with addresses", cluster(connect("127.0.0.1:22181,[::1]:65535/kafka"))),
	Entry("with everything", cluster(reachable, "sessionTimeout: 5m", "digestSecretRef: {name: zk, key: user}",
		"tls: {caSecretRef: {name: zk-ca, key: ca.crt}, certificateSecretRef: {name: zk-client}, serverName: zk.example}")),
	Entry("with the smallest messages", largest("1000")),
	Entry("with the largest messages", largest("104857600")),
	Entry("with TLS by the authorities of the image", cluster(reachable, "tls: {}")),
	Entry("by brokers of all kinds of addresses", brokers("['kafka:1', 'kafka-0.kafka.prod.svc:9092', 'kafka.prod.:9092', "+
		"'my_kafka_1:9092', '10.0.0.1:65535', '[::1]:9092', '[2001:DB8::1.2.3.4]:9092']")),
	Entry("by 64 brokers with the longest names", brokers("["+numbered(strings.Repeat("k", 250)+":9", 64)+"]")),
	Entry("by both", cluster(reachable)+"  bootstrapServers: "+anywhere+"\n"),
	Entry("by ZooKeeper, with TLS to brokers", cluster(reachable)+"  tls: {}\n"),
	Entry("with TLS and PLAIN", brokers(anywhere, "tls: {caSecretRef: {name: ca, key: ca.crt}, "+
		"certificateSecretRef: {name: me}, serverName: kafka}",
		"sasl: {mechanism: PLAIN, credentialsSecretRef: {name: me}}")),
	Entry("with SCRAM-SHA-256", brokers(anywhere, "sasl: {mechanism: SCRAM-SHA-256, credentialsSecretRef: {name: me}}")),
	Entry("with SCRAM-SHA-512", brokers(anywhere, "sasl: {mechanism: SCRAM-SHA-512, credentialsSecretRef: {name: me}}")),
	Entry("with OAUTHBEARER", brokers(anywhere, "sasl: {mechanism: OAUTHBEARER, tokenSecretRef: {name: me, key: token}}")),
)

// The worker has the last word on its configuration. What the API server accepts it must accept too, or a group would
// be accepted and never run.
var _ = Describe("The API server and the worker agree", func() {
	agree := func(ctx SpecContext, manifest string, worker error, both bool) {
		GinkgoHelper()
		_, err := api.create(ctx, manifest, dryRun)
		if err == nil {
			Expect(worker).NotTo(HaveOccurred(), "accepted, and no worker could run it:\n%s", manifest)
		} else if both {
			Expect(worker).To(HaveOccurred(), "refused without need: %v", err)
		}
	}

	It("on headers", func(ctx SpecContext) {
		for _, name := range []string{
			"Accept", "Accept-Encoding", "Authorization", "Ce-Id", "CE-TYPE", "Cedar", "Connection", "Content-Encoding",
			"Content-Length", "Content-Type", "Cookie", "Expect", "HOST", "Idempotency-Key", "Keep-Alive", "Proxy-Connection",
			"Samsa-Topic", "samsa", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X'y", "X~y", "X y", "X:y", "Ü",
		} {
			_, err := httpsink.New(httpsink.Config{URL: "http://billing/", Headers: map[string]string{name: "x"}})
			agree(ctx, group(orders, headers("{name: \""+name+"\", value: x}")), err, true)
		}
	})

	It("on groups", func(ctx SpecContext) {
		for _, name := range []string{
			"a", "a b", "ü", ".", "..", "...", "a/b", "\u007f", "\u0085", "\ue000", "\ufff0", "\U0001f41b",
		} {
			agree(ctx, group(orders, logged, "group: "+strconv.QuoteToASCII(name)), layout.CheckName(name), true)
		}
	})

	It("on topics", func(ctx SpecContext) {
		for _, name := range []string{"a", "a.b_c-D9", ".", "..", "a b", "a/b", "ü", "a\n"} {
			agree(ctx, group("topics: ["+strconv.QuoteToASCII(name)+"]", logged), layout.CheckTopic(name), true)
		}
	})

	It("on patterns", func(ctx SpecContext) {
		for _, pattern := range []string{
			".*", "a{1000}", "a{1001}", `\d`, `\1`, "(?i)a", "(?P<a>b)", "[[:alpha:]]", "[z-a]", "a**", "a)(b", `\`,
		} {
			_, alone := regexp.Compile(pattern)
			_, whole := regexp.Compile("^(?:" + pattern + ")$")
			agree(ctx, group("topicPattern: '"+pattern+"'", logged), errors.Join(alone, whole), true)
		}
	})

	It("on durations", func(ctx SpecContext) {
		for _, text := range []string{"1s", "1m30s", "500ms", "0100ms", "1h", "s", "1", "1d", "99999999999999h"} {
			_, err := time.ParseDuration(text)
			agree(ctx, group(orders, logged, "drainTimeout: "+text), err, false)
		}
	})

	It("on URLs", func(ctx SpecContext) {
		for _, text := range []string{
			"http://a", "http://a/%zz", "http://a b/", "http://[::1", "http://a:/", "//a/b/c/d", "http://ü/",
		} {
			_, err := httpsink.New(httpsink.Config{URL: text})
			agree(ctx, group(orders, url(text)), err, true)
		}
	})
})

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

// binding is the manifest of a ProducerBinding with some more fields of its spec.
func binding(spec ...string) string { return bindingNamed("orders", spec...) }

func bindingNamed(name string, spec ...string) string {
	return manifest("ProducerBinding", name, append([]string{"clusterRef: {name: local}", "topic: orders"}, spec...))
}

func http(text string) string    { return "http: {" + text + "}" }
func auth(text string) string    { return http("auth: {" + text + "}") }
func produce(text string) string { return "produce: {" + text + "}" }
func subject(text string) string { return "subject: {" + text + "}" }

// certified is a tls that suits MTLS.
const certified = "tls: {secretRef: {name: tls}}, "

var _ = DescribeTable("A ProducerBinding is refused: what it publishes", refused,
	Entry("no spec.clusterRef", manifest("ProducerBinding", "orders", []string{"topic: orders"}), "spec.clusterRef",
		"Required value"),
	Entry("a KafkaCluster of another namespace", manifest("ProducerBinding", "orders",
		[]string{"clusterRef: {name: prod/kafka}", "topic: orders"}), "spec.clusterRef.name", "in this namespace"),
	Entry("no topic", manifest("ProducerBinding", "orders", []string{"clusterRef: {name: local}"}), "spec.topic",
		"Required value"),
	Entry("several topics", manifest("ProducerBinding", "orders", []string{"clusterRef: {name: local}", "topics: [a]"}),
		"spec.topics", "unknown field"),
	Entry("a topic with a slash", manifest("ProducerBinding", "orders", []string{"clusterRef: {name: local}", "topic: a/b"}),
		"spec.topic", "must be a topic's name"),
	Entry("a topic with a space", manifest("ProducerBinding", "orders", []string{"clusterRef: {name: local}", "topic: a b"}),
		"spec.topic", "and not . or ..; a ProducerBinding publishes to one topic"),
	Entry("a topic to make without partitions", binding("createTopic: {replicationFactor: 3}"),
		"spec.createTopic.partitions", "Required value"),
	Entry("a topic to make of no partitions", binding("createTopic: {partitions: 0}"), "spec.createTopic.partitions",
		"greater than or equal to 1"),
	Entry("a topic to make of too many partitions", binding("createTopic: {partitions: 10001}"),
		"spec.createTopic.partitions", "less than or equal to 10000"),
	Entry("a topic to make on no broker", binding("createTopic: {partitions: 1, replicationFactor: 0}"),
		"spec.createTopic.replicationFactor", "greater than or equal to 1"),
	Entry("a setting in capitals", binding("createTopic: {partitions: 1, configs: [{name: Retention, value: '1'}]}"),
		"spec.createTopic.configs[0].name", "as in retention.ms"),
	Entry("a setting that is a number", binding("createTopic: {partitions: 1, configs: [{name: retention.ms, value: 1}]}"),
		"spec.createTopic.configs[0].value", "string"),
	Entry("a setting twice", binding("createTopic: {partitions: 1, configs: [{name: a, value: x}, {name: a, value: y}]}"),
		"spec.createTopic.configs", "a"),
	Entry("fewer replicas than none", binding("replicas: -1"), "spec.replicas", "greater than or equal to 0"),
	Entry("credentials for callers with tokens",
		binding(subject("kind: Deployment, name: shop, credentialsSecretRef: {name: login}")), "spec",
		"spec.subject.credentialsSecretRef must not be given unless"),
	Entry("a field that is misspelt", binding("limit: {}"), "spec.limit", "unknown field"),
	Entry("another partitioner", binding(produce("partitioner: Murmur2")), "spec.produce.partitioner", `"Key"`),
	Entry("acks as a number", binding(produce("acks: 1")), "spec.produce.acks", "string"),
	Entry("acks in lower case", binding(produce("acks: all")), "spec.produce.acks", `"All", "Leader", "None"`),
	Entry("a compression in lower case", binding(produce("compression: gzip")), "spec.produce.compression", `"Gzip"`),
	Entry("a linger too long", binding(produce("linger: 11s")), "spec.produce.linger", "from 0s to 10s"),
	Entry("a linger that leaves no time", binding(produce("linger: 101ms, timeout: 1s")), "spec.produce",
		"a tenth of spec.produce.timeout"),
	Entry("a linger without a unit", binding(produce("linger: '05'")), "spec.produce.linger", "5ms or 0s"),
	Entry("a timeout of nothing", binding(produce("timeout: 0s")), "spec.produce.timeout", "from 1s to 10m"),
	Entry("hardly a buffer", binding(produce("maxBufferedBytes: 1048575")), "spec.produce.maxBufferedBytes",
		"greater than or equal to 1048576"),
	Entry("keyed messages that get lost", binding(produce("keyedMessages: Drop")), "spec.produce.keyedMessages", `"Wait", "Move"`),
	Entry("a window below nothing", binding("idempotency: {window: -1s}"), "spec.idempotency.window", "from 0s to 24h"),
	Entry("a window of days", binding("idempotency: {window: 25h}"), "spec.idempotency.window", "from 0s to 24h"),
	Entry("limits without a field", binding("limits: {}"), "spec.limits", "at least 1 properties"),
	Entry("a limit of nothing", binding("limits: {messagesPerSecond: 0}"), "spec.limits.messagesPerSecond",
		"greater than or equal to 1"),
	Entry("a name with a dot", bindingNamed("orders.v1"), "metadata.name", "of a-z, 0-9 and '-' alone"),
	Entry("a name too long for its Services", bindingNamed(strings.Repeat("n", 51)), "metadata.name", "at most 50 characters"),
	Entry("samsa's own label", binding("template: {metadata: {labels: {kafka.samsa.dev/producer-binding: a}}}"),
		"spec.template.metadata.labels", "samsa sets them, choose other keys"),
)

var _ = DescribeTable("A ProducerBinding is refused: who may publish", refused,
	Entry("no port", binding(http("port: 0")), "spec.http.port", "greater than or equal to 1"),
	Entry("a port too high", binding(http("port: 65536")), "spec.http.port", "less than or equal to 65535"),
	Entry("TLS without a certificate", binding(http("tls: {}")), "spec.http.tls.secretRef", "Required value"),
	Entry("a Secret of another namespace", binding(http("tls: {secretRef: {name: a/b}}")), "spec.http.tls.secretRef.name",
		"in this namespace"),
	Entry("bodies of nothing", binding(http("maxBodyBytes: 1023")), "spec.http.maxBodyBytes", "greater than or equal to 1024"),
	Entry("a requestTimeout too short", binding(http("requestTimeout: 999ms")), "spec.http.requestTimeout", "from 1s to 10m"),
	Entry("requests that end before their outcome is known", binding(http("requestTimeout: 5s")), "spec",
		"spec.http.requestTimeout (default 30s) must be at least spec.produce.timeout (default 30s)"),
	Entry("messages that take longer than requests", binding(produce("timeout: 31s")), "spec",
		"raise it, or lower spec.produce.timeout"),
	Entry("an auth in lower case", binding(auth("type: none")), "spec.http.auth.type", `"ServiceAccount", "MTLS", "Basic", "None"`),
	Entry("MTLS without its own field", binding(http(certified+"auth: {type: MTLS}")), "spec.http.auth",
		"spec.http.auth.mtls.caSecretRef"),
	Entry("MTLS without TLS", binding(auth("type: MTLS, mtls: {caSecretRef: {name: a, key: b}}")), "spec.http",
		"spec.http.tls must be given with spec.http.auth.type MTLS"),
	Entry("the field of MTLS with another type", binding(auth("mtls: {caSecretRef: {name: a, key: b}}")), "spec.http.auth",
		"or correct the type"),
	Entry("MTLS without an authority", binding(http(certified+"auth: {type: MTLS, mtls: {}}")),
		"spec.http.auth.mtls.caSecretRef", "Required value"),
	Entry("Basic without users", binding(auth("type: Basic")), "spec.http.auth", "name the users in spec.http.auth.basic.secretRef"),
	Entry("users with None", binding(auth("type: None, basic: {secretRef: {name: a, key: b}}")), "spec.http.auth",
		"spec.http.auth.basic must be given with spec.http.auth.type Basic"),
	Entry("accounts with None", binding(auth("type: None, serviceAccount: {audience: a}")), "spec.http.auth",
		"spec.http.auth.serviceAccount must not be given unless"),
	Entry("an audience with a space", binding(auth("serviceAccount: {audience: a b}")), "spec.http.auth.serviceAccount.audience",
		"as in orders.example.com"),
	Entry("another verification", binding(auth("serviceAccount: {verification: OIDC}")),
		"spec.http.auth.serviceAccount.verification", `"TokenReview"`),
	Entry("an empty list of accounts", binding(auth("serviceAccount: {allow: []}")), "spec.http.auth.serviceAccount.allow",
		"should have at least 1 items"),
	Entry("an account without a namespace", binding(auth("serviceAccount: {allow: [{serviceAccount: shop}]}")),
		"spec.http.auth.serviceAccount.allow[0].namespace", "Required value"),
	Entry("all namespaces", binding(auth("serviceAccount: {allow: [{namespace: '*'}]}")),
		"spec.http.auth.serviceAccount.allow[0].namespace", "must be the name of a namespace"),
	Entry("an account with its whole name", binding(auth("serviceAccount: {allow: [{namespace: a, serviceAccount: 'a:b'}]}")),
		"spec.http.auth.serviceAccount.allow[0].serviceAccount", "must be the name of a ServiceAccount"),
)

var _ = DescribeTable("A ProducerBinding is refused: what is bound to it", refused,
	Entry("a subject without a kind", binding(subject("name: shop")), "spec.subject.kind", "Required value"),
	Entry("a pod", binding(subject("kind: Pod, name: shop")), "spec.subject.kind", `"Deployment"`),
	Entry("a subject without a name", binding(subject("kind: Deployment")), "spec.subject", "exactly one of name and selector"),
	Entry("a name and a selector", binding(subject("kind: Deployment, name: shop, selector: {matchLabels: {app: shop}}")),
		"spec.subject", "exactly one of name and selector"),
	Entry("a selector of all", binding(subject("kind: Deployment, selector: {}")), "spec.subject.selector",
		"it would select all workloads"),
	Entry("a name of another namespace", binding(subject("kind: Deployment, name: prod/shop")), "spec.subject.name",
		"in this namespace"),
	Entry("no containers", binding(subject("kind: Deployment, name: shop, containers: []")), "spec.subject.containers",
		"should have at least 1 items"),
	Entry("a prefix with a dash", binding(subject("kind: Deployment, name: shop, envPrefix: SHOP-")), "spec.subject.envPrefix",
		"as in ORDERS_"),
)

var _ = DescribeTable("A ProducerBinding is accepted", accepted,
	Entry("small", binding()),
	Entry("with everything", binding("createTopic: {partitions: 6, replicationFactor: 3, configs: [{name: retention.ms, value: '1'}]}",
		"replicas: 0", http("port: 443, maxBodyBytes: 1024, requestTimeout: 10m, "+certified+
			"auth: {serviceAccount: {audience: orders, verification: JWKS, "+
			"allow: [{namespace: a}, {namespace: a, serviceAccount: b}]}}"),
		produce("partitioner: Random, keyedMessages: Move, acks: Leader, compression: Snappy, linger: 5ms, timeout: 10m, "+
			"maxBufferedBytes: 1048576"),
		"limits: {messagesPerSecond: 1, bytesPerSecond: 1024, concurrent: 1}", "idempotency: {window: 0s}",
		subject("kind: CronJob, selector: {matchExpressions: [{key: app, operator: Exists}]}, containers: [app], "+
			"envPrefix: A_"),
		pod("serviceAccountName: gateway"))),
	Entry("with certificates of callers", binding(http(certified+
		"auth: {type: MTLS, mtls: {caSecretRef: {name: ca, key: ca.crt}, allow: [shop, 'spiffe://a/b']}}"))),
	Entry("with passwords", binding(auth("type: Basic, basic: {secretRef: {name: users, key: htpasswd}}"))),
	Entry("with nobody asked", binding(auth("type: None"))),
	Entry("with a short time for both", binding(http("requestTimeout: 5s"), produce("timeout: 5s"))),
	Entry("with the longest name", bindingNamed(strings.Repeat("n", 50))),
	Entry("with a workload by name", binding(subject("kind: StatefulSet, name: shop.v1"))),
)

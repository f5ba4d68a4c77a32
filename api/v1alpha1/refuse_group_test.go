// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	orders = "topics: [orders]"
	logged = "sink: {log: {}}"
)

// refused asserts that a manifest is refused however it is applied, and that the error names the field and says what to
// do.
func refused(ctx SpecContext, manifest, field, fix string) {
	_, err := api.create(ctx, manifest, dryRun)
	Expect(err).To(MatchError(And(ContainSubstring(field), ContainSubstring(fix))), "kubectl apply of\n%s", manifest)
	AddReportEntry("refused", ReportEntryVisibilityFailureOrVerbose, err.Error())
	// What does not fit the schema at all is refused earlier there, and in other words.
	_, err = api.apply(ctx, manifest, dryRun)
	last := strings.TrimSuffix(field[strings.LastIndexAny(field, ".[")+1:], "]")
	Expect(err).To(MatchError(ContainSubstring(last)), "kubectl apply --server-side of\n%s", manifest)
}

func url(text string) string { return fmt.Sprintf("sink: {http: {url: %q}}", text) }
func headers(text string) string {
	return "sink: {http: {url: 'http://billing/', headers: [" + text + "]}}"
}
func retry(text string) string { return "delivery: {retry: {" + text + "}}" }
func pod(text string) string   { return "template: {spec: {" + text + "}}" }

var _ = DescribeTable("A ConsumerGroup is refused: what it delivers", refused,
	Entry("no spec.clusterRef", groupNamed("orders", orders, logged), "spec.clusterRef", "Required value"),
	Entry("a KafkaCluster of another namespace", groupNamed("orders", "clusterRef: {name: prod/kafka}", orders, logged),
		"spec.clusterRef.name", "must be the name of a KafkaCluster in this namespace"),
	Entry("neither topics nor a pattern", group(logged), "spec", "exactly one of topics and topicPattern"),
	Entry("topics and a pattern", group(orders, "topicPattern: .*", logged), "spec", "exactly one of topics and topicPattern"),
	Entry("an empty list of topics", group("topics: []", logged), "spec.topics", "should have at least 1 items"),
	Entry("65 topics", group("topics: ["+numbered("t", 65)+"]", logged), "spec.topics", "must have at most 64 items"),
	Entry("a topic twice", group("topics: [orders, orders]", logged), "spec.topics", `"orders"`),
	Entry("a pattern among the topics", group("topics: ['orders-*']", logged), "spec.topics[0]", "there is topicPattern"),
	Entry("a topic named ..", group("topics: ['..']", logged), "spec.topics[0]", "must be a topic's name"),
	Entry("a topic longer than Kafka's", group("topics: ["+strings.Repeat("t", 250)+"]", logged), "spec.topics[0]", "249"),
	Entry("a pattern that does not end", group("topicPattern: 'orders-[a'", logged), "spec.topicPattern",
		"missing closing ]: `[a` evaluating rule: spec.topicPattern must be a regular expression in RE2's syntax"),
	Entry("a pattern that looks ahead", group("topicPattern: '(?!audit).*'", logged), "spec.topicPattern", "neither look-around"),
	Entry("a pattern that repeats nothing", group("topicPattern: '*'", logged), "spec.topicPattern", "as in orders-.*"),
	Entry("a field that is misspelt", group("topic: [orders]", logged), "spec.topic", "unknown field"),
	Entry("a field of another place", group(orders, "timeout: 1s", logged), "spec.timeout", "unknown field"),
)

var _ = DescribeTable("A ConsumerGroup is refused: how it runs", refused,
	Entry("a group with a slash", group("group: team/orders", orders, logged), "spec.group", "without '/'"),
	Entry("a group with a line end", group(`group: "orders\n"`, orders, logged), "spec.group", "control characters"),
	Entry("a group with what UTF-16 writes as two", group("group: a😀b", orders, logged), "spec.group", "emoji"),
	Entry("a group that ZooKeeper reserves", group("group: zookeeper", orders, logged), "spec.group", "not ., .. or zookeeper"),
	Entry("a group of too many letters", group("group: "+strings.Repeat("g", 201), orders, logged), "spec.group", "200"),
	Entry("a group of too many bytes", group("group: "+strings.Repeat("ü", 101), orders, logged), "spec.group", "200 bytes"),
	Entry("a group without room for the pods' numbers", group("semantics: Topic", "group: "+strings.Repeat("g", 197), orders,
		logged), "spec.group", "196 bytes with semantics Topic"),
	Entry("semantics in lower case", group("semantics: topic", orders, logged), "spec.semantics", `"Queue", "Topic"`),
	Entry("coordination by brokers in another word", group("coordination: Brokers", orders, logged), "spec.coordination", `"Kafka"`),
	Entry("another assignment", group("assignment: RoundRobin", orders, logged), "spec.assignment", `"Sticky", "Range"`),
	Entry("fewer replicas than none", group("replicas: -1", orders, logged), "spec.replicas", "greater than or equal to 0"),
	Entry("far too many replicas", group("replicas: 1001", orders, logged), "spec.replicas", "less than or equal to 1000"),
	Entry("a half replica", group("replicas: 1.5", orders, logged), "spec.replicas", "must be of type integer"),
	Entry("suspend that is no boolean", group("suspend: soon", orders, logged), "spec.suspend", "boolean"),
	Entry("a start that Kafka's own consumers have", group("start: latest", orders, logged), "spec.start", `"Latest"`),
	Entry("an outOfRange that does not exist", group("outOfRange: None", orders, logged), "spec.outOfRange", `"EarliestOrBlock"`),
	Entry("another deletionPolicy", group("deletionPolicy: Keep", orders, logged), "spec.deletionPolicy", `"Retain", "Delete"`),
	Entry("a commitInterval without a unit", group("commitInterval: '10'", orders, logged), "spec.commitInterval",
		"must be a duration from 100ms to 1m, in whole numbers with units: 500ms or 10s"),
	Entry("a commitInterval that is a number", group("commitInterval: 10", orders, logged), "spec.commitInterval", "string"),
	Entry("a commitInterval with a fraction", group("commitInterval: 1.5s", orders, logged), "spec.commitInterval", "whole numbers"),
	Entry("a commitInterval too short", group("commitInterval: 99ms", orders, logged), "spec.commitInterval", "from 100ms to 1m"),
	Entry("a drainTimeout of nothing", group("drainTimeout: 0s", orders, logged), "spec.drainTimeout", "from 1s to 1h"),
	Entry("a drainTimeout too long", group("drainTimeout: 61m", orders, logged), "spec.drainTimeout", "from 1s to 1h"),
	Entry("a delivery without a field", group("delivery: {}", orders, logged), "spec.delivery", "at least 1 properties"),
	Entry("a timeout below nothing", group("delivery: {timeout: -1s}", orders, logged), "spec.delivery.timeout", "from 100ms to 1h"),
	Entry("a backoff that is no duration", group(retry("initialBackoff: fast"), orders, logged),
		"spec.delivery.retry.initialBackoff", "200ms or 1s"),
	Entry("a backoff that shrinks", group(retry("initialBackoff: 10s, maxBackoff: 5s"), orders, logged),
		"spec.delivery.retry", "maxBackoff (default 30s) must be at least initialBackoff"),
	Entry("a backoff above the default of the other", group(retry("initialBackoff: 1m"), orders, logged),
		"spec.delivery.retry", "raise it, or lower initialBackoff"),
	Entry("a number of attempts, which is not there yet", group(retry("attempts: 3"), orders, logged), "attempts", "unknown field"),
	Entry("a name with a dot", strings.Replace(group(orders, logged), "name: orders", "name: orders.v1", 1), "metadata.name",
		"of a-z, 0-9 and '-' alone"),
	Entry("a name that begins with a digit", strings.Replace(group(orders, logged), "name: orders", "name: 1orders", 1),
		"metadata.name", "begin with a letter"),
	Entry("a name too long for its pods", strings.Replace(group(orders, logged), "name: orders", "name: "+strings.Repeat("n", 51), 1),
		"metadata.name", "at most 50 characters"),
)

var _ = DescribeTable("A ConsumerGroup is refused: where messages go", refused,
	Entry("no sink", group(orders), "spec.sink", "Required value"),
	Entry("a sink without a kind", group(orders, "sink: {}"), "spec.sink", "exactly one of http, producerBinding, log and discard"),
	Entry("a ProducerBinding and a URL", group(orders, "sink: {producerBinding: {name: a}, http: {url: 'http://billing/'}}"),
		"spec.sink", "a message goes to one sink"),
	Entry("a ProducerBinding without a name", group(orders, "sink: {producerBinding: {}}"), "spec.sink.producerBinding.name",
		"Required value"),
	Entry("a ProducerBinding of another namespace", group(orders, "sink: {producerBinding: {name: prod/orders}}"),
		"spec.sink.producerBinding.name", "must be the name of a ProducerBinding in this namespace"),
	Entry("two sinks", group(orders, "sink: {log: {}, discard: {}}"), "spec.sink", "a message goes to one sink"),
	Entry("a sink that is not there yet", group(orders, "sink: {kafka: {topic: a}}"), "spec.sink.kafka", "unknown field"),
	Entry("no URL", group(orders, "sink: {http: {}}"), "spec.sink.http.url", "Required value"),
	Entry("a URL without a scheme", group(orders, url("billing/orders")), "spec.sink.http.url", "http://HOST/PATH"),
	Entry("a URL of another scheme", group(orders, url("ftp://billing/orders")), "spec.sink.http.url", "https://HOST/PATH"),
	Entry("a URL without a host", group(orders, url("http:///orders")), "spec.sink.http.url", "http://HOST/PATH"),
	Entry("a URL with a port alone", group(orders, url("http://:8080/")), "spec.sink.http.url", "http://HOST/PATH"),
	Entry("a URL with a port too high", group(orders, url("http://billing:65536/")), "spec.sink.http.url", "port from 1 to 65535"),
	Entry("a URL with a port far too high", group(orders, url("http://billing:99999999999999999999/")),
		"spec.sink.http.url", "port from 1 to 65535"),
	Entry("a URL with a port that is no number", group(orders, url("http://billing:http/")), "spec.sink.http.url", "HOST/PATH"),
	Entry("a URL with a password", group(orders, url("HTTP://me:secret@billing/")), "spec.sink.http.url",
		"send credentials in spec.sink.http.headers"),
	Entry("a URL with a fragment", group(orders, url("http://billing/#orders")), "spec.sink.http.url", "remove # and what follows"),
	Entry("a format that is not there yet", group(orders, "sink: {http: {url: 'http://billing/', format: Structured}}"),
		"spec.sink.http.format", `"CloudEventsBinary", "Raw"`),
	Entry("a header with a space", group(orders, headers("{name: My Key, value: a}")), "spec.sink.http.headers[0].name", "as in X-Api-Key"),
	Entry("a header without a value", group(orders, headers("{name: X-Key}")), "spec.sink.http.headers[0].value", "Required value"),
	Entry("a header with a line end", group(orders, headers(`{name: X-Key, value: "a\nHost: b"}`)),
		"spec.sink.http.headers[0].value", "without line ends"),
	Entry("a header with a space around it", group(orders, headers(`{name: X-Key, value: " a"}`)),
		"spec.sink.http.headers[0].value", "without spaces around it"),
	Entry("a header that the sink sets", group(orders, headers("{name: content-type, value: text/plain}")),
		"spec.sink.http.headers[0].name", "is a header that the sink sets itself: remove it"),
	Entry("a header twice", group(orders, headers("{name: X-Key, value: a}, {name: X-Key, value: b}")),
		"spec.sink.http.headers", `X-Key`),
	Entry("a header twice, in capitals", group(orders, headers("{name: X-Key, value: a}, {name: X-KEY, value: b}")),
		"spec.sink.http.headers", "each header once"),
	Entry("too many headers", group(orders, headers(numbered("{value: x, name: X-", 33, "}"))), "spec.sink.http.headers", "at most 32"),
	Entry("too large headers", group(orders, headers(numbered("{value: "+strings.Repeat("x", 4000)+", name: X-", 3, "}"))),
		"spec.sink.http.headers", "at most 8192 bytes"),
)

var _ = DescribeTable("A ConsumerGroup is refused: what its pods are like", refused,
	Entry("an empty template", group(orders, logged, "template: {}"), "spec.template", "at least 1 properties"),
	Entry("a container", group(orders, logged, pod("containers: [{name: worker}]")), "spec.template.spec.containers", "unknown field"),
	Entry("samsa's own label", group(orders, logged, "template: {metadata: {labels: {app.kubernetes.io/instance: a}}}"),
		"spec.template.metadata.labels", "samsa sets them, choose other keys"),
	Entry("33 labels", group(orders, logged, "template: {metadata: {labels: {"+numbered("l", 33, ": x")+"}}}"),
		"spec.template.metadata.labels", "at most 32"),
	Entry("a request that is no quantity", group(orders, logged, pod("resources: {requests: {memory: 1 GB}}")),
		"spec.template.spec.resources.requests.memory", "should match"),
	Entry("a device", group(orders, logged, pod("resources: {claims: [{name: gpu}]}")), "spec.template.spec.resources", "remove it"),
	Entry("33 tolerations", group(orders, logged, pod("tolerations: ["+numbered("{key: k", 33, "}")+"]")),
		"spec.template.spec.tolerations", "at most 32"),
	Entry("a service account that cannot exist", group(orders, logged, pod("serviceAccountName: My_Account")),
		"spec.template.spec.serviceAccountName", "must be the name of a ServiceAccount"),
	Entry("a priority that cannot exist", group(orders, logged, pod("priorityClassName: High")),
		"spec.template.spec.priorityClassName", "must be the name of a PriorityClass"),
	Entry("a pull secret twice", group(orders, logged, pod("imagePullSecrets: [{name: a}, {name: a}]")),
		"spec.template.spec.imagePullSecrets", `a`),
)

// numbered is a flow of YAML with count entries: prefix, a number, suffix.
func numbered(prefix string, count int, suffix ...string) string {
	entries := make([]string, count)
	for i := range entries {
		entries[i] = fmt.Sprint(prefix, i, strings.Join(suffix, ""))
	}
	return strings.Join(entries, ", ")
}

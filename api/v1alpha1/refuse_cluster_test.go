// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

func connect(text string) string { return fmt.Sprintf("connect: %q", text) }

const reachable = "connect: zk:2181"

// anywhere are bootstrap servers as good as any.
const anywhere = "['kafka:9092']"

// brokers is a KafkaCluster by bootstrap servers alone, with some more fields of its spec.
func brokers(servers string, spec ...string) string {
	return manifest("KafkaCluster", "local", append([]string{"bootstrapServers: " + servers}, spec...))
}

// largest is a KafkaCluster with a maxMessageBytes.
func largest(bytes string) string {
	return cluster(reachable) + "\n  maxMessageBytes: " + bytes + "\n"
}

var _ = DescribeTable("A KafkaCluster is refused", refused,
	Entry("neither ZooKeeper nor brokers", manifest("KafkaCluster", "local", []string{"maxMessageBytes: 1000"}), "spec",
		"spec must have zookeeper, bootstrapServers or both"),
	Entry("nothing to connect to", cluster("sessionTimeout: 10s"), "spec.zookeeper.connect", "Required value"),
	Entry("an empty list of servers", cluster(connect("")), "spec.zookeeper.connect", "HOST or HOST:PORT"),
	Entry("bootstrap servers of ZooKeeper", cluster(reachable, "bootstrapServers: 'kafka:9092'"),
		"spec.zookeeper.bootstrapServers", "unknown field"),
	Entry("a scheme", cluster(connect("zk://zk-0:2181")), "spec.zookeeper.connect", "leave out the scheme"),
	Entry("a space", cluster(connect("zk-0:2181, zk-1:2181")), "spec.zookeeper.connect", "remove the spaces"),
	Entry("a user", cluster(connect("me:secret@zk-0:2181")), "spec.zookeeper.connect", "name it in spec.zookeeper.digestSecretRef"),
	Entry("a comma too many", cluster(connect("zk-0:2181,,zk-1:2181")), "spec.zookeeper.connect", "separated by commas"),
	Entry("a comma at the end", cluster(connect("zk-0:2181,")), "spec.zookeeper.connect", "separated by commas"),
	Entry("semicolons", cluster(connect("zk-0:2181;zk-1:2181")), "spec.zookeeper.connect", "separated by commas"),
	Entry("port 0", cluster(connect("zk-0:0")), "spec.zookeeper.connect", "PORT from 1 to 65535"),
	Entry("port 65536", cluster(connect("zk-0:2181,zk-1:65536/kafka")), "spec.zookeeper.connect", "PORT from 1 to 65535"),
	Entry("a port that is no number", cluster(connect("zk-0:zk")), "spec.zookeeper.connect", "PORT from 1 to 65535"),
	Entry("a port without a number", cluster(connect("zk-0:")), "spec.zookeeper.connect", "PORT from 1 to 65535"),
	Entry("a port without a host", cluster(connect(":2181")), "spec.zookeeper.connect", "HOST or HOST:PORT"),
	Entry("a bare IPv6 address", cluster(connect("::1")), "spec.zookeeper.connect", "IPv6 addresses in brackets"),
	Entry("a chroot alone", cluster(connect("/kafka")), "spec.zookeeper.connect", "HOST or HOST:PORT"),
	Entry("a chroot for each host", cluster(connect("zk-0:2181/kafka,zk-1:2181/kafka")), "spec.zookeeper.connect",
		"chroot once, behind the last host"),
	Entry("a comma behind the chroot", cluster(connect("zk-0:2181/kafka,")), "spec.zookeeper.connect", "chroot once"),
	Entry("a chroot with an empty part", cluster(connect("zk-0:2181//kafka")), "spec.zookeeper.connect", "empty part"),
	Entry("a chroot with ..", cluster(connect("zk-0:2181/a/../kafka")), "spec.zookeeper.connect", "write the path out"),
	Entry("far too long a list", cluster(connect(strings.Repeat("z", 1025))), "spec.zookeeper.connect", "1024"),
	Entry("a session without a unit", cluster(reachable, "sessionTimeout: '6000'"), "spec.zookeeper.sessionTimeout",
		"must be a duration from 1s to 5m, in whole numbers with units: 10s or 1m"),
	Entry("a session too short", cluster(reachable, "sessionTimeout: 500ms"), "spec.zookeeper.sessionTimeout", "from 1s to 5m"),
	Entry("a session too long", cluster(reachable, "sessionTimeout: 1h"), "spec.zookeeper.sessionTimeout", "from 1s to 5m"),
	Entry("no messages at all", largest("0"), "spec.maxMessageBytes", "should be greater than or equal to 1000"),
	Entry("messages in megabytes", largest("1"), "spec.maxMessageBytes", "should be greater than or equal to 1000"),
	Entry("messages that no request can hold", largest("104857601"), "spec.maxMessageBytes", "less than or equal to 104857600"),
	Entry("messages with a unit", largest("1Mi"), "spec.maxMessageBytes", "integer"),
	Entry("a digest in clear", cluster(reachable, "digest: 'me:secret'"), "spec.zookeeper.digest", "unknown field"),
	Entry("a digest without a key", cluster(reachable, "digestSecretRef: {name: zk}"), "spec.zookeeper.digestSecretRef.key", "Required"),
	Entry("a digest without a Secret", cluster(reachable, "digestSecretRef: {key: digest}"),
		"spec.zookeeper.digestSecretRef.name", "Required"),
	Entry("a Secret of another namespace", cluster(reachable, "digestSecretRef: {name: prod/zk, key: digest}"),
		"spec.zookeeper.digestSecretRef.name", "must be the name of a Secret in this namespace"),
	Entry("a key with a slash", cluster(reachable, "digestSecretRef: {name: zk, key: a/b}"),
		"spec.zookeeper.digestSecretRef.key", "must be a key of a Secret"),
	Entry("a certificate by key", cluster(reachable, "tls: {certificateSecretRef: {name: zk, key: tls.crt}}"),
		"spec.zookeeper.tls.certificateSecretRef.key", "unknown field"),
	Entry("an authority without a key", cluster(reachable, "tls: {caSecretRef: {name: zk}}"),
		"spec.zookeeper.tls.caSecretRef.key", "Required"),
	Entry("a server's name with a scheme", cluster(reachable, "tls: {serverName: 'https://zk'}"), "spec.zookeeper.tls.serverName",
		"without a scheme or a path"),
	Entry("tls that is a switch", cluster(reachable, "tls: true"), "spec.zookeeper.tls", "object"),
)

var _ = DescribeTable("A KafkaCluster of brokers is refused", refused,
	Entry("an empty list", brokers("[]"), "spec.bootstrapServers", "should have at least 1 items"),
	Entry("65 servers", brokers("["+numbered("kafka:1", 65)+"]"), "spec.bootstrapServers", "must have at most 64 items"),
	Entry("a text for the list", brokers("'kafka:9092'"), "spec.bootstrapServers", "array"),
	Entry("a server twice", brokers("['kafka:9092', 'kafka:9092']"), "spec.bootstrapServers", `"kafka:9092"`),
	Entry("a list in one item", brokers("['kafka-0:9092,kafka-1:9092']"), "spec.bootstrapServers[0]",
		"make each server an item of the list"),
	Entry("a scheme", brokers("['SASL_SSL://kafka:9092']"), "spec.bootstrapServers[0]", "leave out the scheme"),
	Entry("no port", brokers("[kafka-0]"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("port 0", brokers("['kafka:0']"), "spec.bootstrapServers[0]", "PORT from 1 to 65535"),
	Entry("port 65536", brokers("['kafka:65536']"), "spec.bootstrapServers[0]", "PORT from 1 to 65535"),
	Entry("a port with a zero before it, which would be a server twice", brokers("['kafka:9092', 'kafka:09092']"),
		"spec.bootstrapServers[1]", "PORT from 1 to 65535"),
	Entry("a host of dots", brokers("['...:9092']"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("a host of a dash", brokers("['-:9092']"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("brackets without an IPv6 address", brokers("['[1]:9092']"), "spec.bootstrapServers[0]", "IPv6 addresses in brackets"),
	Entry("a port alone", brokers("[':9092']"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("a bare IPv6 address", brokers("['::1:9092']"), "spec.bootstrapServers[0]", "IPv6 addresses in brackets"),
	Entry("a path", brokers("['kafka:9092/kafka']"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("a space", brokers("['kafka:9092 ']"), "spec.bootstrapServers[0]", "must be HOST:PORT"),
	Entry("an empty server", brokers("['']"), "spec.bootstrapServers[0]", "at least 3"),
	Entry("a server's name with a scheme", brokers(anywhere, "tls: {serverName: 'https://kafka'}"), "spec.tls.serverName",
		"without a scheme or a path"),
	Entry("an authority without a key", brokers(anywhere, "tls: {caSecretRef: {name: ca}}"), "spec.tls.caSecretRef.key", "Required"),
	Entry("sasl that says nothing", brokers(anywhere, "sasl: {}"), "spec.sasl.mechanism", "Required"),
	Entry("a mechanism that is none", brokers(anywhere, "sasl: {mechanism: GSSAPI}"), "spec.sasl.mechanism", "SCRAM-SHA-512"),
	Entry("a password in clear", brokers(anywhere, "sasl: {mechanism: PLAIN, password: secret}"),
		"spec.sasl.password", "unknown field"),
	Entry("PLAIN without credentials", brokers(anywhere, "sasl: {mechanism: PLAIN}"), "spec.sasl",
		"name a Secret with the keys username and password"),
	Entry("SCRAM with a token", brokers(anywhere, "sasl: {mechanism: SCRAM-SHA-256, tokenSecretRef: {name: a, key: b}}"),
		"spec.sasl", "must have credentialsSecretRef and no tokenSecretRef"),
	Entry("SCRAM with both", brokers(anywhere,
		"sasl: {mechanism: SCRAM-SHA-512, credentialsSecretRef: {name: a}, tokenSecretRef: {name: a, key: b}}"),
		"spec.sasl", "must have credentialsSecretRef and no tokenSecretRef"),
	Entry("OAUTHBEARER with a password", brokers(anywhere, "sasl: {mechanism: OAUTHBEARER, credentialsSecretRef: {name: a}}"),
		"spec.sasl", "must have tokenSecretRef and no credentialsSecretRef"),
	Entry("a token without a key", brokers(anywhere, "sasl: {mechanism: OAUTHBEARER, tokenSecretRef: {name: a}}"),
		"spec.sasl.tokenSecretRef.key", "Required"),
)

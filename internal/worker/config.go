// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"time"

	"github.com/samsa-dev/samsa/internal/clusterconfig"
	"github.com/samsa-dev/samsa/internal/configfile"
)

// Config is the file of `samsa worker --config FILE`. It holds no credentials, only names of files that do; names that
// are relative are so to the directory of the file itself.
//
// What is left out when a Config is written with sigs.k8s.io/yaml gets its default when it is read.
type Config struct {
	// Group is the consumer group, shared with whoever else consumes under this name; see also Semantics.
	Group string `json:"group"`
	// Member is the stable name of this worker: what comes back under it gets its partitions back. Default: $POD_NAME,
	// else the host's name.
	Member string `json:"member,omitempty"`
	// Topics are what the group consumes. Exactly one of Topics and TopicPattern is given.
	Topics []string `json:"topics,omitempty"`
	// TopicPattern is an expression (RE2) that the whole name of a topic has to match to be consumed. Topics that appear
	// are taken up, those that go are let go of. Kafka's own, whose names begin with __, never match.
	TopicPattern string `json:"topicPattern,omitempty"`
	// Semantics is who gets a message.
	Semantics Semantics `json:"semantics,omitempty"`
	// Cluster is how to reach Kafka.
	Cluster Cluster `json:"cluster"`
	// Coordination is where the group is kept.
	Coordination Coordination `json:"coordination,omitempty"`
	// Start is where a group that never committed begins.
	Start Start `json:"start,omitempty"`
	// OutOfRange is what happens where the committed position is not in the log any more.
	OutOfRange OutOfRange `json:"outOfRange,omitempty"`
	// Assignment is how partitions are shared out, as long as all members of the group are samsa's.
	Assignment Assignment `json:"assignment,omitempty"`
	// CommitInterval is how often acknowledged positions are written, and so how much a crash delivers again.
	CommitInterval Duration `json:"commitInterval,omitempty"`
	// DrainTimeout is how long deliveries under way may take to end after SIGTERM.
	DrainTimeout Duration `json:"drainTimeout,omitempty"`
	// Delivery is how attempts at the sink are made.
	Delivery Delivery `json:"delivery,omitzero"`
	// Sink is where messages go.
	Sink Sink `json:"sink"`
	// Listen is the address of health, readiness, metrics and status. Port 0 takes a free one; the log says which.
	Listen string `json:"listen,omitempty"`
}

// The parts of a configuration that other processes' have, too.
type (
	// Cluster is how to reach a Kafka cluster.
	Cluster = clusterconfig.Cluster
	// ZooKeeper is how to reach the ensemble that a cluster is registered in.
	ZooKeeper = clusterconfig.ZooKeeper
	// TLS names the files of a TLS connection.
	TLS = clusterconfig.TLS
	// SASL is how a worker proves to brokers who it is.
	SASL = clusterconfig.SASL
	// Mechanism is the name of a SASL mechanism.
	Mechanism = clusterconfig.Mechanism
	// Duration is a time.Duration that reads and writes as "1m30s".
	Duration = configfile.Duration
)

// Coordination is where a group is kept: its members, what they own, and how far they have come.
type Coordination string

// Where a group may be kept.
const (
	// CoordinationAuto: in ZooKeeper where one is given, else with the brokers.
	CoordinationAuto Coordination = "Auto"
	// CoordinationZooKeeper: in ZooKeeper, as Kafka's own consumers did until 2.0.
	CoordinationZooKeeper Coordination = "ZooKeeper"
	// CoordinationKafka: with the brokers' group coordinator, from Kafka 0.9 on.
	CoordinationKafka Coordination = "Kafka"
)

// Semantics is who gets a message.
type Semantics string

// Who may get a message.
const (
	// SemanticsQueue: one member of the group.
	SemanticsQueue Semantics = "Queue"
	// SemanticsTopic: every worker, each as a group of its own: <group>-<ordinal>, where the ordinal is the number at the
	// end of the member's name.
	SemanticsTopic Semantics = "Topic"
)

// Start is where a group that never committed begins.
type Start string

// Where a group may begin.
const (
	StartEarliest Start = "Earliest"
	StartLatest   Start = "Latest"
)

// OutOfRange is what happens where a position is not in the log any more.
type OutOfRange string

// What may happen where a position is not in the log any more.
const (
	// OutOfRangeEarliestOrBlock: where retention was faster than the group, it goes on at the earliest message there is,
	// and what it missed is counted; where the position lies beyond the end (the topic was made anew or truncated), the
	// partition blocks until the position is in the log again or somebody sets another.
	OutOfRangeEarliestOrBlock OutOfRange = "EarliestOrBlock"
	// OutOfRangeBlock: the partition blocks in both cases.
	OutOfRangeBlock OutOfRange = "Block"
	// OutOfRangeEarliest and OutOfRangeLatest: it goes on there in both cases.
	OutOfRangeEarliest OutOfRange = "Earliest"
	OutOfRangeLatest   OutOfRange = "Latest"
	// OutOfRangeNearest: where retention was faster it goes on at the earliest message, where the position lies beyond
	// the end, at the end.
	OutOfRangeNearest OutOfRange = "Nearest"
)

// Assignment is how partitions are shared out among the members of a group.
type Assignment string

// How partitions may be shared out.
const (
	AssignSticky Assignment = "Sticky"
	AssignRange  Assignment = "Range"
)

// Delivery is how attempts at the sink are made.
type Delivery struct {
	// Timeout bounds one attempt.
	Timeout Duration `json:"timeout,omitempty"`
	Retry   Retry    `json:"retry,omitzero"`
}

// Retry is the wait between attempts: it doubles, with jitter, from InitialBackoff up to MaxBackoff.
type Retry struct {
	InitialBackoff Duration `json:"initialBackoff,omitempty"`
	MaxBackoff     Duration `json:"maxBackoff,omitempty"`
}

// Sink is where messages go; exactly one is set.
type Sink struct {
	HTTP    *HTTPSink    `json:"http,omitempty"`
	Log     *LogSink     `json:"log,omitempty"`
	Discard *DiscardSink `json:"discard,omitempty"`
	Binding *BindingSink `json:"producerBinding,omitempty"`
}

// HTTPSink posts each message.
type HTTPSink struct {
	URL     string            `json:"url"`
	Format  Format            `json:"format,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// BindingSink publishes each message to a ProducerBinding.
type BindingSink struct {
	// URL is the binding's.
	URL string `json:"url"`
	// TokenFile holds the token that goes with each request; it may be renewed in place. Empty: the binding wants none.
	TokenFile string `json:"tokenFile,omitempty"`
	// CAFile holds the certificates of those who may have signed the gateways'. Empty: whom the system trusts.
	CAFile string `json:"caFile,omitempty"`
	// Scope tells messages of one cluster from those of another in Idempotency-Keys: it is the cluster's name.
	Scope string `json:"scope"`
}

// Format is how a message stands in a request.
type Format string

// How a message may stand in a request.
const (
	FormatRaw               Format = "Raw"
	FormatCloudEventsBinary Format = "CloudEventsBinary"
)

// LogSink writes each message to standard output, as one line of JSON.
type LogSink struct{}

// DiscardSink acknowledges every message at once.
type DiscardSink struct{}

// Default is the configuration where the file says nothing.
func Default() Config {
	return Config{
		Cluster:        clusterconfig.Default(),
		Coordination:   CoordinationAuto,
		Semantics:      SemanticsQueue,
		Start:          StartEarliest,
		OutOfRange:     OutOfRangeEarliestOrBlock,
		Assignment:     AssignSticky,
		CommitInterval: Duration(time.Second),
		DrainTimeout:   Duration(30 * time.Second),
		Delivery: Delivery{
			Timeout: Duration(30 * time.Second),
			Retry:   Retry{InitialBackoff: Duration(200 * time.Millisecond), MaxBackoff: Duration(30 * time.Second)},
		},
		Listen: "127.0.0.1:8080",
	}
}

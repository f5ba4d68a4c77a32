// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ConsumerGroupSpec says which topics are delivered where, by how many workers.
// +kubebuilder:validation:XValidation:rule="has(self.topics) != has(self.topicPattern)",message="spec must have exactly one of topics and topicPattern: list the topics, or give a pattern that their names match"
// +kubebuilder:validation:XValidation:rule="has(self.group) == has(oldSelf.group) && (!has(self.group) || self.group == oldSelf.group)",message="spec.group cannot be changed, since the committed positions belong to it: create another ConsumerGroup"
// +kubebuilder:validation:XValidation:rule="!has(self.group) || self.semantics != 'Topic' || bytes(self.group).size() <= 196",message="spec.group must have at most 196 bytes with semantics Topic, since each pod's number is appended to it: shorten it"
type ConsumerGroupSpec struct {
	// clusterRef names the KafkaCluster, in the same namespace.
	// +required
	ClusterRef ClusterReference `json:"clusterRef,omitzero"`
	// topics are the topics to deliver. One that does not exist yet is delivered as soon as it does.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Topics []TopicName `json:"topics,omitempty"`
	// topicPattern is a regular expression (RE2) that the whole name of a topic has to match to be delivered. New topics
	// are taken up as they appear. Kafka's own topics, whose names begin with __, never match.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:XValidation:rule="''.matches(self) in [true, false]",message="spec.topicPattern must be a regular expression in RE2's syntax, as in orders-.*; it has neither look-around nor back references"
	TopicPattern string `json:"topicPattern,omitempty"`
	// group is the name of the consumer group in the cluster, under which positions are kept and which other consumers
	// may share. It cannot be changed. Default: the name of this object.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'[/\x00-\x1f\x7f-\x9f\x{e000}-\x{f8ff}\x{fff0}-\x{10ffff}]') && !(self in ['.', '..', 'zookeeper'])`,message="spec.group must be a name that ZooKeeper can hold as one node: without '/', control characters and emoji, and not ., .. or zookeeper"
	// +kubebuilder:validation:XValidation:rule="bytes(self).size() <= 200",message="spec.group must have at most 200 bytes in UTF-8: shorten it"
	Group string `json:"group,omitempty"`
	// semantics says who gets a message: with Queue one member of the group, with Topic every pod, each as a group of its
	// own named <group>-<ordinal>. It cannot be changed. Default Queue.
	// +optional
	// +default="Queue"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec.semantics cannot be changed, since the committed positions belong to it: create another ConsumerGroup"
	Semantics Semantics `json:"semantics,omitempty"`
	// coordination says who shares out the partitions and keeps the positions: ZooKeeper the classic registry, which
	// Kafka's own consumers used until 2.0; Kafka the brokers' group coordinator, which all later ones use, from Kafka 0.9
	// on. Auto takes ZooKeeper where the KafkaCluster names one, else Kafka. What it took stands in status.coordination,
	// and stays whatever becomes of the KafkaCluster. It cannot be changed. Default Auto.
	// +optional
	// +default="Auto"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec.coordination cannot be changed, since the committed positions are kept there: create another ConsumerGroup"
	Coordination Coordination `json:"coordination,omitempty"`
	// assignment is how partitions are shared out. Sticky moves as few as can be, and gives a pod that returns those that
	// it had; Range is Kafka's own, and is always used while the group has members that are not samsa's. Default Sticky.
	// +optional
	// +default="Sticky"
	Assignment Assignment `json:"assignment,omitempty"`
	// replicas is the number of workers. With 0 nothing is delivered, and positions stay. Default 1.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`
	// suspend stops all workers, whatever replicas says, until it is set to false. Positions stay. Default false.
	// +optional
	// +default=false
	Suspend *bool `json:"suspend,omitempty"` //nolint:kubeapilinter // as in Job and CronJob, whose users expect just this
	// start is where a group that never committed a position begins: with the earliest message there is, or with the
	// first that is published after. Default Earliest.
	// +optional
	// +default="Earliest"
	Start Start `json:"start,omitempty"`
	// outOfRange says what to do where the committed position is not in the partition any more. EarliestOrBlock: where
	// retention has removed messages, go on with the earliest there is (an event tells how many are lost); where the
	// position lies beyond the end, since the topic was created anew or truncated, block the partition. Block: block in
	// both cases. Earliest, Latest: go on there in both cases. Nearest: go on at that end of the partition which is
	// nearer, the earliest message where retention was faster, and else the next that is published. Default
	// EarliestOrBlock.
	// +optional
	// +default="EarliestOrBlock"
	OutOfRange OutOfRange `json:"outOfRange,omitempty"`
	// delivery says how attempts at the sink are made.
	// +optional
	Delivery Delivery `json:"delivery,omitzero"`
	// sink is where messages go: exactly one of http, producerBinding, log and discard.
	// +required
	Sink Sink `json:"sink,omitzero"`
	// commitInterval is how often acknowledged positions are written: what a crash delivers again is at most this much.
	// Default 1s.
	// +optional
	// +default="1s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('100ms') && duration(self) <= duration('1m')",message="spec.commitInterval must be a duration from 100ms to 1m, in whole numbers with units: 500ms or 10s"
	CommitInterval Duration `json:"commitInterval,omitempty"`
	// drainTimeout is how long a worker that stops may take for deliveries under way. Default 30s.
	// +optional
	// +default="30s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="spec.drainTimeout must be a duration from 1s to 1h, in whole numbers with units: 30s or 2m"
	DrainTimeout Duration `json:"drainTimeout,omitempty"`
	// deletionPolicy says what becomes of the committed positions when this object is deleted: Retain keeps them, so that
	// a group of the same name goes on where this one stopped; Delete removes them. Default Retain.
	// +optional
	// +default="Retain"
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
	// template adds to the workers' pods.
	// +optional
	Template PodTemplate `json:"template,omitzero"`
}

// ClusterReference names a KafkaCluster in the same namespace.
type ClusterReference struct {
	// name of the KafkaCluster, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="spec.clusterRef.name must be the name of a KafkaCluster in this namespace: lower case letters, digits, '-' and '.' alone"
	Name string `json:"name,omitempty"`
}

// TopicName is the name of a topic, by Kafka's own rule.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=249
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]+$') && !(self in ['.', '..'])",message="must be a topic's name: letters, digits, '.', '_' and '-' alone, and not . or ..; for a regular expression there is topicPattern"
type TopicName string

// Semantics says who gets a message.
// +kubebuilder:validation:Enum=Queue;Topic
type Semantics string

// Who gets a message.
const (
	// SemanticsQueue: one member of the group.
	SemanticsQueue Semantics = "Queue"
	// SemanticsTopic: every pod.
	SemanticsTopic Semantics = "Topic"
)

// Coordination says who shares out partitions and keeps positions.
// +kubebuilder:validation:Enum=Auto;ZooKeeper;Kafka
type Coordination string

// Who shares out partitions.
const (
	// CoordinationAuto: what the cluster has.
	CoordinationAuto Coordination = "Auto"
	// CoordinationZooKeeper: the classic registry in ZooKeeper.
	CoordinationZooKeeper Coordination = "ZooKeeper"
	// CoordinationKafka: the group coordinator of the brokers.
	CoordinationKafka Coordination = "Kafka"
)

// Assignment is how partitions are shared out.
// +kubebuilder:validation:Enum=Sticky;Range
type Assignment string

// How partitions are shared out.
const (
	AssignmentSticky Assignment = "Sticky"
	AssignmentRange  Assignment = "Range"
)

// Start is where a new group begins.
// +kubebuilder:validation:Enum=Earliest;Latest
type Start string

// Where a new group begins.
const (
	StartEarliest Start = "Earliest"
	StartLatest   Start = "Latest"
)

// OutOfRange says what to do with a position that is not in its partition.
// +kubebuilder:validation:Enum=EarliestOrBlock;Block;Earliest;Latest;Nearest
type OutOfRange string

// What to do with a position that is not in its partition.
const (
	OutOfRangeEarliestOrBlock OutOfRange = "EarliestOrBlock"
	OutOfRangeBlock           OutOfRange = "Block"
	OutOfRangeEarliest        OutOfRange = "Earliest"
	OutOfRangeLatest          OutOfRange = "Latest"
	OutOfRangeNearest         OutOfRange = "Nearest"
)

// DeletionPolicy says what becomes of committed positions.
// +kubebuilder:validation:Enum=Retain;Delete
type DeletionPolicy string

// What becomes of committed positions.
const (
	DeletionRetain DeletionPolicy = "Retain"
	DeletionDelete DeletionPolicy = "Delete"
)

// Delivery says how attempts at the sink are made.
// +kubebuilder:validation:MinProperties=1
type Delivery struct {
	// timeout bounds one attempt. Default 30s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('100ms') && duration(self) <= duration('1h')",message="spec.delivery.timeout must be a duration from 100ms to 1h, in whole numbers with units: 500ms or 30s"
	Timeout Duration `json:"timeout,omitempty"`
	// retry says how long to wait between attempts. A message is tried until the sink takes it; its partition waits
	// meanwhile, the others go on.
	// +optional
	Retry Retry `json:"retry,omitzero"`
}

// Retry is the wait between attempts: it doubles, with jitter, from initialBackoff up to maxBackoff.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="[self.?initialBackoff.orValue('200ms'), self.?maxBackoff.orValue('30s')].exists(d, !d.matches('^([0-9]+(ms|s|m|h))+$')) || duration(self.?initialBackoff.orValue('200ms')) <= duration(self.?maxBackoff.orValue('30s'))",message="spec.delivery.retry.maxBackoff (default 30s) must be at least initialBackoff (default 200ms): raise it, or lower initialBackoff"
type Retry struct {
	// initialBackoff is the wait after the first failure. Default 200ms.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('1h')",message="spec.delivery.retry.initialBackoff must be a duration from 1ms to 1h, in whole numbers with units: 200ms or 1s"
	InitialBackoff Duration `json:"initialBackoff,omitempty"`
	// maxBackoff is the longest wait. Default 30s.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1ms') && duration(self) <= duration('1h')",message="spec.delivery.retry.maxBackoff must be a duration from 1ms to 1h, in whole numbers with units: 30s or 5m"
	MaxBackoff Duration `json:"maxBackoff,omitempty"`
}

// Sink is where messages go.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="[has(self.http), has(self.producerBinding), has(self.log), has(self.discard)].filter(given, given).size() == 1",message="spec.sink must have exactly one of http, producerBinding, log and discard: a message goes to one sink"
type Sink struct {
	// http posts each message to a URL; an answer of 2xx acknowledges it.
	// +optional
	HTTP *HTTPSink `json:"http,omitempty"` //nolint:kubeapilinter // a pointer as its siblings, which are asked alike
	// producerBinding publishes each message by a ProducerBinding: with its key and headers, and such that one that is
	// delivered again within the binding's window is not written again, where its Kafka stores headers.
	// +optional
	ProducerBinding ProducerBindingSink `json:"producerBinding,omitzero"`
	// log writes each message to the worker's standard output, as one line of JSON.
	// +optional
	Log *LogSink `json:"log,omitempty"` //nolint:kubeapilinter // log: {} is all there is to say
	// discard acknowledges every message at once, to measure or to skip.
	// +optional
	Discard *DiscardSink `json:"discard,omitempty"` //nolint:kubeapilinter // discard: {} is all there is to say
}

// HTTPSink posts each message.
type HTTPSink struct {
	// url is where messages are posted to, as in http://billing/orders. Credentials do not belong here: it is shown in
	// the status and in logs.
	// +required
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != ''",message="spec.sink.http.url must be http://HOST/PATH or https://HOST/PATH"
	// +kubebuilder:validation:XValidation:rule="!isURL(self) || url(self).getPort() == '' || (url(self).getPort().size() <= 5 && int(url(self).getPort()) >= 1 && int(url(self).getPort()) <= 65535)",message="spec.sink.http.url must have a port from 1 to 65535, or none"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^[a-zA-Z]+://[^/?#]*@')",message="spec.sink.http.url must not hold a user's name, since it is shown in the status and in logs: send credentials in spec.sink.http.headers"
	// +kubebuilder:validation:XValidation:rule="!self.contains('#')",message="spec.sink.http.url must not hold a fragment, which is never sent: remove # and what follows"
	URL string `json:"url,omitempty"`
	// format is how a message stands in the request: CloudEventsBinary has the value as the body and CloudEvents'
	// attributes as headers, Raw the value and samsa's own headers. Default CloudEventsBinary.
	// +optional
	// +default="CloudEventsBinary"
	Format HTTPFormat `json:"format,omitempty"`
	// headers are sent with each request, at most 8 KiB of them. Those that say how a message stands in the request are
	// the sink's own: Content-*, Host, Idempotency-Key and the like, and all that begin with Samsa- or Ce-.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(h, self.exists_one(o, o.name.lowerAscii() == h.name.lowerAscii()))",message="spec.sink.http.headers must name each header once; upper and lower case are the same there"
	// +kubebuilder:validation:XValidation:rule="self.map(h, bytes(h.name).size() + bytes(h.value).size() + 4).sum() <= 8192",message="spec.sink.http.headers must have at most 8192 bytes together, since servers refuse more: send fewer or shorter ones"
	Headers []HTTPHeader `json:"headers,omitempty"`
}

// HTTPFormat is how a message stands in a request.
// +kubebuilder:validation:Enum=CloudEventsBinary;Raw
type HTTPFormat string

// How a message stands in a request.
const (
	HTTPFormatCloudEventsBinary HTTPFormat = "CloudEventsBinary"
	HTTPFormatRaw               HTTPFormat = "Raw"
)

// HTTPHeader is a header of every request.
type HTTPHeader struct {
	// name of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9!#$%&\x27*+.^_|~-]+$')`,message="must be the name of an HTTP header, as in X-Api-Key: letters, digits and '-'"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['content-type', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'proxy-connection', 'trailer', 'te', 'upgrade', 'expect', 'host', 'accept-encoding', 'idempotency-key']) && !self.lowerAscii().startsWith('samsa-') && !self.lowerAscii().startsWith('ce-')",message="is a header that the sink sets itself: remove it from spec.sink.http.headers"
	Name string `json:"name,omitempty"`
	// value of the header.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$')`,message="must be the value of an HTTP header: without line ends and other control characters, and without spaces around it"
	Value string `json:"value,omitempty"`
}

// ProducerBindingSink names a ProducerBinding in the same namespace. Its topic must not be one that the group itself
// consumes, and it has to allow the ServiceAccount of the group's pods, which is spec.template.spec.serviceAccountName.
type ProducerBindingSink struct {
	// name of the ProducerBinding, in the same namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="spec.sink.producerBinding.name must be the name of a ProducerBinding in this namespace: a-z, 0-9 and '-' alone"
	Name string `json:"name,omitempty"`
}

// LogSink has no options.
type LogSink struct{}

// DiscardSink has no options.
type DiscardSink struct{}

// PodTemplate adds to the pods of workers, or of gateways.
// +kubebuilder:validation:MinProperties=1
type PodTemplate struct {
	// metadata adds labels and annotations to the pods.
	// +optional
	Metadata PodMetadata `json:"metadata,omitzero"`
	// spec adds to the pods' spec.
	// +optional
	Spec PodSpec `json:"spec,omitzero"` //nolint:kubeapilinter // MinProperties refuses spec: {} all the same
}

// PodMetadata are labels and annotations.
// +kubebuilder:validation:MinProperties=1
type PodMetadata struct {
	// labels are added to the pods. Those by which samsa finds its pods are its own: app.kubernetes.io/name, instance and
	// managed-by, kafka.samsa.dev/consumer-group and kafka.samsa.dev/producer-binding.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', 'kafka.samsa.dev/consumer-group', 'kafka.samsa.dev/producer-binding'].all(k, !(k in self))",message="spec.template.metadata.labels must not hold app.kubernetes.io/name, instance or managed-by, nor kafka.samsa.dev/consumer-group or producer-binding: samsa sets them, choose other keys"
	Labels map[string]string `json:"labels,omitempty"` //nolint:kubeapilinter // as in every pod template
	// annotations are added to the pods.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Annotations map[string]string `json:"annotations,omitempty"` //nolint:kubeapilinter // as in every pod template
}

// PodSpec is the part of a pod's spec that makes sense for a worker or a gateway.
// +kubebuilder:validation:MinProperties=1
type PodSpec struct {
	// resources are the container's requests and limits.
	// +optional
	// +kubebuilder:validation:XValidation:rule="!has(self.claims)",message="spec.template.spec.resources.claims is not supported, since there is no use for devices: remove it"
	Resources corev1.ResourceRequirements `json:"resources,omitzero"` //nolint:kubeapilinter // resources: {} is common
	// nodeSelector is what a node's labels have to be.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	NodeSelector map[string]string `json:"nodeSelector,omitempty"` //nolint:kubeapilinter // as in every pod's spec
	// tolerations are the taints of nodes that the pods tolerate.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity says which nodes and neighbours the pods want.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// topologySpreadConstraints say how the pods spread. Default: over zones and nodes, as far as possible.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// serviceAccountName is the account that the pods run as. Default: for workers, which need no permission, default; for
	// gateways one of their own, <name>-gateway.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="spec.template.spec.serviceAccountName must be the name of a ServiceAccount: lower case letters, digits, '-' and '.' alone"
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// imagePullSecrets are for the image.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets,omitempty"`
	// priorityClassName is the pods' priority.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="spec.template.spec.priorityClassName must be the name of a PriorityClass: lower case letters, digits, '-' and '.' alone"
	PriorityClassName string `json:"priorityClassName,omitempty"`
}

// ConsumerGroup delivers the messages of topics to a sink: a group of worker pods shares their partitions, and no
// message counts as consumed before the sink has acknowledged it.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=cg,categories={all,samsa}
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 50",message="metadata.name must have at most 50 characters: pods and their labels are named after it"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be of a-z, 0-9 and '-' alone and begin with a letter, since a Service and the workers' host names are made of it"
// +kubebuilder:printcolumn:name="Topics",type=string,JSONPath=`.status.columns.topics`
// +kubebuilder:printcolumn:name="Sink",type=string,JSONPath=`.status.columns.sink`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Owned",type=string,JSONPath=`.status.columns.owned`
// +kubebuilder:printcolumn:name="Lag",type=string,JSONPath=`.status.columns.lag`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Group",type=string,priority=1,JSONPath=`.status.group`
// +kubebuilder:printcolumn:name="Coordination",type=string,priority=1,JSONPath=`.status.coordination`
// +kubebuilder:printcolumn:name="Ready",type=integer,priority=1,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Foreign",type=integer,priority=1,JSONPath=`.status.foreignMembers`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type ConsumerGroup struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says what is delivered where.
	// +required
	Spec ConsumerGroupSpec `json:"spec,omitzero"`
	// status is how the group stands.
	// +optional
	// +default={"observedGeneration": -1}
	Status ConsumerGroupStatus `json:"status,omitzero"`
}

// ConsumerGroupList is a list of ConsumerGroups.
// +kubebuilder:object:root=true
type ConsumerGroupList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the list's standard metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitzero"`
	// items are the groups.
	// +required
	Items []ConsumerGroup `json:"items"`
}

// GetConditions gives the conditions of the status.
func (g *ConsumerGroup) GetConditions() []metav1.Condition { return g.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (g *ConsumerGroup) SetConditions(conditions []metav1.Condition) {
	g.Status.Conditions = conditions
}

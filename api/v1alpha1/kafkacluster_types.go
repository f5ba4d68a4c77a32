// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// KafkaClusterSpec says how a Kafka cluster is reached: by the ZooKeeper that its brokers are registered in, by
// brokers, or by both.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="has(self.zookeeper) || has(self.bootstrapServers)",message="spec must have zookeeper, bootstrapServers or both: give spec.zookeeper.connect if the brokers are registered in a ZooKeeper, else spec.bootstrapServers"
type KafkaClusterSpec struct {
	// zookeeper is the ensemble in which the cluster's brokers are registered. Brokers, topics and partitions are found
	// there, and groups are coordinated there unless they ask for the brokers' own coordination. Beside bootstrapServers
	// it is for groups alone. Kafka 4 has none.
	// +optional
	ZooKeeper ZooKeeper `json:"zookeeper,omitzero"`
	// bootstrapServers are brokers, HOST:PORT each, that tell of the others: for a cluster without ZooKeeper, or one whose
	// ZooKeeper is not to be reached from here. Where they are given, brokers, topics and partitions are found there. One
	// that answers is enough. Kafka 0.8 and newer.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	BootstrapServers []BootstrapServer `json:"bootstrapServers,omitempty"`
	// tls encrypts the connections to brokers. Without it they are plain; with tls: {} the brokers' certificates have to
	// be signed by an authority that the workers' image trusts. Secrets are read anew for each connection, so that ones
	// that change reach running workers. Kafka 0.9 and newer.
	// +optional
	TLS *TLS `json:"tls,omitempty"` //nolint:kubeapilinter // tls: {} means something: trust whom the image trusts
	// sasl proves to brokers who the workers are. Secrets are read anew for each connection. Kafka 0.10 and newer.
	// +optional
	SASL SASL `json:"sasl,omitzero"`
	// maxMessageBytes is the largest message that brokers of Kafka 0.7 take (their max.message.size), in bytes, from 1000
	// to 104857600; of messages that were compressed together, their size as compressed. A worker's fetch grows up to it
	// for one message; a larger one blocks its partition, and the ConsumerGroup's status says so. What workers consume
	// from Kafka 0.8 and newer it does not change. A gateway of a ProducerBinding answers 413 for a larger one, whichever
	// Kafka it is. Default 1000000.
	// +optional
	// +default=1000000
	// +kubebuilder:validation:Minimum=1000
	// +kubebuilder:validation:Maximum=104857600
	MaxMessageBytes int32 `json:"maxMessageBytes,omitempty"`
}

// BootstrapServer is a broker to begin with: HOST:PORT, IPv6 addresses in brackets.
// +kubebuilder:validation:MinLength=3
// +kubebuilder:validation:MaxLength=264
// +kubebuilder:validation:XValidation:rule="!self.contains('://')",message="must be HOST:PORT: leave out the scheme, and say in spec.tls and spec.sasl how the brokers are spoken to"
// +kubebuilder:validation:XValidation:rule="!self.contains(',')",message="must be one HOST:PORT: make each server an item of the list"
// +kubebuilder:validation:XValidation:rule=`self.contains('://') || self.contains(',') || self.matches(r'^([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*[0-9A-Fa-f:]\]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$')`,message="must be HOST:PORT, with PORT from 1 to 65535 and IPv6 addresses in brackets, as in kafka-0.kafka:9092"
type BootstrapServer string

// SASL says how workers prove to brokers who they are.
// +kubebuilder:validation:XValidation:rule="self.mechanism != 'OAUTHBEARER' || has(self.tokenSecretRef) && !has(self.credentialsSecretRef)",message="spec.sasl with OAUTHBEARER must have tokenSecretRef and no credentialsSecretRef: name the Secret's key that holds the token"
// +kubebuilder:validation:XValidation:rule="self.mechanism == 'OAUTHBEARER' || has(self.credentialsSecretRef) && !has(self.tokenSecretRef)",message="spec.sasl with PLAIN or SCRAM must have credentialsSecretRef and no tokenSecretRef: name a Secret with the keys username and password"
type SASL struct {
	// mechanism is the one that the brokers' listener offers (sasl.enabled.mechanisms). PLAIN and OAUTHBEARER send what is
	// secret as it is: use them with tls alone.
	// +required
	Mechanism SASLMechanism `json:"mechanism,omitempty"`
	// credentialsSecretRef names a Secret of type kubernetes.io/basic-auth, or any with the keys username and password.
	// For all mechanisms but OAUTHBEARER.
	// +optional
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitzero"`
	// tokenSecretRef names the Secret's key that holds the token for OAUTHBEARER; whoever renews the token writes it
	// there.
	// +optional
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef,omitzero"`
}

// SASLMechanism is a way to prove who one is.
// +kubebuilder:validation:Enum=PLAIN;SCRAM-SHA-256;SCRAM-SHA-512;OAUTHBEARER
type SASLMechanism string

// The mechanisms, by their names in SASL.
const (
	SASLPlain       SASLMechanism = "PLAIN"
	SASLScramSHA256 SASLMechanism = "SCRAM-SHA-256"
	SASLScramSHA512 SASLMechanism = "SCRAM-SHA-512"
	SASLOAuthBearer SASLMechanism = "OAUTHBEARER"
)

// ZooKeeper says how an ensemble is reached.
type ZooKeeper struct {
	// connect lists the servers and the directory (chroot) of the cluster, as in Kafka's own zookeeper.connect:
	// zk-0:2181,zk-1:2181/kafka. A port left out is 2181; the chroot, if there is one, stands once, behind the last
	// host.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.contains('://')",message="spec.zookeeper.connect must be HOST:PORT,HOST:PORT/CHROOT: leave out the scheme"
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'\s')`,message="spec.zookeeper.connect must be HOST:PORT,HOST:PORT/CHROOT: remove the spaces"
	// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="spec.zookeeper.connect must not hold a user: put user:password into a Secret and name it in spec.zookeeper.digestSecretRef"
	// +kubebuilder:validation:XValidation:rule=`self.contains('://') || self.matches(r'^[^/]*(/[^/,:]+)*/?$')`,message="spec.zookeeper.connect must have its chroot once, behind the last host, as in HOST:PORT,HOST:PORT/CHROOT: no ',', ':' or empty part in it"
	// +kubebuilder:validation:XValidation:rule=`!self.matches(r'/\.{1,2}(/|$)')`,message="spec.zookeeper.connect must not have . or .. in its chroot: write the path out"
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'\s|@|://') || self.matches(r'^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(,([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?)*(/|$)')`,message="spec.zookeeper.connect must list HOST or HOST:PORT, separated by commas, each PORT from 1 to 65535 and IPv6 addresses in brackets"
	Connect string `json:"connect,omitempty"`
	// sessionTimeout is how long a worker may be silent before others take over its partitions; servers allow 2 to 20
	// of their ticks unless told otherwise. Default 10s.
	// +optional
	// +default="10s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('5m')",message="spec.zookeeper.sessionTimeout must be a duration from 1s to 5m, in whole numbers with units: 10s or 1m"
	SessionTimeout Duration `json:"sessionTimeout,omitempty"`
	// digestSecretRef names the Secret's key that holds user:password for ZooKeeper's digest authentication. Without it
	// there is none.
	// +optional
	DigestSecretRef SecretKeyReference `json:"digestSecretRef,omitzero"`
	// tls encrypts the connections to ZooKeeper. Without it they are plain; with tls: {} the server's certificate has to
	// be signed by an authority that the workers' image trusts.
	// +optional
	TLS *TLS `json:"tls,omitempty"` //nolint:kubeapilinter // tls: {} means something: trust whom the image trusts
}

// TLS says how connections are encrypted.
type TLS struct {
	// caSecretRef names the Secret's key that holds the certificates (PEM) of those who may sign the server's.
	// +optional
	CASecretRef SecretKeyReference `json:"caSecretRef,omitzero"`
	// certificateSecretRef names a Secret of type kubernetes.io/tls with this side's certificate and key, where the
	// server asks for one.
	// +optional
	CertificateSecretRef SecretReference `json:"certificateSecretRef,omitzero"`
	// serverName is the name expected in the server's certificate. Default: the host connected to.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[A-Za-z0-9._:-]+$')`,message="must be a host's name or address, without a scheme or a path"
	ServerName string `json:"serverName,omitempty"`
}

// KafkaClusterStatus is what was found of a cluster.
// +kubebuilder:validation:MinProperties=1
type KafkaClusterStatus struct {
	// conditions tell how the cluster stands: Ready, and Reconciling, Stalled or Degraded while they are true.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status is about; -1 before the first.
	// +optional
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration *int64 `json:"observedGeneration,omitempty"`
	// era is the Kafka that the brokers' registrations show: Kafka07 for 0.7, Kafka08 for 0.8 and everything newer.
	// +optional
	Era Era `json:"era,omitempty"`
	// kafkaVersion is the Kafka that the brokers' answers fit, as in 3.9; where they differ the oldest and the newest, as
	// in 3.8 to 4.1. Left out while it is not known, and where brokers cannot tell.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	KafkaVersion string `json:"kafkaVersion,omitempty"`
	// controller is what keeps the cluster's metadata: ZooKeeper, or KRaft, the brokers themselves. Left out while it is
	// not known.
	// +optional
	Controller Controller `json:"controller,omitempty"`
	// clusterID is what the cluster calls itself; left out where it does not, as before Kafka 0.10.1.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	ClusterID string `json:"clusterID,omitempty"` //nolint:tagliatelle // Kubernetes' API writes acronyms in capitals
	// brokers are the live brokers, by id; of more than 64 the first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Brokers []Broker `json:"brokers,omitempty"`
	// brokerCount is the number of live brokers.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BrokerCount *int32 `json:"brokerCount,omitempty"`
	// topicCount is the number of topics.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TopicCount *int32 `json:"topicCount,omitempty"`
	// sessionTimeout is what ZooKeeper granted, which may differ from what was asked for.
	// +optional
	SessionTimeout Duration `json:"sessionTimeout,omitempty"`
}

// Era is a dialect of Kafka.
// +kubebuilder:validation:Enum=Kafka07;Kafka08
type Era string

// The eras.
const (
	// EraKafka07 is Kafka 0.7: partitions are per broker, and positions count bytes.
	EraKafka07 Era = "Kafka07"
	// EraKafka08 is Kafka 0.8 and everything newer.
	EraKafka08 Era = "Kafka08"
)

// Controller is what keeps a cluster's metadata.
// +kubebuilder:validation:Enum=ZooKeeper;KRaft
type Controller string

// What may keep a cluster's metadata.
const (
	ControllerZooKeeper Controller = "ZooKeeper"
	ControllerKRaft     Controller = "KRaft"
)

// Broker is a live broker.
type Broker struct {
	// id is the broker's name: its number.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	ID string `json:"id,omitempty"`
	// address is host:port of the listener that is used.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=320
	Address string `json:"address,omitempty"`
}

// KafkaCluster says how a Kafka cluster is reached. It runs nothing; its status shows what was found there.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=kc,categories={all,samsa}
// +kubebuilder:printcolumn:name="Kafka",type=string,JSONPath=`.status.kafkaVersion`
// +kubebuilder:printcolumn:name="Controller",type=string,JSONPath=`.status.controller`
// +kubebuilder:printcolumn:name="Brokers",type=integer,JSONPath=`.status.brokerCount`
// +kubebuilder:printcolumn:name="Topics",type=integer,JSONPath=`.status.topicCount`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="ZooKeeper",type=string,priority=1,JSONPath=`.spec.zookeeper.connect`
// +kubebuilder:printcolumn:name="Bootstrap",type=string,priority=1,JSONPath=`.spec.bootstrapServers[0]`
// +kubebuilder:printcolumn:name="Era",type=string,priority=1,JSONPath=`.status.era`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type KafkaCluster struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says how the cluster is reached.
	// +required
	Spec KafkaClusterSpec `json:"spec,omitzero"`
	// status is what was found.
	// +optional
	// +default={"observedGeneration": -1}
	Status KafkaClusterStatus `json:"status,omitzero"`
}

// KafkaClusterList is a list of KafkaClusters.
// +kubebuilder:object:root=true
type KafkaClusterList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the list's standard metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitzero"`
	// items are the clusters.
	// +required
	Items []KafkaCluster `json:"items"`
}

// GetConditions gives the conditions of the status.
func (c *KafkaCluster) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *KafkaCluster) SetConditions(conditions []metav1.Condition) { c.Status.Conditions = conditions }

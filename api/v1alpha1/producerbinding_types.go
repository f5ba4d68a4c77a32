// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProducerBindingSpec says which topic is published to by HTTP, how, and by whom.
// +kubebuilder:validation:XValidation:rule="[self.http.requestTimeout, self.produce.timeout].exists(d, !d.matches('^([0-9]+(ms|s|m|h))+$')) || duration(self.http.requestTimeout) >= duration(self.produce.timeout)",message="spec.http.requestTimeout (default 30s) must be at least spec.produce.timeout (default 30s), or requests end before their outcome is known: raise it, or lower spec.produce.timeout"
// +kubebuilder:validation:XValidation:rule="!has(self.subject) || !has(self.subject.credentialsSecretRef) || self.?http.?auth.?type.orValue('ServiceAccount') in ['Basic', 'MTLS']",message="spec.subject.credentialsSecretRef must not be given unless spec.http.auth.type is Basic or MTLS, since the others need no Secret: remove it, or correct the type"
type ProducerBindingSpec struct {
	// clusterRef names the KafkaCluster, in the same namespace.
	// +required
	ClusterRef ClusterReference `json:"clusterRef,omitzero"`
	// topic is what is published to.
	// +required
	Topic PublishedTopic `json:"topic,omitempty"`
	// createTopic makes the topic if it does not exist. One that exists is never changed, whatever stands here, and none
	// is ever deleted. Without it, a missing topic is waited for. Kafka 0.10.1 and newer.
	// +optional
	CreateTopic TopicCreation `json:"createTopic,omitzero"`
	// replicas is the number of gateways. With 0 nothing can be published. Default 2.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`
	// http says how the gateways are spoken to, and who may.
	// +optional
	// +default={"port": 8080}
	HTTP BindingHTTP `json:"http,omitzero"`
	// produce says how messages get into the topic.
	// +optional
	// +default={"acks": "All"}
	Produce Produce `json:"produce,omitzero"`
	// limits are those of each caller, at each gateway. Without them there are none.
	// +optional
	Limits CallerLimits `json:"limits,omitzero"`
	// idempotency says what becomes of requests that carry an Idempotency-Key.
	// +optional
	// +default={"window": "5m"}
	Idempotency Idempotency `json:"idempotency,omitzero"`
	// subject names workloads whose pods get the address, a token and the certificates: in environment variables, and as
	// files below $SERVICE_BINDING_ROOT/<name of this object>. What was added is taken away again when the subject is
	// another, or this object is deleted. Whoever may write this object may so restart those workloads.
	// +optional
	Subject BindingSubject `json:"subject,omitzero"`
	// template adds to the gateways' pods.
	// +optional
	Template PodTemplate `json:"template,omitzero"`
}

// PublishedTopic is the name of a topic that is published to, by Kafka's own rule.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=249
// +kubebuilder:validation:XValidation:rule="self.matches('^[a-zA-Z0-9._-]+$') && !(self in ['.', '..'])",message="must be a topic's name: letters, digits, '.', '_' and '-' alone, and not . or ..; a ProducerBinding publishes to one topic, another topic takes another ProducerBinding"
type PublishedTopic string

// TopicCreation is a topic as it is made.
type TopicCreation struct {
	// partitions is their number. It is fixed then: with another one, keys would change their partitions.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Partitions int32 `json:"partitions,omitempty"`
	// replicationFactor is on how many brokers each partition is. Default: what the brokers are configured with, which
	// those of Kafka 2.4 and newer can be asked for; with older ones, name it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	ReplicationFactor int32 `json:"replicationFactor,omitempty"`
	// configs are the topic's own, as in Kafka: retention.ms, min.insync.replicas and so on.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Configs []TopicConfig `json:"configs,omitempty"`
}

// TopicConfig is one setting of a topic.
type TopicConfig struct {
	// name of the setting, as in retention.ms.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z][a-z0-9._]*$')",message="must be the name of a topic's setting, as in retention.ms: lower case letters, digits, '.' and '_' alone"
	Name string `json:"name,omitempty"`
	// value of the setting, as a text: "86400000".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Value string `json:"value,omitempty"`
}

// BindingHTTP says how gateways are spoken to.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="self.?auth.?type.orValue('ServiceAccount') != 'MTLS' || has(self.tls)",message="spec.http.tls must be given with spec.http.auth.type MTLS, since callers show certificates in TLS alone: name the gateways' own certificate in spec.http.tls.secretRef"
type BindingHTTP struct {
	// port of the Service. Default 8080.
	// +optional
	// +default=8080
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// tls has the gateways speak HTTPS. Without it they speak HTTP, where tokens and passwords can be read by whoever can
	// read the network.
	// +optional
	TLS BindingTLS `json:"tls,omitzero"`
	// maxBodyBytes is the largest body of a request for one message or a batch, in bytes; streams are bounded by message.
	// Default 1048576.
	// +optional
	// +default=1048576
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=104857600
	MaxBodyBytes int32 `json:"maxBodyBytes,omitempty"`
	// requestTimeout is how long an answer may take once the body is there, which has 30 s of its own to come.
	// Default 30s.
	// +optional
	// +default="30s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="spec.http.requestTimeout must be a duration from 1s to 10m, in whole numbers with units: 30s or 1m"
	RequestTimeout Duration `json:"requestTimeout,omitempty"`
	// auth says who may publish. Default: ServiceAccounts of this namespace.
	// +optional
	// +default={"type": "ServiceAccount"}
	Auth BindingAuth `json:"auth,omitzero"`
}

// BindingTLS is the gateways' side of TLS.
type BindingTLS struct {
	// secretRef names a Secret of type kubernetes.io/tls with the gateways' certificate, which has to be for the Service
	// <name>-gateway.<namespace>.svc, and key. Its key ca.crt, if there is one, is what callers are told to trust. What
	// changes there reaches running gateways.
	// +required
	SecretRef SecretReference `json:"secretRef,omitzero"`
}

// BindingAuth says who may publish.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:XValidation:rule="self.?type.orValue('ServiceAccount') == 'ServiceAccount' || !has(self.serviceAccount)",message="spec.http.auth.serviceAccount must not be given unless spec.http.auth.type is ServiceAccount: remove it, or correct the type"
// +kubebuilder:validation:XValidation:rule="(self.?type.orValue('ServiceAccount') == 'MTLS') == has(self.mtls)",message="spec.http.auth.mtls must be given with spec.http.auth.type MTLS, and not otherwise: name the certificates of those who sign the callers' in spec.http.auth.mtls.caSecretRef, or correct the type"
// +kubebuilder:validation:XValidation:rule="(self.?type.orValue('ServiceAccount') == 'Basic') == has(self.basic)",message="spec.http.auth.basic must be given with spec.http.auth.type Basic, and not otherwise: name the users in spec.http.auth.basic.secretRef, or correct the type"
type BindingAuth struct {
	// type is how callers say who they are: ServiceAccount by a token of Kubernetes', MTLS by a certificate, Basic by name
	// and password. With None everybody who reaches the Service may publish. Default ServiceAccount.
	// +optional
	// +default="ServiceAccount"
	Type AuthType `json:"type,omitempty"`
	// serviceAccount is for the type ServiceAccount.
	// +optional
	ServiceAccount ServiceAccountAuth `json:"serviceAccount,omitzero"`
	// mtls is for the type MTLS.
	// +optional
	MTLS MTLSAuth `json:"mtls,omitzero"`
	// basic is for the type Basic.
	// +optional
	Basic BasicAuth `json:"basic,omitzero"`
}

// AuthType is how callers say who they are.
// +kubebuilder:validation:Enum=ServiceAccount;MTLS;Basic;None
type AuthType string

// How callers may say who they are.
const (
	AuthServiceAccount AuthType = "ServiceAccount"
	AuthMTLS           AuthType = "MTLS"
	AuthBasic          AuthType = "Basic"
	AuthNone           AuthType = "None"
)

// ServiceAccountAuth says which tokens of ServiceAccounts count.
// +kubebuilder:validation:MinProperties=1
type ServiceAccountAuth struct {
	// audience is what tokens have to be for. Default: kafka.samsa.dev/producerbinding/<namespace>/<name>; it stands in
	// status.address.audience.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[\x21-\x7e]+$')`,message="must be an audience without spaces and control characters, as in orders.example.com"
	Audience string `json:"audience,omitempty"`
	// verification is how tokens are checked: TokenReview asks the API server about each, which notices within 10 s that
	// an account was deleted; JWKS checks their signature by the cluster's public keys, needs no permission, and
	// accepts a deleted account until its token expires. Auto is TokenReview where the operator may allow it to the
	// gateways, as it may where it is installed for all namespaces, else JWKS; what it took stands in
	// status.verification. Default Auto.
	// +optional
	// +default="Auto"
	Verification Verification `json:"verification,omitempty"`
	// allow are those who may publish. Default: all ServiceAccounts of this namespace.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Allow []AllowedAccount `json:"allow,omitempty"`
}

// Verification is how tokens are checked.
// +kubebuilder:validation:Enum=Auto;TokenReview;JWKS
type Verification string

// How tokens may be checked.
const (
	VerificationAuto        Verification = "Auto"
	VerificationTokenReview Verification = "TokenReview"
	VerificationJWKS        Verification = "JWKS"
)

// AllowedAccount is one ServiceAccount, or all of a namespace.
type AllowedAccount struct {
	// namespace of the ServiceAccounts.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Label().validate(self).hasValue()",message="must be the name of a namespace: lower case letters, digits and '-' alone"
	Namespace string `json:"namespace,omitempty"`
	// serviceAccount is the one that may publish. Default: all of the namespace.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a ServiceAccount: lower case letters, digits, '-' and '.' alone"
	ServiceAccount string `json:"serviceAccount,omitempty"`
}

// MTLSAuth says which certificates of callers count.
type MTLSAuth struct {
	// caSecretRef names the Secret's key that holds the certificates (PEM) of those who may sign the callers'.
	// +required
	CASecretRef SecretKeyReference `json:"caSecretRef,omitzero"`
	// allow are the names that a certificate may have: its common name, or a DNS name, URI or e-mail address of
	// it. Default: all.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	Allow []string `json:"allow,omitempty"`
}

// BasicAuth says which names and passwords count.
type BasicAuth struct {
	// secretRef names the Secret's key that holds the users, a line each as htpasswd -B writes it: name:hash, by bcrypt.
	// +required
	SecretRef SecretKeyReference `json:"secretRef,omitzero"`
}

// Produce says how messages get into a topic.
// +kubebuilder:validation:XValidation:rule="[self.?linger.orValue('0s'), self.?timeout.orValue('30s')].exists(d, !d.matches('^([0-9]+(ms|s|m|h))+$')) || duration(self.?linger.orValue('0s')).getMilliseconds() * 10 <= duration(self.?timeout.orValue('30s')).getMilliseconds()",message="spec.produce.linger must be a tenth of spec.produce.timeout (default 30s) at most, or there is no time left to write: lower it, or raise spec.produce.timeout"
// +kubebuilder:validation:MinProperties=1
type Produce struct {
	// partitioner chooses the partition of a message that names none: Random or RoundRobin whatever its key; Key by its
	// key, as Kafka's own producers do, and at random without one. Default Key.
	// +optional
	// +default="Key"
	Partitioner Partitioner `json:"partitioner,omitempty"`
	// keyedMessages says what a message with a key does while its partition has no leader, with the partitioner Key: Wait,
	// and be refused when the time is over; or Move to another partition, which breaks the order of the key. Default Wait.
	// +optional
	// +default="Wait"
	KeyedMessages KeyedMessages `json:"keyedMessages,omitempty"`
	// acks is who has to hold a message before it counts as published: All replicas in sync, the Leader, or None, where
	// nobody says and callers get 202. Default All.
	// +optional
	// +default="All"
	Acks Acks `json:"acks,omitempty"`
	// compression of batches. Default None.
	// +optional
	// +default="None"
	Compression Compression `json:"compression,omitempty"`
	// linger is how long a message waits for others to share a batch with. Default 0s.
	// +optional
	// +default="0s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) <= duration('10s')",message="spec.produce.linger must be a duration from 0s to 10s, in whole numbers with units: 5ms or 0s"
	Linger Duration `json:"linger,omitempty"`
	// timeout is how long a message may take, from its arrival to its outcome. Default 30s.
	// +optional
	// +default="30s"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="spec.produce.timeout must be a duration from 1s to 10m, in whole numbers with units: 10s or 1m"
	Timeout Duration `json:"timeout,omitempty"`
	// maxBufferedBytes is how much each gateway holds of messages that have no outcome yet, in bytes; beyond it callers
	// get 429. The gateways' memory has to be some five times that, and 200 MiB at least. Default 67108864.
	// +optional
	// +default=67108864
	// +kubebuilder:validation:Minimum=1048576
	// +kubebuilder:validation:Maximum=2147483647
	MaxBufferedBytes int32 `json:"maxBufferedBytes,omitempty"`
}

// Partitioner chooses partitions.
// +kubebuilder:validation:Enum=Random;RoundRobin;Key
type Partitioner string

// What may choose partitions.
const (
	PartitionerRandom     Partitioner = "Random"
	PartitionerRoundRobin Partitioner = "RoundRobin"
	PartitionerKey        Partitioner = "Key"
)

// KeyedMessages is what messages with keys do while their partition has no leader.
// +kubebuilder:validation:Enum=Wait;Move
type KeyedMessages string

// What messages with keys may do.
const (
	KeyedMessagesWait KeyedMessages = "Wait"
	KeyedMessagesMove KeyedMessages = "Move"
)

// Acks is who has to hold a message.
// +kubebuilder:validation:Enum=All;Leader;None
type Acks string

// Who may have to hold a message.
const (
	AcksAll    Acks = "All"
	AcksLeader Acks = "Leader"
	AcksNone   Acks = "None"
)

// Compression of batches.
// +kubebuilder:validation:Enum=None;Gzip;Snappy
type Compression string

// The compressions, which every Kafka knows.
const (
	CompressionNone   Compression = "None"
	CompressionGzip   Compression = "Gzip"
	CompressionSnappy Compression = "Snappy"
)

// CallerLimits are those of one caller at one gateway: with two replicas, a caller that asks both may have twice as
// much.
// +kubebuilder:validation:MinProperties=1
type CallerLimits struct {
	// messagesPerSecond is how many messages a caller may publish. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	MessagesPerSecond int32 `json:"messagesPerSecond,omitempty"`
	// bytesPerSecond is how many bytes of bodies a caller may send, of batches those of keys and values. Default: no
	// limit.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=1099511627776
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// concurrent is how many requests of a caller may be under way at once. Default: no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000
	Concurrent int32 `json:"concurrent,omitempty"`
}

// Idempotency says what becomes of requests with an Idempotency-Key.
// +kubebuilder:validation:MinProperties=1
type Idempotency struct {
	// window is for how long a request that comes again with its Idempotency-Key gets the answer it had, and makes no
	// second message. With 0s keys are ignored. Default 5m.
	// +optional
	// +default="5m"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+(ms|s|m|h))+$') && duration(self) <= duration('24h')",message="spec.idempotency.window must be a duration from 0s to 24h, in whole numbers with units: 5m or 0s"
	Window Duration `json:"window,omitempty"`
}

// BindingSubject names workloads of the same namespace.
// +kubebuilder:validation:XValidation:rule="has(self.name) != has(self.selector)",message="spec.subject must have exactly one of name and selector: name one workload, or select some by their labels"
type BindingSubject struct {
	// kind of the workloads: Deployment, StatefulSet, DaemonSet or CronJob.
	// +required
	Kind SubjectKind `json:"kind,omitempty"`
	// name of the workload.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="spec.subject.name must be the name of a workload in this namespace: lower case letters, digits, '-' and '.' alone"
	Name string `json:"name,omitempty"`
	// selector selects workloads by their own labels, not their pods'; of more than 64 the first, by name.
	// +optional
	// +kubebuilder:validation:XValidation:rule="has(self.matchLabels) || has(self.matchExpressions)",message="spec.subject.selector must have matchLabels or matchExpressions: without them it would select all workloads"
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
	// containers are those that get it, by name. Default: all, those that run before included.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	Containers []string `json:"containers,omitempty"`
	// credentialsSecretRef names the Secret, in the same namespace, with which the workloads' pods say who they are, where
	// spec.http.auth.type is Basic (its keys username and password, as in Secrets of type kubernetes.io/basic-auth) or
	// MTLS (its keys tls.crt and tls.key, as in those of type kubernetes.io/tls). They are bound once it is there. With
	// ServiceAccount pods have tokens instead.
	// +optional
	CredentialsSecretRef SecretReference `json:"credentialsSecretRef,omitzero"`
	// envPrefix begins the names of the environment variables: <prefix>URL, <prefix>TOPIC, and with ServiceAccount tokens
	// <prefix>TOKEN_FILE, with MTLS <prefix>CERT_FILE and <prefix>KEY_FILE, with Basic <prefix>USERNAME_FILE and
	// <prefix>PASSWORD_FILE, with TLS <prefix>CA_FILE. A workload with several bindings needs several. Default
	// SAMSA_BINDING_.
	// +optional
	// +default="SAMSA_BINDING_"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Z_][A-Z0-9_]*$')",message="spec.subject.envPrefix must be of A-Z, 0-9 and '_' alone and not begin with a digit, as in ORDERS_"
	EnvPrefix string `json:"envPrefix,omitempty"`
}

// SubjectKind is a kind of workload.
// +kubebuilder:validation:Enum=Deployment;StatefulSet;DaemonSet;CronJob
type SubjectKind string

// The kinds of workloads that may be bound.
const (
	SubjectDeployment  SubjectKind = "Deployment"
	SubjectStatefulSet SubjectKind = "StatefulSet"
	SubjectDaemonSet   SubjectKind = "DaemonSet"
	SubjectCronJob     SubjectKind = "CronJob"
)

// ProducerBinding is an address in the cluster that applications publish to by HTTP, and that says the truth about each
// message: gateways in front of one topic, with callers that are known.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=pb,categories={all,samsa}
// +kubebuilder:metadata:labels="servicebinding.io/provisioned-service=true"
// +kubebuilder:metadata:labels="duck.knative.dev/addressable=true"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 50",message="metadata.name must have at most 50 characters: Services and their labels are named after it"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be of a-z, 0-9 and '-' alone and begin with a letter, since Services and their names in DNS are made of it"
// +kubebuilder:printcolumn:name="Topic",type=string,JSONPath=`.spec.topic`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Replicas",type=integer,JSONPath=`.spec.replicas`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Bound",type=string,JSONPath=`.status.conditions[?(@.type=="SubjectBound")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Available",type=integer,priority=1,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Partitions",type=integer,priority=1,JSONPath=`.status.topic.partitions`
// +kubebuilder:printcolumn:name="Auth",type=string,priority=1,JSONPath=`.spec.http.auth.type`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type ProducerBinding struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the object's standard metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`
	// spec says what is published to, and how.
	// +required
	Spec ProducerBindingSpec `json:"spec,omitzero"`
	// status is how the binding stands.
	// +optional
	// +default={"observedGeneration": -1}
	Status ProducerBindingStatus `json:"status,omitzero"`
}

// ProducerBindingList is a list of ProducerBindings.
// +kubebuilder:object:root=true
type ProducerBindingList struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the list's standard metadata.
	// +optional
	metav1.ListMeta `json:"metadata,omitzero"`
	// items are the bindings.
	// +required
	Items []ProducerBinding `json:"items"`
}

// GetConditions gives the conditions of the status.
func (b *ProducerBinding) GetConditions() []metav1.Condition { return b.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (b *ProducerBinding) SetConditions(conditions []metav1.Condition) {
	b.Status.Conditions = conditions
}

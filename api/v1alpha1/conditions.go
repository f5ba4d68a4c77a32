// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// The conditions of all kinds. Ready is what to wait for; Reconciling and Stalled are there while they are true, as
// kstatus (and with it Flux, Argo CD and kubectl's own waiting) expects.
const (
	// ConditionReady of a ConsumerGroup surfaces that it is consuming: every partition of its topics is owned, and none
	// is blocked. Of a KafkaCluster, that its ZooKeeper answers and a broker is registered there. Of a ProducerBinding,
	// that its topic exists and a gateway takes messages for it.
	ConditionReady = "Ready"
	// ConditionReconciling surfaces that the operator is on the way to what the spec says, and expects to get there by
	// itself. It is removed when it is not true.
	ConditionReconciling = "Reconciling"
	// ConditionStalled surfaces that the operator cannot get there unless somebody changes something. It is removed when
	// it is not true.
	ConditionStalled = "Stalled"
)

// The conditions of a ConsumerGroup beside those.
const (
	// ConditionTopicsResolved surfaces whether every topic asked for exists.
	ConditionTopicsResolved = "TopicsResolved"
	// ConditionBalanced surfaces whether every partition has an owner among the group's live members. It is Unknown
	// while the cluster cannot be read.
	ConditionBalanced = "Balanced"
	// ConditionDelivering surfaces whether the sink takes what it is sent. It is Unknown while a worker that owns
	// partitions does not answer.
	ConditionDelivering = "Delivering"
	// ConditionFed surfaces whether there are partitions enough for every member to own one.
	ConditionFed = "Fed"
)

// The conditions of a ProducerBinding beside those.
const (
	// ConditionClusterReachable surfaces whether the KafkaCluster can be used.
	ConditionClusterReachable = "ClusterReachable"
	// ConditionTopicReady surfaces whether the topic exists. It is Unknown while the cluster cannot be read.
	ConditionTopicReady = "TopicReady"
	// ConditionEndpointReady surfaces whether a gateway takes requests.
	ConditionEndpointReady = "EndpointReady"
	// ConditionSubjectBound surfaces whether all workloads that spec.subject names have what they need to publish. It is
	// there only with a subject.
	ConditionSubjectBound = "SubjectBound"
)

// ConditionDegraded surfaces that a cluster or group works, but lacks a protection that others have, such as
// transactions in ZooKeeper. It is removed when it is not true.
const ConditionDegraded = "Degraded"

// The reasons of a KafkaCluster's conditions.
const (
	// ReasonReachable surfaces that the cluster answers: its ZooKeeper, if it names one, and brokers.
	ReasonReachable = "Reachable"
	// ReasonConnecting surfaces that the first connection is being made.
	ReasonConnecting = "Connecting"
	// ReasonZooKeeperUnreachable surfaces that no ZooKeeper server answers.
	ReasonZooKeeperUnreachable = "ZooKeeperUnreachable"
	// ReasonBrokersUnreachable surfaces that no broker answers.
	ReasonBrokersUnreachable = "BrokersUnreachable"
	// ReasonAccessDenied surfaces that ZooKeeper or brokers refuse the credentials.
	ReasonAccessDenied = "AccessDenied"
	// ReasonCertificateInvalid surfaces that TLS is not agreed upon: a certificate is expired, of another name or of an
	// authority that is not known, this side's is refused, or one side speaks no TLS.
	ReasonCertificateInvalid = "CertificateInvalid"
	// ReasonChrootMissing surfaces that the directory behind the last host of connect does not exist.
	ReasonChrootMissing = "ChrootMissing"
	// ReasonNoBrokers surfaces that no broker is registered.
	ReasonNoBrokers = "NoBrokers"
	// ReasonBrokersMixed surfaces that brokers of Kafka 0.7 and of a later Kafka are registered side by side.
	ReasonBrokersMixed = "BrokersMixed"
	// ReasonSecretInvalid surfaces that a Secret that is named does not exist, lacks a key, or holds what cannot be used.
	ReasonSecretInvalid = "SecretInvalid"
	// ReasonConfigurationInvalid surfaces that something in the spec cannot work, which the API server could not know.
	ReasonConfigurationInvalid = "ConfigurationInvalid"
	// ReasonUnfenced surfaces that ZooKeeper has no transactions.
	ReasonUnfenced = "Unfenced"
	// ReasonLeaseUnsound surfaces that the session is too short for the server's tick.
	ReasonLeaseUnsound = "LeaseUnsound"
	// ReasonCredentialsExposed surfaces that credentials go to brokers unencrypted.
	ReasonCredentialsExposed = "CredentialsExposed"
	// ReasonNodesMalformed surfaces that nodes in ZooKeeper cannot be understood and are skipped.
	ReasonNodesMalformed = "NodesMalformed"
	// ReasonKafkaLimited surfaces that this Kafka lacks what later ones have, so that something works less well.
	ReasonKafkaLimited = "KafkaLimited"
)

// The reasons of a ConsumerGroup's conditions.
const (
	// ReasonBalanced surfaces that every partition is owned and delivered.
	ReasonBalanced = "Balanced"
	// ReasonStarting surfaces that workers are on their way and have not joined yet.
	ReasonStarting = "Starting"
	// ReasonRebalancing surfaces that partitions are without an owner, or at members that are leaving.
	ReasonRebalancing = "Rebalancing"
	// ReasonBlocked surfaces that messages keep failing at the sink, or cannot be fetched though their brokers answer, so
	// that their partitions stand.
	ReasonBlocked = "Blocked"
	// ReasonSinkUnreachable surfaces that the sink cannot be reached at all.
	ReasonSinkUnreachable = "SinkUnreachable"
	// ReasonSinkFailing surfaces that the sink has refused several attempts in a row, and not for long enough to count as
	// blocked.
	ReasonSinkFailing = "SinkFailing"
	// ReasonSessionLost surfaces that workers which own partitions have no session with ZooKeeper, or no membership with
	// the brokers' coordinator, that is certain to live, so that they deliver nothing until they have.
	ReasonSessionLost = "SessionLost"
	// ReasonFetchFailing surfaces that brokers do not give the messages of partitions.
	ReasonFetchFailing = "FetchFailing"
	// ReasonSuspended surfaces that spec.suspend is set, so there are no workers.
	ReasonSuspended = "Suspended"
	// ReasonScaledToZero surfaces that spec.replicas is 0, so there are no workers.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonClusterMissing surfaces that no KafkaCluster of the name in spec.clusterRef exists.
	ReasonClusterMissing = "ClusterMissing"
	// ReasonClusterNotReady surfaces that the KafkaCluster exists and cannot be used; its own conditions say why.
	ReasonClusterNotReady = "ClusterNotReady"
	// ReasonTopicMissing surfaces that a topic does not exist, or none matches the pattern.
	ReasonTopicMissing = "TopicMissing"
	// ReasonTopicsFound surfaces that every topic exists.
	ReasonTopicsFound = "TopicsFound"
	// ReasonGroupInUse surfaces that an older ConsumerGroup has the same cluster and group.
	ReasonGroupInUse = "GroupInUse"
	// ReasonCoordinationUnavailable surfaces that the KafkaCluster has no longer, or never had, what the group is
	// coordinated by.
	ReasonCoordinationUnavailable = "CoordinationUnavailable"
	// ReasonGroupInvalid surfaces that ZooKeeper cannot hold the group's name.
	ReasonGroupInvalid = "GroupInvalid"
	// ReasonGroupUnreadable surfaces that what is kept of the group cannot be read.
	ReasonGroupUnreadable = "GroupUnreadable"
	// ReasonBindingMissing surfaces that no ProducerBinding of the name in spec.sink.producerBinding exists.
	ReasonBindingMissing = "ProducerBindingMissing"
	// ReasonBindingNotReady surfaces that the ProducerBinding exists and takes no messages; its own conditions say why.
	ReasonBindingNotReady = "ProducerBindingNotReady"
	// ReasonBindingRefuses surfaces that the ProducerBinding does not let the group's pods publish.
	ReasonBindingRefuses = "ProducerBindingRefuses"
	// ReasonSinkLoops surfaces that the ProducerBinding's topic is one that the group consumes: every message would come
	// back, without end.
	ReasonSinkLoops = "SinkLoops"
	// ReasonNameConflict surfaces that an object which the group needs exists already and is somebody else's.
	ReasonNameConflict = "NameConflict"
	// ReasonWorkersFailing surfaces that worker pods do not start, or end again.
	ReasonWorkersFailing = "WorkersFailing"
	// ReasonWorkersUnknown surfaces that workers which own partitions do not answer.
	ReasonWorkersUnknown = "WorkersUnknown"
	// ReasonUnmanagedMembers surfaces that partitions are owned by workers of samsa's that are no pods of this
	// ConsumerGroup, such as one that somebody runs by hand: how those deliver is not known.
	ReasonUnmanagedMembers = "UnmanagedMembers"
	// ReasonDelivering surfaces that the sink takes what it is sent.
	ReasonDelivering = "Delivering"
	// ReasonEnoughPartitions and ReasonTooFewPartitions surface whether each member can own a partition.
	ReasonEnoughPartitions = "EnoughPartitions"
	ReasonTooFewPartitions = "TooFewPartitions"
	// ReasonForeignMembers surfaces that the group is shared with members that are not samsa's, and so balanced by Range
	// and fenced on our side alone.
	ReasonForeignMembers = "ForeignMembers"
	// ReasonDeleting surfaces that the object is being deleted.
	ReasonDeleting = "Deleting"
	// ReasonApplyFailed surfaces that the API server refuses an object which the group needs.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonProgressing surfaces that the operator has work left to do.
	ReasonProgressing = "Progressing"
)

// The reasons of a ProducerBinding's conditions, beside those of a ConsumerGroup's.
const (
	// ReasonPublishing surfaces that the topic exists and gateways take messages for it.
	ReasonPublishing = "Publishing"
	// ReasonTopicFound surfaces that the topic exists.
	ReasonTopicFound = "TopicFound"
	// ReasonTopicComes surfaces that the topic is made by the first message, as Kafka 0.7 does.
	ReasonTopicComes = "TopicMadeByFirstMessage"
	// ReasonTopicUnreadable surfaces that it is not known whether the topic exists.
	ReasonTopicUnreadable = "TopicUnreadable"
	// ReasonTopicNotCreated surfaces that brokers refuse to make the topic, cannot be asked to, or say that they have
	// it where it is not seen.
	ReasonTopicNotCreated = "TopicNotCreated"
	// ReasonGatewaysReady surfaces that a gateway takes requests.
	ReasonGatewaysReady = "GatewaysReady"
	// ReasonGatewaysFailing surfaces that gateway pods do not start, or end again.
	ReasonGatewaysFailing = "GatewaysFailing"
	// ReasonCertificateRefused surfaces that callers refuse the certificate that gateways show: it is for another name,
	// its time is over, or those whom callers are told to trust have not signed it.
	ReasonCertificateRefused = "CertificateRefused"
	// ReasonVerificationUnavailable surfaces that gateways are not allowed to have tokens reviewed.
	ReasonVerificationUnavailable = "VerificationUnavailable"
	// ReasonSubjectsBound surfaces that every workload has what it needs to publish.
	ReasonSubjectsBound = "SubjectsBound"
	// ReasonSubjectMissing surfaces that a workload does not exist, or none is selected.
	ReasonSubjectMissing = "SubjectMissing"
	// ReasonSubjectRefused surfaces that a workload cannot be bound, since somebody else owns what would have to change,
	// or the API server does not take it.
	ReasonSubjectRefused = "SubjectRefused"
)

// The reasons of events, beside those of conditions.
const (
	// EventPositionsLost: messages were gone before they were consumed, lost to retention.
	EventPositionsLost = "PositionsLost"
	// EventDeletionGaveUp: the time for cleaning up the positions is over, and something stays behind there.
	EventDeletionGaveUp = "DeletionGaveUp"
)

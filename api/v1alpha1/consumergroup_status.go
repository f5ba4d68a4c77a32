// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConsumerGroupStatus is how a group stands, read from where the group is coordinated, the brokers and the workers.
// Numbers that messages move are as of at most 15 seconds before.
// +kubebuilder:validation:MinProperties=1
type ConsumerGroupStatus struct {
	// conditions tell how the group stands: Ready, TopicsResolved, Balanced, Delivering and Fed, and Reconciling, Stalled
	// or Degraded while they are true.
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
	// replicas is the number of worker pods.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// readyReplicas is the number of worker pods that are members of the group.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`
	// selector selects the worker pods, for autoscalers.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Selector string `json:"selector,omitempty"`
	// group is the name of the group in the cluster; with semantics Topic each pod's is <group>-<ordinal>.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// ordinals is, with semantics Topic, the most pods that there have been. Each has a group of its own, and with
	// deletionPolicy Delete the positions of all of them are removed.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Ordinals *int32 `json:"ordinals,omitempty"`
	// coordination is who shares out the partitions and keeps the positions. Auto is resolved once, before the first
	// worker is made; from then on it stays.
	// +optional
	Coordination Coordination `json:"coordination,omitempty"`
	// assignment is how partitions are shared out right now.
	// +optional
	Assignment Assignment `json:"assignment,omitempty"`
	// topics are the topics that are delivered, sorted; of more than 64 the first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Topics []TopicName `json:"topics,omitempty"`
	// topicCount is the number of topics that are delivered.
	// +optional
	// +kubebuilder:validation:Minimum=0
	TopicCount *int32 `json:"topicCount,omitempty"`
	// members are the group's live members; of more than 64 the first. With semantics Topic they are members of a group
	// each.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Members []GroupMember `json:"members,omitempty"`
	// memberCount is the number of live members, foreign ones included.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MemberCount *int32 `json:"memberCount,omitempty"`
	// foreignMembers is the number of live members that are not samsa's.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ForeignMembers *int32 `json:"foreignMembers,omitempty"`
	// partitions are the partitions of the topics, worst first: blocked, unowned, then by lag; of more than 64 the worst.
	// With semantics Topic each partition is listed once for each pod.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	Partitions []PartitionStatus `json:"partitions,omitempty"`
	// partitionCount is the number of partitions.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PartitionCount *int32 `json:"partitionCount,omitempty"`
	// ownedPartitions is how many of them have an owner among the live members.
	// +optional
	// +kubebuilder:validation:Minimum=0
	OwnedPartitions *int32 `json:"ownedPartitions,omitempty"`
	// blockedPartitions is how many stand, since a message keeps failing or cannot be fetched.
	// +optional
	// +kubebuilder:validation:Minimum=0
	BlockedPartitions *int32 `json:"blockedPartitions,omitempty"`
	// lag is how much is published and not committed, in the unit that lagUnit says, over the partitions of which it is
	// known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Lag *int64 `json:"lag,omitempty"`
	// lagUnit is what lag counts, here and of each partition: Messages; with Kafka 0.7, whose positions are places in a
	// file, Bytes.
	// +optional
	LagUnit LagUnit `json:"lagUnit,omitempty"`
	// columns are for kubectl get; read the other fields instead.
	// +optional
	Columns Columns `json:"columns,omitzero"`
}

// LagUnit is what a lag counts.
// +kubebuilder:validation:Enum=Messages;Bytes
type LagUnit string

// What a lag counts.
const (
	LagUnitMessages LagUnit = "Messages"
	// LagUnitBytes is that of Kafka 0.7, where nobody knows how many messages stand between two positions.
	LagUnitBytes LagUnit = "Bytes"
)

// GroupMember is a live member of a group.
type GroupMember struct {
	// id is the member's id where the group is coordinated.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	ID string `json:"id,omitempty"`
	// pod is the worker's pod; of a foreign member there is none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Pod string `json:"pod,omitempty"`
	// origin says whether the member is one of samsa's workers or somebody else's consumer.
	// +required
	Origin Origin `json:"origin,omitempty"`
	// partitions is how many partitions the member owns.
	// +required
	// +kubebuilder:validation:Minimum=0
	Partitions *int32 `json:"partitions,omitempty"`
}

// Origin says whose a member is.
// +kubebuilder:validation:Enum=Samsa;Foreign
type Origin string

// Whose a member is.
const (
	OriginSamsa   Origin = "Samsa"
	OriginForeign Origin = "Foreign"
)

// PartitionStatus is how one partition stands.
type PartitionStatus struct {
	// topic of the partition.
	// +required
	Topic TopicName `json:"topic,omitempty"`
	// partition is its name in the topic.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Partition string `json:"partition,omitempty"`
	// group is the group that this row is about, where each pod has its own (semantics Topic).
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Group string `json:"group,omitempty"`
	// state is how the partition stands.
	// +required
	State PartitionState `json:"state,omitempty"`
	// owner is the pod that owns the partition, or a foreign member's id; left out if nobody does.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Owner string `json:"owner,omitempty"`
	// committed is the position of the next message to deliver, as it is kept; left out if there is none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Committed *int64 `json:"committed,omitempty"`
	// end is the position that the next message published will get; left out if the brokers did not tell.
	// +optional
	// +kubebuilder:validation:Minimum=0
	End *int64 `json:"end,omitempty"`
	// lag is how far committed is behind end, in the unit of status.lagUnit; left out if one of them is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Lag *int64 `json:"lag,omitempty"`
	// attempts is how often the next message has been tried in vain, if it has.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Attempts *int32 `json:"attempts,omitempty"`
	// since is since when the next message fails, of a blocked partition.
	// +optional
	Since metav1.Time `json:"since,omitzero"` //nolint:kubeapilinter // a string in JSON, and the zero time is left out
	// reason says why the partition is blocked, or what is wrong with it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`
}

// PartitionState is how a partition stands. Unknown: its owner does not answer.
// +kubebuilder:validation:Enum=Owned;Unowned;Blocked;Failing;Draining;Unknown
type PartitionState string

// How a partition stands.
const (
	// PartitionOwned: a live member delivers it.
	PartitionOwned PartitionState = "Owned"
	// PartitionUnowned: nobody holds a claim on it.
	PartitionUnowned PartitionState = "Unowned"
	// PartitionBlocked: its next message keeps failing, or cannot be fetched though its broker answers.
	PartitionBlocked PartitionState = "Blocked"
	// PartitionFailing: its messages cannot be fetched, its position is not clear, or the sink refused the last attempts.
	PartitionFailing PartitionState = "Failing"
	// PartitionDraining: its owner is giving it up.
	PartitionDraining PartitionState = "Draining"
	// PartitionUnknown: somebody holds the claim who does not say how it stands.
	PartitionUnknown PartitionState = "Unknown"
)

// Columns are texts for kubectl get.
// +kubebuilder:validation:MinProperties=1
type Columns struct {
	// topics are the topics, or the pattern, cut to 40 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Topics string `json:"topics,omitempty"`
	// sink is where messages go, cut to 60 characters.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Sink string `json:"sink,omitempty"`
	// owned is ownedPartitions/partitionCount.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Owned string `json:"owned,omitempty"`
	// lag is the lag, from 10,000 on in thousands (k) or millions (M); bytes have a B behind them.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Lag string `json:"lag,omitempty"`
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProducerBindingStatus is how a binding stands. It is a Provisioned Service of servicebinding.io (binding) and an
// Addressable of Knative's (address).
// +kubebuilder:validation:MinProperties=1
type ProducerBindingStatus struct {
	// conditions tell how the binding stands: Ready, ClusterReachable, TopicReady, EndpointReady, with a subject
	// SubjectBound, and Reconciling or Stalled while they are true.
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
	// url is where to publish to, from within the cluster.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	URL string `json:"url,omitempty"`
	// address is the same for those who know Addressables.
	// +optional
	Address Address `json:"address,omitzero"`
	// binding is what a workload is bound by.
	// +optional
	Binding ProvisionedBinding `json:"binding,omitzero"`
	// replicas is the number of gateway pods.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// readyReplicas is the number of gateway pods that take requests.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`
	// selector selects the gateway pods, for autoscalers.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Selector string `json:"selector,omitempty"`
	// verification is how the gateways check tokens of ServiceAccounts.
	// +optional
	Verification Verification `json:"verification,omitempty"`
	// topic is what was found of the topic; left out while it does not exist or cannot be read.
	// +optional
	Topic BoundTopic `json:"topic,omitzero"`
	// subjects are the workloads that have, or are about to get, what spec.subject promises, and those that still have
	// what is to be taken away.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=128
	Subjects []SubjectStatus `json:"subjects,omitempty"`
}

// Address is where to publish to, as Knative has it.
type Address struct {
	// url is where to publish to.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	URL string `json:"url,omitempty"`
	// CACerts are the certificates (PEM) of those who signed the gateways'; left out without TLS, and where whoever signed
	// it is known to everybody.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=65536
	CACerts string `json:"CACerts,omitempty"` //nolint:tagliatelle,kubeapilinter // Knative's name
	// audience is what tokens have to be for; left out where callers need none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Audience string `json:"audience,omitempty"`
}

// ProvisionedBinding names a Secret, as servicebinding.io has it.
type ProvisionedBinding struct {
	// name of the Secret of type servicebinding.io/kafka, in the same namespace, with the entries type, provider, uri,
	// topic and, as far as there are such, audience and certificates.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}

// BoundTopic is what was found of a topic.
type BoundTopic struct {
	// partitions is their number; 0 for a topic of Kafka 0.7 that is made by the first message.
	// +required
	// +kubebuilder:validation:Minimum=0
	Partitions *int32 `json:"partitions,omitempty"`
}

// SubjectStatus is how one workload stands.
type SubjectStatus struct {
	// kind of the workload.
	// +required
	Kind SubjectKind `json:"kind,omitempty"`
	// name of the workload.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
	// state says how far it is.
	// +required
	State SubjectState `json:"state,omitempty"`
	// reason says why it is not Bound, if that is known.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`
}

// SubjectState is how far a workload is.
// +kubebuilder:validation:Enum=Pending;Bound;Missing;Refused;Releasing
type SubjectState string

// How far a workload may be.
const (
	// SubjectPending: it is about to be bound.
	SubjectPending SubjectState = "Pending"
	// SubjectBound: its template has all that it needs. Its pods have it once they are rolled out.
	SubjectBound SubjectState = "Bound"
	// SubjectMissing: there is no such workload; it is bound as soon as there is.
	SubjectMissing SubjectState = "Missing"
	// SubjectRefused: the API server does not take it, or it would change what is somebody else's.
	SubjectRefused SubjectState = "Refused"
	// SubjectReleasing: it is bound no longer, and still has what has to be taken away.
	SubjectReleasing SubjectState = "Releasing"
)

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of these types.
var GroupVersion = schema.GroupVersion{Group: "kafka.samsa.dev", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion by the name that generated code knows.
var SchemeGroupVersion = GroupVersion

// AddToScheme adds these types to a scheme.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &KafkaCluster{}, &KafkaClusterList{}, &ConsumerGroup{}, &ConsumerGroupList{},
		&ProducerBinding{}, &ProducerBindingList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}

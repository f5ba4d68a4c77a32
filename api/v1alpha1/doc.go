// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is samsa's API, group kafka.samsa.dev: KafkaCluster says how a Kafka cluster is reached,
// ConsumerGroup which topics a group of workers delivers to which sink, ProducerBinding which topic is published to by
// HTTP.
//
// It is a leaf: types, and the constants of conditions and reasons. What a field means stands in its comment, which is
// also what kubectl explain shows; what is refused stands in its markers, so the API server refuses it and no webhook
// has to.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=kafka.samsa.dev
package v1alpha1

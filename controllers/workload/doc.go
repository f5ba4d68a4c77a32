// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package workload says which objects run a ConsumerGroup: a ConfigMap with the workers' configuration, a StatefulSet
// of workers, a headless Service and a PodDisruptionBudget; and which run a ProducerBinding: a ConfigMap with the
// gateways' configuration, a Deployment of gateways, a Service, and what they and their callers need besides.
//
// It is pure: the same objects and Options give the same bytes, and what does not concern the pods (replicas,
// deletionPolicy, suspend, subject) does not change the pods' template, so it never replaces a running worker.
package workload

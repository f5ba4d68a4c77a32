// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controllers reconciles samsa's kinds: a KafkaCluster's status shows what was found of the cluster, a
// ConsumerGroup becomes a StatefulSet of workers and shows how they consume.
//
// A reconciler observes, plans, applies and reports, and holds no connection of its own. Connections live in package
// connections, one for each KafkaCluster; what registry, brokers and workers say of a group is read in the background
// by package observe. Both wake the reconcilers, so nothing here waits for a network but the API server's, and a
// cluster that does not answer is a condition and never an error that backs off.
//
// Each pass runs a list of phases over a scope, which holds what this pass has seen. One function computes the status
// of it at the end; it is applied when it differs from what stands there, and events are raised only once it is stored.
package controllers

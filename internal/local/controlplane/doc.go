// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package controlplane runs a Kubernetes control plane as child processes: etcd, kube-apiserver and
// kube-controller-manager on loopback, with certificates of its own, for whoever's laptop it is alone. RBAC is on; what
// is left out is what a single make-believe node has no use for.
package controlplane

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"fmt"
	"path/filepath"
	"strings"
)

// addresses are the ports of one control plane, all on loopback.
type addresses struct{ etcd, apiServer int }

func (a addresses) etcdURL() string      { return fmt.Sprintf("https://127.0.0.1:%d", a.etcd) }
func (a addresses) apiServerURL() string { return fmt.Sprintf("https://127.0.0.1:%d", a.apiServer) }

// etcdArguments: nothing is flushed to the disk, since what is kept need not outlive the machine; that makes it ten
// times as fast on a laptop. Everybody has to show a certificate, since others may use the machine.
func etcdArguments(f files, a addresses) []string {
	return []string{
		"--name=samsa-local",
		"--data-dir=" + filepath.Join(f.directory, "etcd"),
		"--unsafe-no-fsync",
		"--listen-client-urls=" + a.etcdURL(),
		"--advertise-client-urls=" + a.etcdURL(),
		"--client-cert-auth",
		"--trusted-ca-file=" + f.authority,
		"--cert-file=" + f.etcd.certificate,
		"--key-file=" + f.etcd.key,
		// It has no peers, but listens for them: anywhere.
		"--listen-peer-urls=https://127.0.0.1:0",
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + f.authority,
		"--peer-cert-file=" + f.etcd.certificate,
		"--peer-key-file=" + f.etcd.key,
		"--log-level=warn",
	}
}

func apiServerArguments(f files, a addresses) []string {
	return []string{
		"--etcd-servers=" + a.etcdURL(),
		"--etcd-cafile=" + f.authority,
		"--etcd-certfile=" + f.etcd.certificate,
		"--etcd-keyfile=" + f.etcd.key,
		"--bind-address=127.0.0.1",
		// It would look for the machine's address otherwise, and end where there is no network.
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", a.apiServer),
		"--tls-cert-file=" + f.apiServer.certificate,
		"--tls-private-key-file=" + f.apiServer.key,
		"--client-ca-file=" + f.authority,
		"--authorization-mode=RBAC",
		"--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + f.serviceAccounts.certificate,
		"--service-account-signing-key-file=" + f.serviceAccounts.key,
		"--service-cluster-ip-range=10.0.0.0/24",
		// Taints by condition are taken away by a controller that is not run. Priority and storage admission stay: they
		// cost nothing.
		"--disable-admission-plugins=TaintNodesByCondition",
		// There is one API server, and nobody looks its endpoint up; it would be refused for being on loopback.
		"--endpoint-reconciler-type=none",
		"--profiling=false",
	}
}

// controllers are those that samsa's objects need, and those that a user of the world would miss:
//
//   - statefulset, disruption: the workers of a ConsumerGroup and their budget.
//   - deployment, replicaset: the manager as users install it, should they.
//   - garbage-collector, namespace: deleting an object deletes what it owns, deleting a namespace what is in it.
//   - serviceaccount, root-ca-certificate-publisher: no pod is admitted without its account, nor trusts the API server.
//   - clusterrole-aggregation: the roles view, edit and admin include those of samsa.
//
// Not endpointslice: pods have addresses on loopback here, which the API server refuses in EndpointSlices; the
// controller would only fail and try again, and the node finds the pods behind Services by itself. Not node-lifecycle:
// the one node lives and dies with this process, so nothing may evict its pods. Of the rest (volumes, jobs,
// autoscaling, quotas, ...) nothing is offered; each would cost memory and watches.
var controllers = [...]string{
	"statefulset-controller", "disruption-controller", "deployment-controller", "replicaset-controller",
	"garbage-collector-controller", "namespace-controller", "serviceaccount-controller",
	"root-ca-certificate-publisher-controller", "clusterrole-aggregation-controller",
}

func controllerArguments(f files) []string {
	return []string{
		"--kubeconfig=" + f.kubeconfig(),
		"--controllers=" + strings.Join(controllers[:], ","),
		"--service-account-private-key-file=" + f.serviceAccounts.key,
		"--root-ca-file=" + f.authority,
		// One identity for all controllers saves a client and a token for each.
		"--use-service-account-credentials=false",
		"--leader-elect=false",
		// It serves nobody: whether it works shows in what it makes.
		"--secure-port=0",
		"--profiling=false",
	}
}

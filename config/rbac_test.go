// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
)

const (
	own   = "samsa-system"
	other = "billing"
)

// managerMay is all that the manager does.
var managerMay = acts(other,
	"get,list,watch,patch consumergroups.kafka.samsa.dev",
	"get,list,watch,patch producerbindings.kafka.samsa.dev",
	"get,list,watch kafkaclusters.kafka.samsa.dev",
	"patch consumergroups.kafka.samsa.dev/status",
	"patch kafkaclusters.kafka.samsa.dev/status",
	"patch producerbindings.kafka.samsa.dev/status",
	"update consumergroups.kafka.samsa.dev/finalizers",
	"update producerbindings.kafka.samsa.dev/finalizers",
	"get,list,watch,create,patch statefulsets.apps",
	"get,list,watch,create,patch deployments.apps",
	"get,list,patch daemonsets.apps",
	"get,list,patch cronjobs.batch",
	"get,list,watch,create,patch services",
	"get,list,watch,create,patch serviceaccounts",
	"get,list,watch,create,patch,delete configmaps",
	"get,list,watch,create,patch,delete poddisruptionbudgets.policy",
	"get,list,watch,delete pods",
	"get,create,patch secrets",
	"get,update clusterrolebindings.rbac.authorization.k8s.io=samsa-gateway",
	"create,patch events.events.k8s.io",
	"create tokenreviews.authentication.k8s.io",
	"create subjectaccessreviews.authorization.k8s.io",
	own+": create leases.coordination.k8s.io",
	own+": get,update leases.coordination.k8s.io=manager.kafka.samsa.dev",
)

// managerMayNot is what would be worth having to somebody who took the manager over.
var managerMayNot = acts(other,
	"list,watch,update,delete secrets",
	own+": list,watch secrets",
	"create,delete,update consumergroups.kafka.samsa.dev",
	"create,delete,update producerbindings.kafka.samsa.dev",
	"create,delete,update,patch kafkaclusters.kafka.samsa.dev",
	"create,update,patch pods",
	"create pods/exec",
	"create pods/eviction",
	"get pods/log",
	"delete,update statefulsets.apps",
	"delete,update deployments.apps",
	"create,delete,update daemonsets.apps",
	"create,delete,update cronjobs.batch",
	"delete services",
	"delete serviceaccounts",
	"create serviceaccounts/token",
	"impersonate users",
	"get,list nodes",
	"get,list,create namespaces",
	"create,patch,bind,escalate clusterroles.rbac.authorization.k8s.io",
	"create rolebindings.rbac.authorization.k8s.io",
	"patch customresourcedefinitions.apiextensions.k8s.io",
	"create,patch,delete clusterrolebindings.rbac.authorization.k8s.io",
	"get,update clusterrolebindings.rbac.authorization.k8s.io",
	"update clusterrolebindings.rbac.authorization.k8s.io=samsa-manager",
	"get,update leases.coordination.k8s.io",
	own+": get,update,delete leases.coordination.k8s.io=another",
)

// acts makes an entry of each verb: [namespace: ]verb,verb resource[.group][/subresource][=name].
func acts(namespace string, lines ...string) []TableEntry {
	var entries []TableEntry
	for _, line := range lines {
		where, what, given := strings.Cut(line, ": ")
		if !given {
			where, what = namespace, line
		}
		verbs, resource, _ := strings.Cut(what, " ")
		resource, name, _ := strings.Cut(resource, "=")
		resource, subresource, _ := strings.Cut(resource, "/")
		resource, group, _ := strings.Cut(resource, ".")
		for verb := range strings.SplitSeq(verbs, ",") {
			entries = append(entries, Entry(verb+" "+strings.TrimPrefix(what, verbs+" ")+" in "+where, act{
				Namespace: where, Verb: verb, Group: group, Resource: resource, Subresource: subresource, Name: name,
			}))
		}
	}
	return entries
}

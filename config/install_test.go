// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var _ = DescribeTable("kustomize builds", func(ctx SpecContext, directory, holds string) {
	Expect(kubectl(ctx, "kustomize", "config/"+directory)).To(ContainSubstring(holds))
},
	Entry("the definitions", "crd", "name: consumergroups.kafka.samsa.dev"),
	Entry("the roles", "rbac", "kind: ClusterRoleBinding"),
	Entry("the manager", "manager", "kind: Deployment"),
	Entry("everything", "default", "name: samsa-manager"),
	Entry("the samples", "samples", "kind: ConsumerGroup"),
	Entry("the samples without ZooKeeper", "samples-bootstrap", "bootstrapServers:"),
	Entry("what Prometheus needs of workers", "prometheus", "app.kubernetes.io/name: samsa-worker"),
	Entry("what Prometheus needs of gateways", "prometheus", "app.kubernetes.io/name: samsa-gateway"),
)

// install is what a user types, by force since the definitions are there already by somebody else.
func install(ctx context.Context) string {
	GinkgoHelper()
	return kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "dist/install.yaml")
}

var _ = Describe("dist/install.yaml", Ordered, ContinueOnFailure, func() {
	It("is accepted by the API server, field by field", func(ctx SpecContext) {
		Expect(install(ctx)).To(ContainSubstring("deployment.apps/samsa-manager serverside-applied"))
	})

	It("keeps to the restricted profile in its own namespace", func(ctx SpecContext) {
		namespace, err := api.CoreV1().Namespaces().Get(ctx, "samsa-system", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		Expect(namespace.Labels).To(HaveKeyWithValue("pod-security.kubernetes.io/enforce", "restricted"))
		deployment, err := api.AppsV1().Deployments("samsa-system").Get(ctx, "samsa-manager", metav1.GetOptions{})
		Expect(err).NotTo(HaveOccurred())
		template := deployment.Spec.Template
		Expect(template.Spec.Containers[0].Env).To(ContainElement(
			corev1.EnvVar{Name: "WORKER_IMAGE", Value: template.Spec.Containers[0].Image}))
		// The API server judges a pod as it comes; that one never runs, since nothing schedules it here.
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
		_, err = api.CoreV1().ServiceAccounts("samsa-system").Create(ctx, account, metav1.CreateOptions{})
		Expect(err).NotTo(HaveOccurred())
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "manager", Labels: template.Labels}, Spec: template.Spec}
		_, err = api.CoreV1().Pods("samsa-system").Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		Expect(err).NotTo(HaveOccurred())
	})

	It("is accepted again, and changes nothing", func(ctx SpecContext) {
		before := versions(ctx)
		install(ctx)
		Expect(versions(ctx)).To(Equal(before))
	})

	It("takes the samples", func(ctx SpecContext) {
		kubectl(ctx, "apply", "-k", "config/samples")
		Expect(kubectl(ctx, "get", "consumergroup,kafkacluster")).To(And(
			ContainSubstring("REPLICAS"), MatchRegexp(`consumergroup\S+/demo\s`), MatchRegexp(`kafkacluster\S+/local\s`)))
		kubectl(ctx, "scale", "consumergroup/demo", "--replicas=3")
		Expect(kubectl(ctx, "get", "cg", "demo", "-o", "jsonpath={.spec.replicas}")).To(Equal("3"))
		Expect(kubectl(ctx, "delete", "-k", "config/samples")).To(ContainSubstring(`"demo" deleted`))
	})

	It("takes the sample of a binding, field by field", func(ctx SpecContext) {
		Expect(kubectl(ctx, "apply", "--dry-run=server", "--validate=strict", "-f", "config/samples/producerbinding.yaml")).
			To(MatchRegexp(`producerbinding\S+ created`))
	})

	DescribeTable("takes the samples without ZooKeeper, field by field", func(ctx SpecContext, flag, sample string) {
		Expect(kubectl(ctx, "apply", "--dry-run=server", "--validate=strict", flag, "config/"+sample)).
			To(MatchRegexp(`kafkacluster\S+ created`))
	},
		Entry("as samsa-local runs it", "-k", "samples-bootstrap"),
		Entry("with TLS and SASL", "-f", "samples/kafkacluster-secured.yaml"),
	)

	DescribeTable("lets the manager", may, managerMay)
	DescribeTable("does not let the manager", mayNot, managerMayNot)
})

// versions are the resource versions of what can change by an apply.
func versions(ctx context.Context) string {
	GinkgoHelper()
	return kubectl(ctx, "get", "crd,clusterrole,clusterrolebinding,deployment,serviceaccount", "--all-namespaces", "-o",
		"jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}")
}

// act is a verb on a resource group/name/subresource, in a namespace.
type act = authorizationv1.ResourceAttributes

// The manager, as the API server knows it.
const account = "system:serviceaccount:samsa-system:samsa-manager"

var groups = []string{"system:serviceaccounts", "system:serviceaccounts:samsa-system", "system:authenticated"}

func may(ctx SpecContext, what act)    { Expect(allowed(ctx, what)).To(BeTrue()) }
func mayNot(ctx SpecContext, what act) { Expect(allowed(ctx, what)).To(BeFalse()) }

func allowed(ctx context.Context, what act) bool {
	GinkgoHelper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: account, Groups: groups, ResourceAttributes: &what,
	}}
	answer, err := api.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return answer.Status.Allowed
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// looked is how long a workload may have to wait until it is looked at, and bound or released.
const looked = 2 * healing

const prefix = "SAMSA_BINDING_"

var _ = Describe("The subject of a ProducerBinding", func() {
	var namespace string
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		startManager(ctx, namespace)
	})
	// Workloads are bound whether or not there is a cluster: what they need is the address.
	binds := func(name string, kind v1alpha1.SubjectKind, workload string) *v1alpha1.ProducerBinding {
		binding := newProducerBinding(namespace, name, "main", "orders")
		binding.Spec.Subject = v1alpha1.BindingSubject{Kind: kind, Name: workload}
		return binding
	}
	const deployment = v1alpha1.SubjectDeployment

	DescribeTable("can publish, and is what it was once the binding is gone",
		func(ctx SpecContext, kind v1alpha1.SubjectKind) {
			shop := newWorkload(kind, namespace, "shop")
			binding := binds("orders", kind, "shop")
			create(ctx, shop)
			before := *podOf(shop).DeepCopy()
			create(ctx, binding)
			Eventually(pod(shop)).WithContext(ctx).Should(bound(binding, prefix))
			Expect(shop.GetLabels()).To(Equal(appLabels()))
			Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).
				Should(beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonSubjectsBound))
			Expect(binding.Status.Subjects).To(ConsistOf(
				v1alpha1.SubjectStatus{Kind: kind, Name: "shop", State: v1alpha1.SubjectBound}))
			Expect(api.Delete(ctx, binding)).To(Succeed())
			Eventually(komega.Get(binding)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
			Expect(pod(shop)(ctx)).To(untouched(before))
			Expect(shop.GetAnnotations()).NotTo(HaveKey(HavePrefix("bindings.kafka.samsa.dev/")))
		},
		Entry("a Deployment", v1alpha1.SubjectDeployment),
		Entry("a StatefulSet", v1alpha1.SubjectStatefulSet),
		Entry("a DaemonSet", v1alpha1.SubjectDaemonSet),
		Entry("a CronJob", v1alpha1.SubjectCronJob),
	)

	It("is looked at again and again, which changes nothing", func(ctx SpecContext) {
		shop, binding := newWorkload(deployment, namespace, "shop"), binds("orders", deployment, "shop")
		create(ctx, shop, binding)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		version := shop.GetResourceVersion()
		Consistently(komega.Object(shop)).WithContext(ctx).WithTimeout(healing).Should(
			WithTransform(client.Object.GetResourceVersion, Equal(version)))
	})

	It("is released when another one takes its place", func(ctx SpecContext) {
		first, second := newWorkload(deployment, namespace, "first"), newWorkload(deployment, namespace, "second")
		binding := binds("orders", deployment, "first")
		create(ctx, first, second)
		before := *podOf(first).DeepCopy()
		create(ctx, binding)
		Eventually(pod(first)).WithContext(ctx).Should(bound(binding, prefix))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject.Name = "second" })
		Eventually(pod(first)).WithContext(ctx).Should(untouched(before))
		Eventually(pod(second)).WithContext(ctx).Should(bound(binding, prefix))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject = v1alpha1.BindingSubject{} })
		Eventually(pod(second)).WithContext(ctx).Should(untouched(before))
		Eventually(komega.Object(binding)).WithContext(ctx).Should(And(
			HaveField("ObjectMeta.Finalizers", BeEmpty()), HaveField("Status.Subjects", BeEmpty()),
			HaveField("Status.Conditions", Not(ContainElement(HaveField("Type", v1alpha1.ConditionSubjectBound))))))
	})

	It("is bound once it is there, and again after somebody replaced it", func(ctx SpecContext) {
		binding := binds("orders", deployment, "shop")
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectMissing),
			HaveField("Message", ContainSubstring("Deployment shop"))))
		shop := newWorkload(deployment, namespace, "shop")
		create(ctx, shop)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		replaced := newWorkload(deployment, namespace, "shop")
		replaced.SetResourceVersion(shop.GetResourceVersion())
		Expect(api.Update(ctx, replaced)).To(Succeed())
		Expect(podOf(replaced).Volumes).To(BeEmpty())
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
	})

	It("keeps what is its own, and the binding says what is in the way", func(ctx SpecContext) {
		shop, _ := newWorkload(deployment, namespace, "shop").(*appsv1.Deployment)
		shop.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: prefix + "URL", Value: "http://my.own"}}
		binding := binds("orders", deployment, "shop")
		create(ctx, shop)
		before := shop.Spec.Template.Spec.DeepCopy()
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).Should(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectRefused))
		Expect(binding.Status.Subjects[0].Reason).To(And(
			ContainSubstring("give another spec.subject.envPrefix"), ContainSubstring(prefix+"URL")))
		Eventually(condition(binding, v1alpha1.ConditionStalled)).WithContext(ctx).Should(
			HaveField("Status", metav1.ConditionTrue))
		Expect(pod(shop)(ctx)).To(untouched(*before))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject.EnvPrefix = "ORDERS_" })
		Eventually(pod(shop)).WithContext(ctx).Should(bound(binding, "ORDERS_"))
		Expect(env(shop.Spec.Template.Spec.Containers[0])).To(HaveKeyWithValue(prefix+"URL", "http://my.own"))
	})

	It("is bound once its account may publish, and stays what it is when it no longer may", func(ctx SpecContext) {
		shop, _ := newWorkload(deployment, namespace, "shop").(*appsv1.Deployment)
		shop.Spec.Template.Spec.ServiceAccountName = "till"
		binding := binds("orders", deployment, "shop")
		others := []v1alpha1.AllowedAccount{{Namespace: namespace, ServiceAccount: "default"}, {Namespace: "elsewhere"}}
		binding.Spec.HTTP.Auth.ServiceAccount.Allow = others
		create(ctx, shop)
		before := shop.Spec.Template.Spec.DeepCopy()
		create(ctx, binding)
		refused := func() {
			GinkgoHelper()
			Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).WithTimeout(looked).Should(And(
				beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectRefused),
				HaveField("Message", And(ContainSubstring("ServiceAccount "+namespace+"/till, which may not publish"),
					ContainSubstring("spec.http.auth.serviceAccount.allow")))))
		}
		refused()
		Expect(pod(shop)(ctx)).To(untouched(*before))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) {
			b.Spec.HTTP.Auth.ServiceAccount.Allow = slices.Concat(others, []v1alpha1.AllowedAccount{
				{Namespace: namespace, ServiceAccount: "till"},
			})
		})
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.HTTP.Auth.ServiceAccount.Allow = others })
		refused()
		Expect(pod(shop)(ctx)).To(bound(binding, prefix))
	})

	DescribeTable("gets the credentials that callers show, once they are there",
		func(ctx SpecContext, auth v1alpha1.BindingAuth, lacks string, data, variables map[string]string) {
			shop := newWorkload(deployment, namespace, "shop")
			binding := binds("orders", deployment, "shop")
			binding.Spec.HTTP.TLS.SecretRef.Name = "tls"
			binding.Spec.HTTP.Auth = auth
			create(ctx, shop)
			before := *podOf(shop).DeepCopy()
			certificate, server := authority()
			create(ctx, binding, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "callers"},
				Data:       map[string][]byte{"authority": certificate, "users": []byte(alice)},
			}, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "tls"},
				Data:       map[string][]byte{"tls.crt": certificate, "tls.key": privateKey(server)},
			})
			refusedFor := func(why string) {
				GinkgoHelper()
				Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).WithTimeout(looked).Should(And(
					beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectRefused),
					HaveField("Message", ContainSubstring(why))))
				Expect(pod(shop)(ctx)).To(untouched(before))
			}
			refusedFor("name a Secret with the keys " + lacks + " in spec.subject.credentialsSecretRef")
			update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject.CredentialsSecretRef.Name = "shop-login" })
			refusedFor("Secret shop-login, named by spec.subject.credentialsSecretRef, does not exist")
			create(ctx, &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shop-login"}, StringData: data,
			})
			Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(HaveField("Volumes", ConsistOf(
				HaveField("Projected.Sources", ContainElement(HaveField("Secret.Name", "shop-login"))))))
			for name, file := range variables {
				Expect(env(shop.(*appsv1.Deployment).Spec.Template.Spec.Containers[0])).To( //nolint:forcetypeassert // see above
					HaveKeyWithValue(prefix+name, "/bindings/orders/"+file))
			}
			Expect(api.Delete(ctx, binding)).To(Succeed())
			Eventually(pod(shop)).WithContext(ctx).Should(untouched(before))
		},
		Entry("Basic", v1alpha1.BindingAuth{Type: v1alpha1.AuthBasic, Basic: v1alpha1.BasicAuth{
			SecretRef: v1alpha1.SecretKeyReference{Name: "callers", Key: "users"},
		}}, "username and password", map[string]string{"username": "shop", "password": "secret"},
			map[string]string{"USERNAME_FILE": "username", "PASSWORD_FILE": "password"}),
		Entry("MTLS", v1alpha1.BindingAuth{Type: v1alpha1.AuthMTLS, MTLS: v1alpha1.MTLSAuth{
			CASecretRef: v1alpha1.SecretKeyReference{Name: "callers", Key: "authority"},
		}}, "tls.crt and tls.key", map[string]string{"tls.crt": "certificate", "tls.key": "key"},
			map[string]string{"CERT_FILE": "tls.crt", "KEY_FILE": "tls.key"}),
	)

	It("may have several bindings, of which one goes without the other", func(ctx SpecContext) {
		shop := newWorkload(deployment, namespace, "shop")
		orders, returns := binds("orders", deployment, "shop"), binds("returns", deployment, "shop")
		returns.Spec.Subject.EnvPrefix = "RETURNS_"
		create(ctx, shop, orders, returns)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(
			And(bound(orders, prefix), bound(returns, "RETURNS_")))
		Expect(api.Delete(ctx, orders)).To(Succeed())
		Eventually(komega.Get(orders)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
		Expect(pod(shop)(ctx)).To(And(bound(returns, "RETURNS_"), HaveField("Volumes", HaveLen(1)),
			HaveField("Containers", HaveEach(WithTransform(env, Not(HaveKey(prefix+"URL")))))))
	})

	It("keeps what somebody else set in what was the binding's", func(ctx SpecContext) {
		shop, _ := newWorkload(deployment, namespace, "shop").(*appsv1.Deployment)
		binding := binds("orders", deployment, "shop")
		create(ctx, shop, binding)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":%q,"env":[{"name":%q,"value":"mine"}]}]}}}}`,
			shop.Spec.Template.Spec.Containers[0].Name, prefix+"TOPIC")
		Expect(api.Patch(ctx, shop, client.RawPatch(types.StrategicMergePatchType, []byte(patch)),
			client.FieldOwner("kubectl-set"))).To(Succeed())
		Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).WithTimeout(looked).Should(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectRefused))
		By("it is bound by other names, as its status says")
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject.EnvPrefix = "ORDERS_" })
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, "ORDERS_"))
		Expect(env(shop.Spec.Template.Spec.Containers[0])).To(HaveKeyWithValue(prefix+"TOPIC", "mine"))

		By("it is released")
		Expect(api.Delete(ctx, binding)).To(Succeed())
		Eventually(komega.Get(binding)).WithContext(ctx).WithTimeout(looked).Should(Satisfy(apierrors.IsNotFound))
		Expect(pod(shop)(ctx)).To(HaveField("Volumes", BeEmpty()))
		container := shop.Spec.Template.Spec.Containers[0]
		Expect(env(container)).To(Equal(map[string]string{"COLOUR": "blue", prefix + "TOPIC": "mine"}))
		Expect(container.VolumeMounts).To(BeEmpty())
		Expect(shop.ManagedFields).NotTo(ContainElement(HaveField("Manager", "samsa-binding-orders")))
	})

	It("has a place of its own for bindings, and keeps it", func(ctx SpecContext) {
		shop, _ := newWorkload(deployment, namespace, "shop").(*appsv1.Deployment)
		shop.Spec.Template.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "SERVICE_BINDING_ROOT", Value: "/my"}}
		binding := binds("orders", deployment, "shop")
		binding.Spec.Subject.Containers = []string{"shop"}
		create(ctx, shop, binding)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(HaveField("Containers", ConsistOf(
			And(HaveField("VolumeMounts", ConsistOf(HaveField("MountPath", "/my/orders"))), WithTransform(env, And(
				HaveKeyWithValue("SERVICE_BINDING_ROOT", "/my"), HaveKeyWithValue(prefix+"TOKEN_FILE", "/my/orders/token")))),
			And(HaveField("Name", "proxy"), HaveField("VolumeMounts", BeEmpty()), HaveField("Env", BeEmpty())))))
		update(ctx, binding, func(b *v1alpha1.ProducerBinding) { b.Spec.Subject.Containers = []string{"shoop"} })
		Eventually(komega.Object(binding)).WithContext(ctx).Should(HaveField("Status.Subjects", ConsistOf(And(
			HaveField("State", v1alpha1.SubjectRefused), HaveField("Reason", ContainSubstring("no container shoop"))))))
	})

	It("may be selected", func(ctx SpecContext) {
		one, other := newWorkload(deployment, namespace, "one"), newWorkload(deployment, namespace, "other")
		other.SetLabels(map[string]string{"app": "other"})
		binding := binds("orders", deployment, "")
		binding.Spec.Subject.Selector = &metav1.LabelSelector{MatchLabels: appLabels()}
		create(ctx, binding)
		Eventually(condition(binding, v1alpha1.ConditionSubjectBound)).WithContext(ctx).Should(And(
			beCondition(binding, metav1.ConditionFalse, v1alpha1.ReasonSubjectMissing),
			HaveField("Message", ContainSubstring("spec.subject.selector selects no Deployment"))))
		create(ctx, one, other)
		before := *podOf(other).DeepCopy()
		Eventually(pod(one)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		Expect(pod(other)(ctx)).To(untouched(before))
		update(ctx, one, func(o client.Object) { o.SetLabels(nil) })
		Eventually(pod(one)).WithContext(ctx).WithTimeout(looked).Should(untouched(before))
	})

	It("of a deleted binding is gone itself", func(ctx SpecContext) {
		shop := newWorkload(deployment, namespace, "shop")
		binding := binds("orders", deployment, "shop")
		create(ctx, shop, binding)
		Eventually(pod(shop)).WithContext(ctx).WithTimeout(looked).Should(bound(binding, prefix))
		Expect(api.Delete(ctx, shop)).To(Succeed())
		Expect(api.Delete(ctx, binding)).To(Succeed())
		Eventually(komega.Get(binding)).WithContext(ctx).Should(Satisfy(apierrors.IsNotFound))
		Expect(komega.Get(shop)()).To(Satisfy(apierrors.IsNotFound), "and is not made anew")
	})
})

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// newProducerBinding is a ProducerBinding to a topic.
func newProducerBinding(namespace, name, cluster, topic string) *v1alpha1.ProducerBinding {
	return &v1alpha1.ProducerBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.ProducerBindingSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: cluster}, Topic: v1alpha1.PublishedTopic(topic),
		},
	}
}

// gatewaysOf is the Deployment of a binding.
func gatewaysOf(binding *v1alpha1.ProducerBinding) *appsv1.Deployment {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{
		Namespace: binding.Namespace, Name: binding.Name + "-gateway",
	}}
}

// runGateways does what Kubernetes' own controllers and kubelets would: all gateways there shall be take requests.
func runGateways(ctx context.Context, binding *v1alpha1.ProducerBinding) {
	GinkgoHelper()
	gateways := gatewaysOf(binding)
	Eventually(komega.Get(gateways)).WithContext(ctx).Should(Succeed())
	Eventually(komega.UpdateStatus(gateways, func() {
		replicas := *gateways.Spec.Replicas
		gateways.Status = appsv1.DeploymentStatus{
			ObservedGeneration: gateways.Generation, Replicas: replicas, UpdatedReplicas: replicas,
			ReadyReplicas: replicas, AvailableReplicas: replicas,
		}
	})).WithContext(ctx).Should(Succeed())
}

// publishes waits for a binding to be ready and Current.
func publishes(ctx context.Context, binding *v1alpha1.ProducerBinding) {
	GinkgoHelper()
	Eventually(condition(binding, v1alpha1.ConditionReady)).WithContext(ctx).
		Should(beCondition(binding, metav1.ConditionTrue, v1alpha1.ReasonPublishing))
	Eventually(kstatus(binding)).WithContext(ctx).Should(Equal(status.CurrentStatus))
}

// labels are those of the workloads of these specs.
func appLabels() map[string]string { return map[string]string{"app": "shop"} }

// podTemplate is a shop with a container of its own that runs before.
func podTemplate() corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: appLabels()},
		Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "migrate", Image: "samsa.test/shop"}},
			Containers: []corev1.Container{
				{Name: "shop", Image: "samsa.test/shop", Env: []corev1.EnvVar{{Name: "COLOUR", Value: "blue"}}},
				{Name: "proxy", Image: "samsa.test/proxy"},
			},
		},
	}
}

func objectOf(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: appLabels()}
}

// newWorkload is a workload of a kind, as its user made it.
func newWorkload(kind v1alpha1.SubjectKind, namespace, name string) client.Object {
	selector := &metav1.LabelSelector{MatchLabels: appLabels()}
	switch kind {
	case v1alpha1.SubjectStatefulSet:
		return &appsv1.StatefulSet{ObjectMeta: objectOf(namespace, name),
			Spec: appsv1.StatefulSetSpec{Selector: selector, Template: podTemplate()}}
	case v1alpha1.SubjectDaemonSet:
		return &appsv1.DaemonSet{ObjectMeta: objectOf(namespace, name),
			Spec: appsv1.DaemonSetSpec{Selector: selector, Template: podTemplate()}}
	case v1alpha1.SubjectCronJob:
		job := batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: podTemplate()}}
		job.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever
		return &batchv1.CronJob{ObjectMeta: objectOf(namespace, name),
			Spec: batchv1.CronJobSpec{Schedule: "0 0 * * *", JobTemplate: job}}
	default:
		return &appsv1.Deployment{ObjectMeta: objectOf(namespace, name),
			Spec: appsv1.DeploymentSpec{Selector: selector, Template: podTemplate()}}
	}
}

// podOf is what a workload says of its pods.
func podOf(workload client.Object) *corev1.PodSpec {
	switch w := workload.(type) {
	case *appsv1.Deployment:
		return &w.Spec.Template.Spec
	case *appsv1.StatefulSet:
		return &w.Spec.Template.Spec
	case *appsv1.DaemonSet:
		return &w.Spec.Template.Spec
	case *batchv1.CronJob:
		return &w.Spec.JobTemplate.Spec.Template.Spec
	}
	return nil
}

// pod gives what a workload says of its pods now.
func pod(workload client.Object) func(context.Context) (corev1.PodSpec, error) {
	return func(ctx context.Context) (corev1.PodSpec, error) {
		err := api.Get(ctx, client.ObjectKeyFromObject(workload), workload)
		return *podOf(workload), err
	}
}

// env gives the variables of a pod's container by name.
func env(container corev1.Container) map[string]string {
	values := map[string]string{}
	for _, v := range container.Env {
		values[v.Name] = v.Value
	}
	return values
}

// bound matches pods of which all containers have what a binding promises.
func bound(binding *v1alpha1.ProducerBinding, prefix string) OmegaMatcher {
	directory := "/bindings/" + binding.Name
	matches := And(
		WithTransform(env, And(
			HaveKeyWithValue(prefix+"URL", "http://"+binding.Name+"-gateway."+binding.Namespace+".svc:8080"),
			HaveKeyWithValue(prefix+"TOPIC", string(binding.Spec.Topic)),
			HaveKeyWithValue(prefix+"TOKEN_FILE", directory+"/token"),
			HaveKeyWithValue("SERVICE_BINDING_ROOT", "/bindings"))),
		HaveField("VolumeMounts", ContainElement(corev1.VolumeMount{
			Name: "binding-" + binding.Name, MountPath: directory, ReadOnly: true,
		})))
	return And(
		HaveField("Containers", HaveEach(matches)), HaveField("InitContainers", HaveEach(matches)),
		HaveField("Volumes", ContainElement(And(HaveField("Name", "binding-"+binding.Name),
			HaveField("Projected.Sources", ConsistOf(
				HaveField("Secret", HaveField("Name", binding.Name+"-binding")),
				HaveField("ServiceAccountToken", And(HaveField("Path", "token"),
					HaveField("Audience", "kafka.samsa.dev/producerbinding/"+binding.Namespace+"/"+binding.Name)))))))))
}

// untouched is what a workload's pods were before.
func untouched(before corev1.PodSpec) OmegaMatcher {
	return And(HaveField("Containers", before.Containers), HaveField("InitContainers", before.InitContainers),
		HaveField("Volumes", BeEmpty()))
}

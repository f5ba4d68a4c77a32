// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/local/cluster"
)

// The applications: each publishes its pod's name once, if it was told how, and then stays. One is told in variables,
// the other one finds out as the Service Binding specification has it.
const (
	toldScript = `[ -z "$SAMSA_BINDING_URL" ] ||
		"$SAMSA" publish --binding "$SAMSA_BINDING_URL" --token-file "$SAMSA_BINDING_TOKEN_FILE" "$HOSTNAME" || exit 1
		exec sleep 100000`
	findsScript = `cd "$SERVICE_BINDING_ROOT/orders" && [ "$(cat type)" = kafka ] && [ -n "$(cat topic)" ] &&
		"$SAMSA" publish --binding "$(cat uri)" --token-file ../../tokens/orders "$HOSTNAME" || exit 1
		exec sleep 100000`
)

// application is a pod that runs a script of the shell.
func application(name, script string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": name}},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(2)),
			Containers: []corev1.Container{{
				Name: "app", Image: cluster.WorkerImage, Command: []string{"/bin/sh", "-c", script},
				Env: []corev1.EnvVar{{Name: "SAMSA", Value: workerBinary}, {Name: "OWN", Value: "kept"}},
			}},
		},
	}
}

// shop is bound by subject.
func shop() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "shop"},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "shop"}},
			Template: application("shop", toldScript),
		},
	}
}

// till is bound by whoever wrote it, to what a Provisioned Service offers.
func till(found *v1alpha1.ProducerBinding) *appsv1.StatefulSet {
	template := application("till", findsScript)
	c := &template.Spec.Containers[0]
	c.Env = append(c.Env, corev1.EnvVar{Name: "SERVICE_BINDING_ROOT", Value: "/bindings"})
	c.VolumeMounts = []corev1.VolumeMount{
		{Name: "orders", MountPath: "/bindings/orders", ReadOnly: true}, {Name: "token", MountPath: "/tokens", ReadOnly: true},
	}
	template.Spec.Volumes = []corev1.Volume{
		{Name: "orders", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: found.Status.Binding.Name,
		}}},
		{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
				Audience: found.Status.Address.Audience, Path: "orders",
			}}},
		}}},
	}
	return &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "till"},
		Spec: appsv1.StatefulSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "till"}}, Template: template,
		},
	}
}

// names are those of the applications' pods, once they are what their workloads say.
func (s *stage) names(g Gomega) []string {
	deployment := &appsv1.Deployment{}
	g.Expect(api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: "shop"}, deployment)).To(Succeed())
	status := deployment.Status
	g.Expect(status.ObservedGeneration).To(Equal(deployment.Generation))
	g.Expect([]int32{status.UpdatedReplicas, status.ReadyReplicas, status.Replicas}).To(HaveEach(int32(2)))
	names := []string{}
	for _, p := range s.pods() {
		if !strings.HasPrefix(p.Name, s.name+"-gateway-") {
			names = append(names, p.Name)
		}
	}
	return names
}

// workloadsPublish has one application told, and another one find out, how to publish: both do, once each.
func workloadsPublish(s *stage) {
	s.createTopic()
	s.createCluster()
	s.create(shop())
	s.createBinding(func(b *v1alpha1.ProducerBinding) {
		b.Spec.Subject = v1alpha1.BindingSubject{Kind: v1alpha1.SubjectDeployment, Name: "shop"}
	})
	found := s.bindingIs(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPublishing, 2)
	s.Expect(found.Status.URL).To(Equal("http://" + s.name + "-gateway." + s.name + ".svc:8080"))
	s.bindingIs(v1alpha1.ConditionSubjectBound, metav1.ConditionTrue, "", 2)
	s.create(till(found))
	s.Eventually(s.ctx, func(g Gomega) {
		names := s.names(g)
		g.Expect(names).To(ConsistOf(HavePrefix("shop-"), HavePrefix("shop-"), Equal("till-0")))
		g.Expect(s.inTopic()).To(ConsistOf(names))
	}, starting).Should(Succeed(), "each application's pod is to have published its name, once")
	s.step("in the topic: %v", s.inTopic())
	s.Expect(s.inTopic()).To(HaveLen(3))

	s.remove(&v1alpha1.ProducerBinding{}, s.name)
	s.Eventually(s.ctx, func(g Gomega) {
		deployment := &appsv1.Deployment{}
		g.Expect(api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: "shop"}, deployment)).To(Succeed())
		pod := deployment.Spec.Template.Spec
		g.Expect(pod.Volumes).To(BeEmpty())
		g.Expect(pod.Containers).To(HaveExactElements(And(
			HaveField("Env", HaveExactElements(HaveField("Name", "SAMSA"), HaveField("Name", "OWN"))),
			HaveField("VolumeMounts", BeEmpty()), HaveField("Image", cluster.WorkerImage))))
		g.Expect(deployment.Annotations).NotTo(HaveKey(HavePrefix("bindings.kafka.samsa.dev/")))
		g.Expect(s.gateways()).To(BeEmpty())
		for end, object := range map[string]client.Object{
			"-gateway": &corev1.Service{}, "-peers": &corev1.Service{}, "-binding": &corev1.Secret{},
		} {
			err := api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: s.name + end}, object)
			g.Expect(apierrors.IsNotFound(err)).To(BeTrue(), "%T %s: %v", object, object.GetName(), err)
		}
		g.Expect(s.names(g)).To(HaveLen(3))
	}, closing).Should(Succeed(), "what the binding added is to go, and nothing else")
	s.Expect(s.inTopic()).To(HaveLen(3), "pods that are not told publish nothing")
}

// callersAreKnown has all kinds of callers come, as Kubernetes knows them.
func callersAreKnown(s *stage) {
	s.createTopic()
	s.createCluster()
	for _, name := range []string{"teller", "stranger"} {
		s.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	s.createBinding(func(b *v1alpha1.ProducerBinding) {
		b.Spec.HTTP.Auth.ServiceAccount.Allow = []v1alpha1.AllowedAccount{{Namespace: s.name, ServiceAccount: "teller"}}
	})
	found := s.bindingIs(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPublishing, 2)
	s.Expect(found.Status.Verification).To(Equal(v1alpha1.VerificationTokenReview))
	url, audience := found.Status.URL, found.Status.Address.Audience
	teller := s.poster(url, s.token("teller", audience))
	s.Expect(s.answers(teller, "good", "")()).To(Equal(http.StatusCreated))
	s.Expect(s.answers(s.poster(url, s.token("teller", "others.example")), "other audience", "")()).
		To(Equal(http.StatusUnauthorized))
	s.Expect(s.answers(s.poster(url, s.token("stranger", audience)), "stranger", "")()).To(Equal(http.StatusForbidden))
	s.Expect(s.answers(s.poster(url, ""), "nobody", "")()).To(Equal(http.StatusUnauthorized))
	s.Expect(s.answers(s.poster(url, "e30.e30.AAAA"), "forged", "")()).To(Equal(http.StatusUnauthorized))

	s.step("the same key comes to both gateways")
	for range 2 {
		for _, gateway := range s.gateways() {
			directly := s.poster("http://"+gateway.Status.PodIP+":8080/", teller.token)
			_, err := directly.persist(s.ctx, "keyed", "key-1")
			s.Expect(err).NotTo(HaveOccurred())
		}
	}
	s.Expect(s.inTopic()).To(Equal([]string{"good", "keyed"}))

	s.remove(&corev1.ServiceAccount{}, "teller")
	s.Eventually(s.ctx, s.answers(teller, "deleted", ""), 15*time.Second, time.Second).
		Should(Equal(http.StatusUnauthorized), "a deleted account is to be nobody within 10 s")
	s.Expect(s.answers(teller, "deleted for good", "")()).To(Equal(http.StatusUnauthorized))
}

const (
	// keyedMessages are so many that a gateway is killed and another one replaced while they are published.
	keyedMessages = 1000
	// publishers come at once.
	publishers = 8
)

// gatewaysComeAndGo kills a gateway and scales the binding while clients publish, who try again with the same key.
func gatewaysComeAndGo(s *stage) {
	s.crashes = true
	s.createTopic()
	s.createCluster()
	s.createBinding()
	found := s.bindingIs(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPublishing, 2)
	p := s.poster(found.Status.URL, s.token("default", found.Status.Address.Audience))
	_, err := p.persist(s.ctx, "first", "first")
	s.Expect(err).NotTo(HaveOccurred())

	taken := make(chan error, keyedMessages)
	wanted := []string{"first"}
	work := make(chan string)
	var publishing sync.WaitGroup
	ctx, cancel := context.WithCancel(s.ctx)
	defer publishing.Wait()
	defer cancel()
	for range publishers {
		publishing.Go(func() {
			for value := range work {
				_, err := p.persist(ctx, value, "key-"+value)
				taken <- err
			}
		})
	}
	publishing.Go(func() {
		defer close(work)
		for i := range keyedMessages {
			select {
			case work <- fmt.Sprintf("message-%04d", i):
			case <-ctx.Done():
				return
			}
			pause(ctx, 5*time.Millisecond)
		}
	})
	for i := range keyedMessages {
		wanted = append(wanted, fmt.Sprintf("message-%04d", i))
		s.Expect(<-taken).NotTo(HaveOccurred())
		if i == keyedMessages/5 {
			s.kill(s.gateways()[0].Name, healing)
		}
	}
	s.step("all are taken")
	slices.Sort(wanted)
	s.Expect(s.inTopic()).To(Equal(wanted), "each is to be in the topic once")

	for _, count := range []int32{3, 1, 0, 2} {
		s.kubectl("scale", "producerbinding/"+s.name, fmt.Sprintf("--replicas=%d", count))
		if count == 0 {
			s.bindingIs(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonScaledToZero, 0)
			s.Eventually(s.ctx, s.gateways, closing).Should(BeEmpty()) // those that end take what still comes
			s.Expect(s.answers(p, "nobody there", "")()).To(Equal(http.StatusServiceUnavailable))
			continue
		}
		now := s.bindingIs(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPublishing, count)
		s.Expect(now.Status.Replicas).To(HaveValue(Equal(count)))
		s.Eventually(s.ctx, s.gateways, closing).Should(HaveLen(int(count)))
		s.Expect(s.answers(p, fmt.Sprintf("scaled-%d", count), "")()).To(Equal(http.StatusCreated))
	}
	s.Expect(s.inTopic()).To(HaveLen(len(wanted) + 3))
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

var _ = Describe("A ConsumerGroup in trouble", func() {
	var (
		namespace string
		w         *world.World
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = newNamespace(ctx)
		w = startWorld(ctx, map[string]int32{"orders": 4})
		startManager(ctx, namespace)
	})

	Describe("whose cluster is not there", func() {
		It("waits for it, and is consuming soon after it comes", func(ctx SpecContext) {
			startNode(ctx, namespace)
			group := newConsumerGroup(namespace, "billing", "main", "orders")
			create(ctx, group)
			becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonClusterMissing, status.FailedStatus)
			create(ctx, newKafkaCluster(namespace, "main", w.Connect()))
			consumes(ctx, group)
		})

		It("leaves its workers alone when it goes", func(ctx SpecContext) {
			startNode(ctx, namespace)
			cluster := newKafkaCluster(namespace, "main", w.Connect())
			group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
			create(ctx, cluster, group)
			consumes(ctx, group)
			before := podsOf(ctx, namespace)
			Expect(api.Delete(ctx, cluster)).To(Succeed())
			Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(
				HaveField("Reason", v1alpha1.ReasonClusterMissing))
			Consistently(podsOf).WithArguments(ctx, namespace).WithTimeout(healing / 3).Should(Equal(before))
			create(ctx, newKafkaCluster(namespace, "main", w.Connect()))
			consumes(ctx, group)
			Expect(podsOf(ctx, namespace)).To(Equal(before))
		})

		It("leaves its workers alone when it is edited to what does not work", func(ctx SpecContext) {
			startNode(ctx, namespace)
			cluster := newKafkaCluster(namespace, "main", w.Connect())
			group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
			create(ctx, cluster, group)
			consumes(ctx, group)
			before := podsOf(ctx, namespace)
			update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
				c.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "absent", Key: "login"}
			})
			Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(And(
				HaveField("Reason", v1alpha1.ReasonClusterNotReady), HaveField("Message", ContainSubstring("absent"))))
			Consistently(podsOf).WithArguments(ctx, namespace).WithTimeout(healing / 3).Should(Equal(before))
			update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](1) })
			Eventually(podsOf).WithArguments(ctx, namespace).Should(HaveLen(1), "the number of workers still follows")
			update(ctx, cluster, func(c *v1alpha1.KafkaCluster) {
				c.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{}
			})
			consumes(ctx, group)
			Expect(podsOf(ctx, namespace)).To(Equal(map[string]types.UID{"billing-0": before["billing-0"]}))
		})
	})

	It("leaves its workers alone when it is edited to a cluster that is not there", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		consumes(ctx, group)
		before := podsOf(ctx, namespace)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.ClusterRef.Name = "absent" })
		Eventually(kstatus(group)).WithContext(ctx).Should(Equal(status.FailedStatus))
		Consistently(podsOf).WithArguments(ctx, namespace).WithTimeout(healing / 3).Should(Equal(before))
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.ClusterRef.Name = "main" })
		consumes(ctx, group)
		Expect(podsOf(ctx, namespace)).To(Equal(before))
	})

	It("waits for a topic that is missing", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "returns")
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonTopicMissing, status.FailedStatus)
		Expect(condition(group, v1alpha1.ConditionTopicsResolved)(ctx)).To(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("returns"))))
		Expect(w.Kafka.CreateTopic(ctx, "returns", 2)).To(Succeed())
		consumes(ctx, group)
	})

	It("refuses an object of its name that is somebody else's, and goes on once that is gone", func(ctx SpecContext) {
		startNode(ctx, namespace)
		foreign := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "billing"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), foreign, group)
		version := foreign.ResourceVersion
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonNameConflict, status.FailedStatus)
		Expect(condition(group, v1alpha1.ConditionStalled)(ctx)).To(HaveField("Message", ContainSubstring("Service billing")))
		Expect(komega.Object(foreign)()).To(HaveField("ObjectMeta.ResourceVersion", version))
		Expect(api.Delete(ctx, foreign)).To(Succeed())
		consumes(ctx, group)
	})

	It("waits for what a deleted group of its name has left, and tells nobody to act", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		left := &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "billing", OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "ConsumerGroup", Name: "billing", UID: "of-an-earlier-one",
				Controller: new(true),
			}}},
			Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), left, group)
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).Should(SatisfyAll(
			HaveField("Reason", v1alpha1.ReasonProgressing), HaveField("Message", ContainSubstring("garbage collector"))))
		Expect(kstatus(group)(ctx)).To(Equal(status.InProgressStatus))
		Expect(api.Delete(ctx, left)).To(Succeed())
		consumes(ctx, group)
	})

	It("tells of a template that the API server refuses, and leaves the workers alone", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		consumes(ctx, group)
		before := podsOf(ctx, namespace)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) {
			g.Spec.Template.Metadata.Labels = map[string]string{"team": "not a label!"}
		})
		Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(
			HaveField("Reason", v1alpha1.ReasonApplyFailed))
		Expect(kstatus(group)(ctx)).To(Equal(status.FailedStatus))
		Expect(podsOf(ctx, namespace)).To(Equal(before))
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Template = v1alpha1.PodTemplate{} })
		consumes(ctx, group)
		Expect(podsOf(ctx, namespace)).To(Equal(before))
	})

	It("tells of workers that do not run, and of their revert", func(ctx SpecContext) {
		bad := func(t *corev1.PodTemplateSpec) bool { return t.Labels["bad"] != "" }
		startNode(ctx, namespace, func(n *node) { n.broken = bad })
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		consumes(ctx, group)
		before := podsOf(ctx, namespace)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) {
			g.Spec.Template.Metadata.Labels = map[string]string{"bad": "1"}
		})
		Eventually(condition(group, v1alpha1.ConditionStalled)).WithContext(ctx).Should(And(
			HaveField("Reason", v1alpha1.ReasonWorkersFailing), HaveField("Message", ContainSubstring("billing-1"))))
		Expect(podsOf(ctx, namespace)).To(HaveKeyWithValue("billing-0", before["billing-0"]))
		becomes(ctx, group, metav1.ConditionTrue, v1alpha1.ReasonBalanced, status.FailedStatus)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Template = v1alpha1.PodTemplate{} })
		consumes(ctx, group)
		Expect(podsOf(ctx, namespace)).To(HaveKeyWithValue("billing-0", before["billing-0"]))
	})

	It("says that the sink cannot be reached", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		group.Spec.Sink = v1alpha1.Sink{HTTP: &v1alpha1.HTTPSink{URL: "http://nowhere.invalid/orders"}}
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		becomes(ctx, group, metav1.ConditionFalse, v1alpha1.ReasonSinkUnreachable, status.FailedStatus)
		Expect(condition(group, v1alpha1.ConditionDelivering)(ctx)).To(
			HaveField("Message", ContainSubstring("nowhere.invalid")))
		sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		DeferCleanup(sink.Close)
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Sink.HTTP.URL = sink.URL })
		consumes(ctx, group)
	})

	It("says that it is not known how it stands while ZooKeeper is away", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := newConsumerGroup(namespace, "billing", "main", "orders")
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		consumes(ctx, group)
		Expect(w.ZooKeeper.Stop()).To(Succeed())
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(3 * healing).ShouldNot(
			HaveField("Status", metav1.ConditionTrue))
		Expect(w.ZooKeeper.Restart(ctx)).To(Succeed())
		Eventually(condition(group, v1alpha1.ConditionReady)).WithContext(ctx).WithTimeout(2 * healing).Should(
			HaveField("Status", metav1.ConditionTrue))
	})

	It("tells of members that are not samsa's, and of more members than partitions", func(ctx SpecContext) {
		startNode(ctx, namespace)
		group := withReplicas(newConsumerGroup(namespace, "billing", "main", "orders"), 2)
		create(ctx, newKafkaCluster(namespace, "main", w.Connect()), group)
		consumes(ctx, group)
		Expect(condition(group, v1alpha1.ConditionFed)(ctx)).To(HaveField("Status", metav1.ConditionTrue))
		leave := joinForeign(ctx, w, "billing", "orders")
		Eventually(condition(group, v1alpha1.ConditionDegraded)).WithContext(ctx).Should(
			HaveField("Reason", v1alpha1.ReasonForeignMembers))
		Eventually(komega.Object(group)).WithContext(ctx).Should(HaveField("Status", And(
			HaveField("Assignment", v1alpha1.AssignmentRange), HaveField("ForeignMembers", HaveValue(Equal(int32(1)))))))
		leave()
		consumes(ctx, group)
		Expect(condition(group, v1alpha1.ConditionDegraded)(ctx)).To(Equal(metav1.Condition{}))
		update(ctx, group, func(g *v1alpha1.ConsumerGroup) { g.Spec.Replicas = ptr.To[int32](6) })
		Eventually(condition(group, v1alpha1.ConditionFed)).WithContext(ctx).Should(And(
			HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonTooFewPartitions),
			HaveField("Message", HavePrefix("4 partitions for 6 members: 2 pods idle"))))
		consumes(ctx, group)
	})
})

// joinForeign registers a member as Kafka's own consumers do; it owns nothing. The function makes it leave.
func joinForeign(ctx context.Context, w *world.World, group, topic string) func() {
	GinkgoHelper()
	connection, _, err := zk.Connect([]string{w.ZooKeeper.Addr()}, healing, zk.WithLogger(silent{}),
		zk.WithDialer(func(network, address string, _ time.Duration) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}))
	Expect(err).NotTo(HaveOccurred())
	path := ""
	for part := range strings.SplitSeq(strings.Trim(w.Path("/consumers/"+group+"/ids"), "/"), "/") {
		path += "/" + part
		if _, err := connection.Create(path, nil, 0, zk.WorldACL(zk.PermAll)); !errors.Is(err, zk.ErrNodeExists) {
			Expect(err).NotTo(HaveOccurred())
		}
	}
	_, err = connection.Create(path+"/"+group+"_old-host-1400000000000-abcdef01",
		[]byte(`{"version":1,"subscription":{"`+topic+`":1},"pattern":"static","timestamp":"1400000000000"}`),
		zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
	Expect(err).NotTo(HaveOccurred())
	leave := sync.OnceFunc(connection.Close)
	DeferCleanup(leave)
	return leave
}

// silent keeps the client's log out of the tests' output.
type silent struct{}

// Printf implements zk.Logger.
func (silent) Printf(string, ...any) {}

// podsOf are the uids of the workers' pods that are not on their way out, by name.
func podsOf(ctx context.Context, namespace string) map[string]types.UID {
	GinkgoHelper()
	var list corev1.PodList
	Expect(api.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
	pods := map[string]types.UID{}
	for i := range list.Items {
		pods[list.Items[i].Name] = list.Items[i].UID
	}
	return pods
}

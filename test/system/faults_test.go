// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"time"

	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/truth"
)

const (
	// noticing is how soon something wrong shows in a status. Workers are asked every 10 s, and a sink that cannot be
	// reached is probed as often, so 20 s and what a busy machine adds are the most.
	noticing = 25 * time.Second
	// outage is how long ZooKeeper stands still: longer than the sessions of 4 s. absence is how long it is away: as long
	// as a number in a status may be old.
	outage  = 15 * time.Second
	absence = truth.Grace
	// failing is how long the sink refuses: longer than any status may be behind.
	failing = 40 * time.Second
)

func clusterMissing(s *stage) {
	s.createTopic()
	s.createGroup()
	s.troubled(healing, v1alpha1.ReasonClusterMissing, clusterName, "create it")
	s.createCluster()
	s.heals()
	s.publish(8)
	s.allArrive(s.name)
}

func topicMissing(s *stage) {
	s.createCluster()
	s.createGroup()
	s.troubled(healing, v1alpha1.ReasonTopicMissing, s.name, "create")
	s.createTopic()
	s.heals()
	s.publish(8)
	s.allArrive(s.name)
}

func sinkRefuses(s *stage) {
	w := s.begin()
	s.flow()
	s.goesOn(s.name)
	begin := time.Now()
	s.sink.becomes(refuses)
	s.step("the sink refuses")
	s.troubled(truth.Grace, v1alpha1.ReasonSinkFailing, "sink")
	s.nothingArrives(s.name, failing-time.Since(begin))
	s.sink.becomes(accepts)
	s.step("the sink accepts")
	s.heals()
	s.endFlows()
	s.allArrive(s.name)
	s.Expect(len(w.heard())).To(BeNumerically("<", 12), "conditions are to be stable")
}

// sinkHangs leaves every attempt open for longer than it lasts, so that no timeout tells the worker anything.
func sinkHangs(s *stage) {
	s.begin(func(g *v1alpha1.ConsumerGroup) { g.Spec.Delivery.Timeout = "1h" })
	s.publish(8)
	s.allArrive(s.name)
	s.sink.becomes(hangs)
	s.publish(8)
	s.troubled(truth.Grace, v1alpha1.ReasonSinkFailing, s.sink.url(), s.name+"/0")
	s.Expect(s.group(s, s.name).Status.Partitions).To(HaveEach(HaveField("Reason", ContainSubstring("not answered"))))
	s.sink.becomes(accepts)
	s.step("the sink answers")
	s.heals()
	s.allArrive(s.name)
}

// sinkResets has attempts so far apart that the tenth, after which the partition counts as blocked, does not come while
// the failing ones are looked at.
func sinkResets(s *stage) {
	s.begin(func(g *v1alpha1.ConsumerGroup) {
		g.Spec.Delivery.Retry = v1alpha1.Retry{InitialBackoff: "5s", MaxBackoff: "5s"}
	})
	s.sink.becomes(resets)
	s.publish(8)
	s.troubled(truth.Grace, v1alpha1.ReasonSinkFailing, "sink")
	s.sink.becomes(accepts)
	s.heals()
	s.allArrive(s.name)
}

// editIsRefused edits the group to what the API server will not have in a pod: it goes on as it was, and says so.
func editIsRefused(s *stage) {
	s.begin()
	s.flow()
	s.goesOn(s.name)
	before := s.pods()
	s.changeGroup(func(g *v1alpha1.ConsumerGroup) {
		g.Spec.Template.Metadata.Labels = map[string]string{"team": "not a label!"}
	})
	s.Eventually(s.ctx, func(g Gomega) {
		ready := meta.FindStatusCondition(s.group(g, s.name).Status.Conditions, v1alpha1.ConditionReady)
		g.Expect(ready).To(HaveValue(And(HaveField("Status", metav1.ConditionTrue),
			HaveField("Reason", v1alpha1.ReasonApplyFailed), HaveField("Message", ContainSubstring("not a label!")))))
	}).Should(Succeed(), "what is not in effect is to be named where one looks")
	s.Expect(s.kubectl("get", "consumergroup", s.name)).To(ContainSubstring(v1alpha1.ReasonApplyFailed))
	s.goesOn(s.name)
	s.Expect(s.pods()).To(Equal(before), "running workers are to be left alone")
	s.changeGroup(func(g *v1alpha1.ConsumerGroup) { g.Spec.Template = v1alpha1.PodTemplate{} })
	s.heals()
	s.says(healing, v1alpha1.ReasonBalanced)
	s.endFlows()
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
	s.Expect(s.pods()).To(Equal(before))
}

func sinkUnresolved(s *stage) {
	s.createTopic()
	s.createCluster()
	s.createGroup(func(g *v1alpha1.ConsumerGroup) { g.Spec.Sink.HTTP.URL = "http://no-such-host.invalid/" })
	s.publish(8)
	s.troubled(starting, v1alpha1.ReasonSinkUnreachable, "no-such-host.invalid", "correct spec.sink")
	s.changeGroup(func(g *v1alpha1.ConsumerGroup) { g.Spec.Sink.HTTP.URL = s.sink.url() })
	s.heals()
	s.allArrive(s.name)
}

// zooKeeperStops also shows that no number of before the outage stays in the status: that is what its end waits for.
func zooKeeperStops(s *stage) {
	s.settles = true
	s.ownKafka()
	w := s.begin(replicas(2))
	before := s.pods()
	s.flow()
	s.goesOn(s.name)
	w.blind(true)
	s.Expect(s.kafka.ZooKeeper.Stop()).To(Succeed())
	s.step("ZooKeeper is down")
	s.away(absence)
	s.Expect(s.kafka.ZooKeeper.Restart(s.ctx)).To(Succeed())
	s.step("ZooKeeper is back")
	w.blind(false)
	s.heals()
	s.goesOn(s.name)
	s.endFlows()
	s.allArrive(s.name)
	s.Expect(withoutReadiness(s.pods())).To(Equal(withoutReadiness(before)))
}

func zooKeeperFreezes(s *stage) {
	s.ownKafka()
	w := s.begin(replicas(2))
	before := s.pods()
	s.flow()
	s.goesOn(s.name)
	w.blind(true)
	s.kafka.ZooKeeper.Faults().Freeze()
	s.step("ZooKeeper is frozen")
	s.away(outage)
	s.kafka.ZooKeeper.Faults().Thaw()
	s.step("ZooKeeper goes on")
	w.blind(false)
	s.heals()
	s.goesOn(s.name)
	s.endFlows()
	s.allArrive(s.name)
	s.Expect(withoutReadiness(s.pods())).To(Equal(withoutReadiness(before)))
}

// away passes time while something is gone; the workers are to bear it.
func (s *stage) away(during time.Duration) {
	before := withoutReadiness(s.pods())
	s.Consistently(s.ctx, func() []pod { return withoutReadiness(s.pods()) }, during, time.Second).
		Should(Equal(before), "workers are to stay as they are")
}

func withoutReadiness(pods []pod) []pod {
	for i := range pods {
		pods[i].Ready = false
	}
	return pods
}

func brokerStops(s *stage) {
	s.ownKafka()
	s.begin(replicas(2))
	for id := range int32(partitions) {
		s.Expect(s.kafka.Kafka.MoveLeader(s.ctx, s.name, id, id%2)).To(Succeed())
	}
	s.publish(8)
	s.allArrive(s.name)
	before := s.pods()
	s.Expect(s.kafka.Kafka.StopBroker(1)).To(Succeed())
	s.step("broker 1 is down")
	s.troubled(truth.Grace, v1alpha1.ReasonFetchFailing, s.name+"/1")
	s.Expect(s.kafka.Kafka.StartBroker(s.ctx, 1)).To(Succeed())
	s.step("broker 1 is back")
	s.heals()
	s.publish(8)
	s.allArrive(s.name)
	s.Expect(s.pods()).To(Equal(before))
}

func twoOfOneName(s *stage) {
	same := func(g *v1alpha1.ConsumerGroup) { g.Spec.Group = s.name }
	older := s.begin(same)
	s.nextSecond(older)
	second := s.newGroup(same)
	second.Name = "younger"
	s.create(second)
	s.nameIsTroubled(second.Name, healing, v1alpha1.ReasonGroupInUse, s.name+"/"+s.name, "delete one of the two")
	s.Expect(s.pods()).To(HaveLen(1), "the younger one is to have no workers")
	s.publish(8)
	s.allArrive(s.name)
	s.dismiss(older)
	s.remove(&v1alpha1.ConsumerGroup{}, s.name)
	s.witness(second.Name, s.name)
	s.nameIsReady(second.Name, healing)
	s.publish(8)
	s.allArrive(s.name)
}

// nextSecond waits until what is made counts as younger than a witness's group: creation times are whole seconds, by
// the API server's clock, which is this machine's.
func (s *stage) nextSecond(of *witness) {
	created := s.group(s, of.key.Name).CreationTimestamp.Unix()
	s.Eventually(s.ctx, func() int64 { return time.Now().Unix() }).Should(BeNumerically(">", created))
}

func nameIsTaken(s *stage) {
	labels := map[string]string{"app": "other"}
	taken := &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.name},
		Spec: appsv1.StatefulSetSpec{
			Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "other", Image: "other"}}},
			},
		},
	}
	s.create(taken)
	s.createTopic()
	s.createCluster()
	s.createGroup()
	s.troubled(healing, v1alpha1.ReasonNameConflict, s.name)
	found := &appsv1.StatefulSet{}
	change(s, found, s.name, func(*appsv1.StatefulSet) {})
	s.Expect(found.Spec).To(Equal(taken.Spec), "what is somebody else's is to stay as it is")
	s.Expect(found.OwnerReferences).To(BeEmpty())
	s.remove(&appsv1.StatefulSet{}, s.name)
	s.heals()
	s.publish(8)
	s.allArrive(s.name)
}

func workerKilled(s *stage) {
	s.crashes = true
	s.begin()
	s.flow()
	s.goesOn(s.name)
	s.kill(s.name+"-0", healing)
	// The first time it is started again at once, then after a kubelet's back-off.
	s.Eventually(s.ctx, s.pods, healing).Should(HaveExactElements(SatisfyAll(
		HaveField("Restarts", BeEquivalentTo(1)), HaveField("Ready", true))))
	s.kill(s.name+"-0", healing)
	s.troubled(truth.Grace, v1alpha1.ReasonWorkersFailing, s.name+"-0", "its log says why")
	s.isReady(starting)
	s.endFlows()
	s.allArrive(s.name)
}

// clusterBroken breaks the KafkaCluster in three ways while messages flow.
func clusterBroken(s *stage) {
	s.createTopic()
	secret := func() *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "zookeeper"}, StringData: map[string]string{"digest": "samsa:secret"},
		}
	}
	digest := func(c *v1alpha1.KafkaCluster) {
		c.Spec.ZooKeeper.DigestSecretRef = v1alpha1.SecretKeyReference{Name: "zookeeper", Key: "digest"}
	}
	s.create(secret())
	s.createCluster(digest)
	w := s.createGroup(replicas(2))
	s.isReady(starting)
	s.flow()
	before := s.pods()
	unharmed := func(reason string) {
		s.says(noticing, reason)
		s.goesOn(s.name)
		s.Expect(s.pods()).To(Equal(before), "running workers are to be left alone")
	}
	healed := func() {
		w.blind(false)
		s.heals()
		s.Expect(s.pods()).To(Equal(before), "running workers are to be left alone")
	}

	w.blind(true)
	s.step("a wrong address")
	right := s.kafka.Connect()
	s.changeCluster(func(c *v1alpha1.KafkaCluster) { c.Spec.ZooKeeper.Connect = "127.0.0.1:1/kafka" })
	unharmed(v1alpha1.ReasonClusterNotReady)
	s.changeCluster(func(c *v1alpha1.KafkaCluster) { c.Spec.ZooKeeper.Connect = right })
	healed()

	w.blind(true)
	s.step("no Secret")
	s.remove(&corev1.Secret{}, "zookeeper")
	unharmed(v1alpha1.ReasonClusterNotReady)
	s.create(secret())
	healed()

	w.blind(true)
	s.step("no KafkaCluster")
	s.remove(&v1alpha1.KafkaCluster{}, clusterName)
	unharmed(v1alpha1.ReasonClusterMissing)
	s.createCluster(digest)
	healed()

	s.endFlows()
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
}

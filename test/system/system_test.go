// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// managerAway is how long there is no manager: as long as a status may be behind.
const managerAway = 30 * time.Second

// The specs run in this order: those that can be together, then those that have the whole system for themselves.
var _ = Describe("The system", Ordered, ContinueOnFailure, func() {
	together(
		play{"zookeeper-stops", "goes on after ZooKeeper was away, and shows no number of before", zooKeeperStops},
		play{"kafka-07", "consumes from Kafka 0.7 with the same manifests, over scalings and the death of a broker", kafka07},
		play{"sink-refuses", "stands while the sink answers 500, and loses and reorders nothing", sinkRefuses},
		play{"zookeeper-freezes", "goes on after ZooKeeper stood still", zooKeeperFreezes},
		play{"worker-killed", "starts workers again that are killed", workerKilled},
		play{"topic-semantics", "gives every message to every pod, each with its own positions", everyPodGetsAll},
		play{"cluster-broken", "goes on delivering whatever becomes of the KafkaCluster", clusterBroken},
		play{"gateways", "publishes once what is sent again while gateways come and go", gatewaysComeAndGo},
		play{"orders", "has workloads publish that are bound by subject, or bind themselves", workloadsPublish},
		play{"callers", "takes messages of those alone who may publish, and each key once", callersAreKnown},
		play{"ready", "is ready when it consumes, and not before", readyMeansConsuming},
		play{"kubectl", "behaves as a built-in kind for kubectl", kubectlKnowsIt},
		play{"sink-hangs", "stands while the sink does not answer", sinkHangs},
		play{"sink-resets", "stands while the sink resets connections", sinkResets},
		play{"edit-refused", "says that an edit is not in effect, and goes on as before", editIsRefused},
		play{"broker-stops", "goes on after a broker was away", brokerStops},
		play{"no-cluster", "waits for a KafkaCluster and starts when it exists", clusterMissing},
		play{"no-topic", "waits for a topic and starts when it exists", topicMissing},
		play{"no-secret", "waits for a Secret, its key and the right password", secretMissing},
		play{"sink-unresolved", "waits for a sink's host to be corrected", sinkUnresolved},
		play{"two-of-one-name", "keeps the younger of two groups of one name waiting until the older is gone", twoOfOneName},
		play{"name-taken", "leaves alone what is somebody else's, and waits for the name", nameIsTaken},
		play{"retain", "goes on where it stopped when it is created again", positionsStay},
		play{"delete", "begins anew when its positions were deleted with it", positionsGo},
	)

	if haveRealBrokers() {
		It("consumes from real brokers, with a ZooKeeper and without", realBrokers, SpecTimeout(playTimeout))
	}

	It("delivers without its manager, and does what was asked meanwhile when the manager is back", func(ctx SpecContext) {
		alone(ctx, play{name: "no-manager", run: managerStops})
	}, SpecTimeout(playTimeout))

	It("writes nothing in a minute in which nothing happens", Label("slow"), func(ctx SpecContext) {
		alone(ctx, play{name: "quiet", run: nothingHappens})
	}, SpecTimeout(playTimeout))
})

func managerStops(s *stage) {
	w := s.begin()
	s.flow()
	s.goesOn(s.name)
	before := s.pods()
	s.Expect(system.StopManager()).To(Succeed())
	// Whatever becomes of this play, the next one needs a manager.
	back := startAgain(s)
	defer back()
	s.step("the manager is gone")
	w.away()
	s.kubectl("scale", "consumergroup/"+s.name, "--replicas=3")
	s.away(managerAway)
	s.goesOn(s.name)
	back()
	w.back()
	s.step("the manager is back")
	s.Eventually(s.ctx, s.pods, healing).Should(HaveLen(3))
	s.heals()
	s.Expect(s.pods()[0]).To(Equal(before[0]), "what ran is to be left alone")
	s.endFlows()
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
}

// startAgain gives what starts the manager, once.
func startAgain(s *stage) func() {
	started := false
	return func() {
		if started {
			return
		}
		started = true
		s.Expect(system.StartManager(context.WithoutCancel(s.ctx))).To(Succeed())
	}
}

func nothingHappens(s *stage) {
	s.begin(replicas(2))
	named := func(name string) func(*v1alpha1.ConsumerGroup) {
		return func(g *v1alpha1.ConsumerGroup) { g.Name = name }
	}
	s.createGroup(named("every"), replicas(2), func(g *v1alpha1.ConsumerGroup) {
		g.Spec.Semantics = v1alpha1.SemanticsTopic
	})
	s.createGroup(named("suspended"), func(g *v1alpha1.ConsumerGroup) { g.Spec.Suspend = new(true) })
	s.nameIsReady("every", starting)
	s.nameIsTroubled("suspended", healing, v1alpha1.ReasonSuspended)
	s.staysQuiet()
}

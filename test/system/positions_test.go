// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// everyPodGetsAll is semantics Topic over the restart of one pod, and of all.
func everyPodGetsAll(s *stage) {
	s.begin(replicas(3), func(g *v1alpha1.ConsumerGroup) { g.Spec.Semantics = v1alpha1.SemanticsTopic })
	all := func() {
		for ordinal := range 3 {
			s.allArrive(fmt.Sprintf("%s-%d", s.name, ordinal))
		}
	}
	s.publish(12)
	all()

	before := s.pods()
	s.flow()
	s.kubectl("delete", "pod", s.name+"-1")
	s.replaced(before[1:2])
	s.heals()
	s.endFlows()
	all()
	s.Expect(s.pods()[0]).To(Equal(before[0]), "the others are to be left alone")

	before = s.pods()
	s.flow()
	s.changeGroup(func(g *v1alpha1.ConsumerGroup) {
		g.Spec.Template.Metadata.Annotations = map[string]string{"example.com/restarted": "now"}
	})
	s.step("all are to be replaced")
	s.replaced(before)
	s.heals()
	s.endFlows()
	all()

	for ordinal := range 3 {
		s.Eventually(s.ctx, func() []int64 { return s.committed(fmt.Sprintf("%s-%d", s.name, ordinal)) }, healing).
			Should(Equal(s.ends()), "the positions of pod %d are to be its own, and complete", ordinal)
	}
	s.Expect(s.kafka.ZooKeeper.Children(s.kafka.Path("/consumers/" + s.name))).To(BeEmpty())
}

// replaced expects other pods in the place of these, ready ones.
func (s *stage) replaced(old []pod) {
	s.Eventually(s.ctx, func(g Gomega) {
		now := s.pods()
		for _, gone := range old {
			i := slices.IndexFunc(now, func(p pod) bool { return p.Name == gone.Name })
			g.Expect(i).To(BeNumerically(">=", 0), "%s is not there", gone.Name)
			g.Expect(now[i].UID).NotTo(Equal(gone.UID), "%s is the old one", gone.Name)
			g.Expect(now[i].Ready).To(BeTrue(), "%s is not ready", gone.Name)
		}
	}, starting).Should(Succeed(), "pods are to be replaced")
	s.step("%d pods are replaced", len(old))
}

// committed are the positions of a group as they stand in the registry, by partition; -1 where there is none.
func (s *stage) committed(group string) []int64 {
	var positions []int64
	for _, partition := range s.all() {
		position := int64(-1)
		path := fmt.Sprintf("/consumers/%s/offsets/%s", group, partition)
		if node, ok := s.kafka.ZooKeeper.Get(s.kafka.Path(path)); ok {
			position, _ = strconv.ParseInt(string(node.Data), 10, 64)
		}
		positions = append(positions, position)
	}
	return positions
}

// ends are the positions behind the last message of each partition.
func (s *stage) ends() []int64 {
	var ends []int64
	for _, partition := range s.all() {
		ends = append(ends, s.kafka.Brokers().End(partition))
	}
	return ends
}

// positionsStay scales to nothing, deletes and creates again, with deletionPolicy Retain.
func positionsStay(s *stage) {
	w := s.begin(replicas(2))
	s.publish(40)
	s.allArrive(s.name)
	s.flow()
	s.goesOn(s.name)
	s.kubectl("scale", "consumergroup/"+s.name, "--replicas=0")
	s.Eventually(s.ctx, s.pods, closing).Should(BeEmpty())
	s.endFlows()
	s.troubled(healing, v1alpha1.ReasonScaledToZero, "positions stay")
	s.publish(12)
	s.dismiss(w)
	s.remove(&v1alpha1.ConsumerGroup{}, s.name)
	s.nothingArrives(s.name, time.Second)
	s.createGroup(replicas(2))
	s.isReady(starting)
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
}

// positionsGo deletes and creates again, with deletionPolicy Delete.
func positionsGo(s *stage) {
	policy := func(g *v1alpha1.ConsumerGroup) { g.Spec.DeletionPolicy = v1alpha1.DeletionDelete }
	w := s.begin(replicas(2), policy)
	s.publish(40)
	s.allArrive(s.name)
	s.dismiss(w)
	s.kubectl("delete", "consumergroup", s.name, "--timeout=30s")
	for _, node := range s.kafka.ZooKeeper.Dump() {
		s.Expect(strings.HasPrefix(node.Path, s.kafka.Path("/consumers/"+s.name))).To(BeFalse(), "%s is left", node.Path)
	}
	s.books.forget(s.name)
	s.createGroup(replicas(2), policy)
	s.isReady(starting)
	s.Expect(s.allArrive(s.name)).To(BeZero(), "messages delivered again")
}

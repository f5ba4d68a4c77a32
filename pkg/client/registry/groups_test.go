// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry"
	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = onBoth("The groups of a registry", func(w *world) {
	It("are none where there never was one", func(ctx SpecContext) {
		session := w.start().session()
		Expect(session.Groups(ctx)).To(BeEmpty())
		_, err := session.GroupTopics(ctx, group)
		Expect(registry.KindOf(err)).To(Equal(registry.NoNode))
	})

	It("are listed with the number of their members, also when those have gone", func(ctx SpecContext) {
		w.createTopic(2)
		w.join(ctx, "pod-a")
		w.join(ctx, "pod-b")
		w.create(layout.Offset("audit", partition(0)), "7")
		Expect(w.start().session().Groups(ctx)).To(Equal([]registry.GroupCount{
			{Name: "audit", Members: 0}, {Name: group, Members: 2},
		}))
	})

	It("have the topics of their claims and positions, and nothing that is no topic's name", func(ctx SpecContext) {
		w.create(layout.Offset(group, kafka.Partition{Topic: "refunds", ID: "0"}), "7")
		w.create(layout.Offset(group, partition(1)), "7")
		w.create(layout.Owner(group, partition(0)), "somebody")
		w.create(layout.Owner(group, kafka.Partition{Topic: "no topic", ID: "0"}), "somebody")
		Expect(w.start().session().GroupTopics(ctx, group)).To(Equal([]string{topic, "refunds"}))
	})
})

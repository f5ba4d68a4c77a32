// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A ConsumerGroup that exists", Ordered, func() {
	const grouped = "group: billing"
	BeforeAll(func(ctx SpecContext) {
		_, err := api.create(ctx, groupNamed("named", "clusterRef: {name: local}", orders, logged, grouped))
		Expect(err).NotTo(HaveOccurred())
		_, err = api.create(ctx, groupNamed("unnamed", "clusterRef: {name: local}", orders, logged, "semantics: Topic"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx SpecContext) {
			for _, name := range []string{"named", "unnamed"} {
				request := api.rest.Delete().Namespace("default").Resource("consumergroups").Name(name)
				Expect(request.Do(ctx).Error()).To(Succeed())
			}
		})
	})

	DescribeTable("keeps what its positions belong to", func(ctx SpecContext, name, spec, field, fix string) {
		_, err := api.replace(ctx, groupNamed(name, append([]string{"clusterRef: {name: local}", orders, logged},
			strings.Split(spec, ";")...)...))
		Expect(err).To(MatchError(And(ContainSubstring(field), ContainSubstring("cannot be changed"), ContainSubstring(fix))))
	},
		Entry("another group", "named", "group: audit", "spec.group", "create another ConsumerGroup"),
		Entry("no group, where there was one", "named", "replicas: 2", "spec.group", "create another ConsumerGroup"),
		Entry("a group, where there was none", "unnamed", "semantics: Topic;group: billing", "spec.group", "create another"),
		Entry("its own name, where there was none", "unnamed", "semantics: Topic;group: unnamed", "spec.group", "create another"),
		Entry("other semantics", "named", grouped+";semantics: Topic", "spec.semantics", "create another ConsumerGroup"),
		Entry("no semantics, where they were not the default", "unnamed", "replicas: 2", "spec.semantics", "create another"),
		Entry("ZooKeeper's coordination", "named", grouped+";coordination: ZooKeeper", "spec.coordination", "create another"),
		Entry("brokers' coordination", "named", grouped+";coordination: Kafka", "spec.coordination", "create another"),
	)

	DescribeTable("can change", func(ctx SpecContext, spec string) {
		_, err := api.replace(ctx, groupNamed("named", append([]string{"clusterRef: {name: other}", grouped},
			strings.Split(spec, ";")...)...))
		Expect(err).NotTo(HaveOccurred())
	},
		Entry("its cluster", orders+";"+logged),
		Entry("from topics to a pattern", "topicPattern: .*;"+logged),
		Entry("its sink", orders+";sink: {discard: {}}"),
		Entry("everything that has a default", orders+";"+logged+";replicas: 0;suspend: true;assignment: Range;start: Latest;"+
			"outOfRange: Latest;deletionPolicy: Delete;commitInterval: 2s;drainTimeout: 5s"),
	)
})

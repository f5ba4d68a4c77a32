// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/cli"
)

var _ = Describe("In trouble", func() {
	// By their addresses, brokers that hang are not reached at all.
	inWays(withZooKeeper, "publish says which messages are unknown when brokers hang", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "before")
		for id := range t.Brokers().Addrs() {
			Expect(t.Brokers().FreezeBroker(int32(id))).To(Succeed())
		}
		r := t.run(ctx, "", "publish", "orders", "one", "two", "--timeout", "400ms", "-o", "json")
		Expect(code(r.failure)).To(Equal(cli.ExitUnknown))
		Expect(r.failure).To(MatchError(HavePrefix("0 messages acknowledged; of messages 1 to 2 it is unknown")))
		Expect(objects(r.out.String())).To(ConsistOf(SatisfyAll(
			HaveKeyWithValue("acknowledged", 0.0),
			HaveKeyWithValue("unknown", Equal(map[string]any{"from": 1.0, "to": 2.0})))))
	})

	inWays(withZooKeeper, "a directory without brokers is no cluster without topics", func(ctx SpecContext, t *target) {
		t.flags[1] = strings.TrimSuffix(t.flags[1], "/kafka")
		for _, verb := range []string{"topics", "groups"} {
			Expect(t.run(ctx, "", verb).failure).To(MatchError(ContainSubstring("check the chroot")), verb)
		}
	})

	everyWay("subscribe says that it waits for a topic", func(ctx SpecContext, t *target) {
		member := t.begin(ctx, "subscribe", "later", "--group", "billing")
		Eventually(member.err.String).Should(Equal("warning: topic later does not exist yet; waiting for it\n"))
		Expect(t.Brokers().CreateTopic(ctx, "later", 2)).To(Succeed())
		t.must(ctx, "", "publish", "later", "one")
		Eventually(member.out.lines).Should(Equal([]string{"one"}))
		Expect(member.end()).To(Succeed())
	})

	// What a broker of today led, nobody leads while it is away.
	inWays(only07, "publish goes on to another broker", func(ctx SpecContext, t *target) {
		Expect(t.Brokers().StopBroker(1)).To(Succeed())
		r := t.run(ctx, "one\ntwo\n", "publish", "orders", "--batch", "1", "-o", "json")
		Expect(r.failure).NotTo(HaveOccurred())
		for partition := range objects(r.out.String())[0]["partitions"].(map[string]any) {
			Expect(partition).To(HavePrefix("0-"))
		}
	})

	// Without ZooKeeper there is nobody to ask.
	inWays(withZooKeeper, "a group that has begun is shown while no broker lives", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "one")
		t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "1")
		for id := range t.Brokers().Addrs() {
			Expect(t.Brokers().StopBroker(int32(id))).To(Succeed())
		}
		Expect(t.objects(ctx, "groups")).To(HaveLen(1))
		Expect(t.run(ctx, "", "brokers").failure).To(MatchError(ContainSubstring("no broker is registered in ZooKeeper")))
		r := t.run(ctx, "", "groups", "billing", "-o", "json")
		if t.way != by07 { // there a topic has the partitions of the brokers that live, which are none
			Expect(code(r.failure)).To(Equal(cli.ExitFailure))
		}
		Expect(objects(r.out.String())).To(ConsistOf(HaveKeyWithValue("name", "billing")))
	})
})

var _ = Describe("Kafka 0.7", Label(by07), func() {
	It("takes topics that nobody knows", func(ctx SpecContext) {
		t := start(ctx, by07)
		t.must(ctx, "", "publish", "new", "one")
		Eventually(func() any { return t.objects(ctx, "topics") }).Should(ContainElement(
			SatisfyAll(HaveKeyWithValue("name", "new"), HaveKeyWithValue("partitions", BeNumerically(">", 0)))))
		Expect(t.all(ctx, "new", 1)).To(Equal([]string{"one"}))
	})

	It("commits a compressed batch as a whole", func(ctx SpecContext) {
		t := start(ctx, by07)
		text, values := numbered(5)
		t.must(ctx, text, "publish", "orders", "--compression", "gzip")
		rows := t.objects(ctx, "subscribe", "orders", "--group", "billing", "--count", "3")
		Expect(field(rows, "index")).To(Equal([]any{0.0, 1.0, 2.0}))
		Expect(field(rows, "offset")).To(HaveEach(rows[0]["offset"]))
		again := t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "5")
		Expect(again).To(Equal(strings.Join(values, "\n") + "\n"))
		Expect(sum(t.objects(ctx, "offsets", "orders", "--group", "billing"), "lag")).To(BeZero())
	})

	It("is not spoken to by its brokers alone", func(ctx SpecContext) {
		t := start(ctx, by07)
		r := t.run(ctx, "", "topics")
		Expect(r.failure).NotTo(HaveOccurred())
		t.flags = []string{"--bootstrap", strings.Join(t.Brokers().Addrs(), ","), "--timeout", "2s"}
		r = t.run(ctx, "", "topics")
		Expect(r.failure).To(MatchError(ContainSubstring("Kafka 0.8 or later")), fmt.Sprint(r.failure))
	})
})

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Looking around", func() {
	everyWay("brokers are listed", func(ctx SpecContext, t *target) {
		rows := t.objects(ctx, "brokers")
		Expect(field(rows, "id")).To(Equal([]any{"0", "1"}))
		Expect(field(rows, "address")).To(Equal([]any{t.Brokers().Addrs()[0], t.Brokers().Addrs()[1]}))
		Expect(field(rows, "kafka")).To(Equal([]any{t.kafka, t.kafka}))
		Expect(t.must(ctx, "", "brokers")).To(MatchRegexp(`^ID +ADDRESS +KAFKA\n0 +127.0.0.1:\d+ +` + t.kafka))
	})

	everyWay("topics are listed, with their partitions", func(ctx SpecContext, t *target) {
		Expect(t.Brokers().CreateTopic(ctx, "refunds", 2)).To(Succeed())
		Eventually(func() []map[string]any { return t.objects(ctx, "topics") }).Should(Equal([]map[string]any{
			{"name": "orders", "partitions": 4.0}, {"name": "refunds", "partitions": 2.0},
		}))
		Expect(t.must(ctx, "", "topics")).To(MatchRegexp(`^NAME +PARTITIONS\norders +4\nrefunds +2\n$`))
	})

	everyWay("partitions are listed, with where they begin and end", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "one", "two", "three")
		rows := t.objects(ctx, "partitions", "orders")
		ids := make([]any, 0, len(rows))
		for _, id := range t.Brokers().Partitions("orders") {
			ids = append(ids, id)
		}
		Expect(field(rows, "partition")).To(ConsistOf(ids...))
		Expect(field(rows, "unit")).To(HaveEach(t.unit))
		Expect(field(rows, "earliest")).To(HaveEach(0.0))
		Expect(sum(rows, "size")).To(Equal(t.size("one", "two", "three")))
		Expect(sum(rows, "end")).To(Equal(t.size("one", "two", "three")))
		Expect(t.must(ctx, "", "partitions", "orders")).To(MatchRegexp(`^PARTITION +EARLIEST +END +SIZE +UNIT\n`))
	})

	everyWay("offsets are shown: earliest, latest, and at a time", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "one")
		rows := t.objects(ctx, "offsets", "orders", "--at", time.Now().Add(time.Hour).Format(time.RFC3339))
		Expect(sum(rows, "latest")).To(Equal(t.size("one")))
		Expect(sum(rows, "at")).To(Equal(t.size("one")))
		Expect(sum(rows, "earliest")).To(BeZero())
		rows = t.objects(ctx, "offsets", "orders", "--at", "1h")
		Expect(sum(rows, "at")).To(BeZero())
		Expect(t.objects(ctx, "offsets", "orders")).To(HaveEach(Not(HaveKey("at"))))
		Expect(t.must(ctx, "", "offsets", "orders", "--at", "1h")).To(HavePrefix("PARTITION  EARLIEST  LATEST  AT"))
	})

	everyWay("what does not exist is named", func(ctx SpecContext, t *target) {
		for _, verb := range []string{"partitions", "offsets"} {
			r := t.run(ctx, "", verb, "nowhere")
			Expect(r.failure).To(MatchError(ContainSubstring("topic nowhere: the topic does not exist")), verb)
			Expect(code(r.failure)).To(Equal(1))
			Expect(r.out.String()).To(BeEmpty())
		}
		r := t.run(ctx, "", "groups", "nobody")
		Expect(r.failure).To(MatchError(ContainSubstring("group nobody: the group does not exist")))
		Expect(t.run(ctx, "", "subscribe", "nowhere", "--from", "earliest").failure).To(MatchError(
			ContainSubstring("the topic does not exist")))
	})

	everyWay("a group is shown, with its members, positions and lag", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "one", "two", "three")
		Expect(t.objects(ctx, "groups")).To(BeEmpty())
		member := t.begin(ctx, "subscribe", "orders", "--group", "billing")
		Eventually(member.out.lines).Should(ConsistOf("one", "two", "three"))
		Eventually(func() []map[string]any { return t.objects(ctx, "groups") }).Should(Equal([]map[string]any{
			{"name": "billing", "members": 1.0},
		}))
		show := func() map[string]any { return t.objects(ctx, "groups", "billing")[0] }
		rows := func(of map[string]any) (rows []map[string]any) {
			for _, row := range of["partitions"].([]any) {
				rows = append(rows, row.(map[string]any))
			}
			return rows
		}
		Eventually(show).Should(Satisfy(func(view map[string]any) bool {
			return sum(rows(view), "committed") == t.size("one", "two", "three")
		}))
		view := show()
		Expect(view["name"]).To(Equal("billing"))
		Expect(view["members"]).To(ConsistOf(HaveKeyWithValue("topics", ConsistOf("orders"))))
		id := view["members"].([]any)[0].(map[string]any)["id"]
		Expect(field(rows(view), "owner")).To(HaveEach(id))
		Expect(field(rows(view), "lag")).To(HaveEach(0.0))
		Expect(field(rows(view), "unit")).To(HaveEach(t.unit))
		Expect(view["missing"]).To(BeEmpty())
		Expect(t.must(ctx, "", "groups", "billing")).To(MatchRegexp(`^MEMBER +NAME +STATE +TOPICS\n`))

		Expect(member.end()).To(Succeed())
		t.must(ctx, "", "publish", "orders", "four")
		offsets := t.objects(ctx, "offsets", "orders", "--group", "billing")
		Expect(offsets).To(HaveLen(4))
		Expect(field(offsets, "owner")).To(HaveEach(""))
		Expect(sum(offsets, "committed")).To(Equal(t.size("one", "two", "three")))
		Expect(sum(offsets, "lag")).To(Equal(t.size("four")))
		Expect(t.must(ctx, "", "offsets", "orders", "--group", "billing")).To(MatchRegexp(
			`^TOPIC +PARTITION +OWNER +COMMITTED +END +LAG +UNIT\n`))
	})
})

// size is what messages take in a log: one each, and in Kafka 0.7 their bytes with 10 of frame.
func (t *target) size(values ...string) float64 {
	if t.way != by07 {
		return float64(len(values))
	}
	total := 0
	for _, value := range values {
		total += 10 + len(value)
	}
	return float64(total)
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// all are the values of a topic, read without a group.
func (t *target) all(ctx context.Context, topic string, n int) []string {
	GinkgoHelper()
	rows := t.objects(ctx, "subscribe", topic, "--from", "earliest", "--count", fmt.Sprint(n))
	values := make([]string, len(rows))
	for i, row := range rows {
		values[i], _ = row["value"].(string)
	}
	slices.Sort(values)
	return values
}

// numbered are n lines.
func numbered(n int) (text string, values []string) {
	for i := range n {
		values = append(values, fmt.Sprintf("message %04d", i))
	}
	return strings.Join(values, "\n"), values
}

var _ = Describe("Publishing", func() {
	everyWay("the arguments", func(ctx SpecContext, t *target) {
		Expect(t.must(ctx, "", "publish", "orders", "one", "two")).To(Equal(
			"2 messages acknowledged by 1 partition of orders (6 bytes)\n"))
		Expect(t.all(ctx, "orders", 2)).To(Equal([]string{"one", "two"}))
	})

	everyWay("lines: empty ones too, and the last one without a newline", func(ctx SpecContext, t *target) {
		summary := t.run(ctx, "one\n\ntwo\r\nthree", "publish", "orders", "-o", "json")
		Expect(summary.failure).NotTo(HaveOccurred())
		Expect(objects(summary.out.String())).To(ConsistOf(SatisfyAll(
			HaveKeyWithValue("acknowledged", 4.0), HaveKeyWithValue("bytes", 12.0), HaveKeyWithValue("unknown", BeNil()))))
		Expect(t.all(ctx, "orders", 4)).To(Equal([]string{"", "one", "three", "two\r"}))
	})

	everyWay("frames, which may hold anything", func(ctx SpecContext, t *target) {
		var in []byte
		for _, value := range []string{"one\ntwo", "", "\x00\xff"} {
			in = append(binary.BigEndian.AppendUint32(in, uint32(len(value))), value...)
		}
		t.must(ctx, string(in), "publish", "orders", "--frames")
		rows := t.objects(ctx, "subscribe", "orders", "--from", "earliest", "--count", "3")
		Expect(field(rows, "value")).To(Equal([]any{"one\ntwo", "", nil}))
		Expect(field(rows, "valueBase64")).To(Equal([]any{nil, nil, "AP8="}))
	})

	everyWay("files, each a message", func(ctx SpecContext, t *target) {
		directory := GinkgoT().TempDir()
		for _, name := range []string{"a", "b"} {
			Expect(os.WriteFile(filepath.Join(directory, name), []byte(name+"\n"), 0o600)).To(Succeed())
		}
		t.must(ctx, "", "publish", "orders", "--file", filepath.Join(directory, "a"), "--file", filepath.Join(directory, "b"))
		Expect(t.all(ctx, "orders", 2)).To(Equal([]string{"a\n", "b\n"}))
	})

	everyWay("by key, in order, to one partition", func(ctx SpecContext, t *target) {
		text, values := numbered(50)
		for _, codec := range []string{"none", "gzip", "snappy"} {
			r := t.run(ctx, text, "publish", "orders", "--key", "customer-7", "--batch", "20", "--compression", codec,
				"-o", "json")
			Expect(r.failure).NotTo(HaveOccurred())
			Expect(objects(r.out.String())[0]["partitions"]).To(HaveLen(1))
		}
		rows := t.objects(ctx, "subscribe", "orders", "--from", "earliest", "--count", "150")
		var want []any
		for range 3 {
			for _, value := range values {
				want = append(want, value)
			}
		}
		Expect(field(rows, "value")).To(Equal(want))
		if t.way == by07 {
			Expect(field(rows, "key")).To(HaveEach(BeNil()))
			return
		}
		Expect(field(rows, "key")).To(HaveEach("customer-7"))
	})

	everyWay("round robin, over all partitions", func(ctx SpecContext, t *target) {
		text, values := numbered(40)
		r := t.run(ctx, text, "publish", "orders", "--partitioner", "round-robin", "--batch", "10", "-o", "json")
		Expect(r.failure).NotTo(HaveOccurred())
		Expect(objects(r.out.String())[0]["partitions"]).To(SatisfyAll(HaveLen(4), HaveEach(10.0)))
		Expect(t.all(ctx, "orders", 40)).To(Equal(values))
	})

	everyWay("says what was acknowledged before a message that is too long", func(ctx SpecContext, t *target) {
		r := t.run(ctx, "one\ntwo\n"+strings.Repeat("x", 101)+"\nfour\n", "publish", "orders", "--max-message-bytes", "100")
		Expect(r.failure).To(MatchError(
			"2 messages acknowledged; none behind was sent: line 3 is longer than 100 bytes, " +
				"the most that a message may have (--max-message-bytes)"))
		Expect(code(r.failure)).To(Equal(1))
		Expect(r.out.String()).To(HavePrefix("2 messages acknowledged"))
		Expect(t.all(ctx, "orders", 2)).To(Equal([]string{"one", "two"}))
	})
})

var _ = Describe("Publishing what shrinks", func() {
	everyWay("counts a message as its brokers do", func(ctx SpecContext, t *target) {
		r := t.run(ctx, strings.Repeat("x", 5000)+"\n",
			"publish", "orders", "--max-message-bytes", "1000", "--compression", "gzip")
		if t.way != by07 {
			Expect(r.failure).To(MatchError(MatchRegexp("too large|larger")))
			return
		}
		Expect(r.failure).NotTo(HaveOccurred())
		Expect(t.all(ctx, "orders", 1)).To(Equal([]string{strings.Repeat("x", 5000)}))
	})
})

var _ = Describe("Subscribing", func() {
	everyWay("prints, commits, leaves, and goes on where it was", func(ctx SpecContext, t *target) {
		text, values := numbered(40)
		t.must(ctx, text, "publish", "orders", "--partitioner", "round-robin", "--batch", "1")
		var printed []string
		for _, n := range []string{"7", "13", "20"} {
			out := t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", n)
			printed = append(printed, strings.Split(strings.TrimSuffix(out, "\n"), "\n")...)
			Expect(t.objects(ctx, "groups")).To(Equal([]map[string]any{{"name": "billing", "members": 0.0}}))
		}
		slices.Sort(printed)
		Expect(printed).To(Equal(values)) // nothing is lost, nothing twice
	})

	everyWay("leaves at an interruption, with everything printed committed", func(ctx SpecContext, t *target) {
		member := t.begin(ctx, "subscribe", "orders", "--group", "billing")
		text, values := numbered(20)
		t.must(ctx, text, "publish", "orders", "--batch", "3")
		Eventually(member.out.lines).Should(ConsistOf(values))
		Expect(member.end()).To(Succeed())
		Expect(t.objects(ctx, "groups")).To(Equal([]map[string]any{{"name": "billing", "members": 0.0}}))
		Expect(sum(t.objects(ctx, "offsets", "orders", "--group", "billing"), "lag")).To(BeZero())
	})

	everyWay("ends well when nobody reads any more, and commits what was read alone", func(ctx SpecContext, t *target) {
		text, values := numbered(20)
		t.must(ctx, text, "publish", "orders", "--partitioner", "round-robin", "--batch", "1")
		pipe := &buffer{most: 8}
		Expect(execute(ctx, strings.NewReader(""), pipe, &buffer{},
			append([]string{"subscribe", "orders", "--group", "billing"}, t.flags...)...)).To(Succeed())
		Expect(pipe.lines()).To(HaveLen(8))
		rest := t.must(ctx, "", "subscribe", "orders", "--group", "billing", "--count", "12")
		got := append(pipe.lines(), strings.Split(strings.TrimSuffix(rest, "\n"), "\n")...)
		slices.Sort(got)
		Expect(got).To(Equal(values))
	})

	everyWay("begins at the end if told so, once for ever", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "before")
		member := t.begin(ctx, "subscribe", "orders", "--group", "billing", "--from", "latest")
		t.joined(ctx)
		Eventually(func() []string { // it is in the group some moments before it has asked where the end is
			t.must(ctx, "", "publish", "orders", "after")
			return member.out.lines()
		}).Should(ContainElement("after"))
		Expect(member.out.lines()).To(HaveEach("after"))
	})

	everyWay("shares the partitions with who else is in the group", func(ctx SpecContext, t *target) {
		first := t.begin(ctx, "subscribe", "orders", "--group", "billing")
		second := t.begin(ctx, "subscribe", "orders", "--group", "billing")
		Eventually(func() map[any]int { return t.shares(ctx) }).Should(SatisfyAll(HaveLen(2), HaveEach(2)))
		text, values := numbered(40)
		t.must(ctx, text, "publish", "orders", "--partitioner", "round-robin", "--batch", "10")
		Eventually(func() []string { return append(first.out.lines(), second.out.lines()...) }).Should(ConsistOf(values))
		Expect(first.out.lines()).To(HaveLen(20))

		Expect(first.end()).To(Succeed())
		Eventually(func() map[any]int { return t.shares(ctx) }).Should(SatisfyAll(HaveLen(1), HaveEach(4)))
		Expect(second.end()).To(Succeed())
		Expect(second.err.String()).To(BeEmpty())
	})

	everyWay("reads from a position, without a group", func(ctx SpecContext, t *target) {
		t.must(ctx, "one\ntwo\nthree\n", "publish", "orders", "--key", "k")
		rows := t.objects(ctx, "subscribe", "orders", "--from", "earliest", "--count", "3")
		from := fmt.Sprintf("%s=%.0f", rows[1]["partition"], rows[1]["offset"])
		Expect(t.must(ctx, "", "subscribe", "orders", "--from", from, "--count", "2")).To(Equal("two\nthree\n"))
		Expect(t.objects(ctx, "groups")).To(BeEmpty())

		r := t.run(ctx, "", "subscribe", "orders", "--from", "7")
		Expect(r.failure).To(MatchError(ContainSubstring("topic orders has 4 partitions: say which to read")))
		Expect(code(r.failure)).To(Equal(2))
		r = t.run(ctx, "", "subscribe", "orders", "--from", "77=1")
		Expect(r.failure).To(MatchError(ContainSubstring("topic orders has no partition 77; it has")))
		r = t.run(ctx, "", "subscribe", "orders", "--from", fmt.Sprintf("%s=4000", rows[1]["partition"]))
		Expect(r.failure).To(MatchError(ContainSubstring("position 4000 is outside the log, which holds 0 to ")))
		Expect(code(r.failure)).To(Equal(1))
	})

	everyWay("prints a table that does no harm to a terminal", func(ctx SpecContext, t *target) {
		t.must(ctx, "", "publish", "orders", "\x1b[2Jx")
		Expect(t.must(ctx, "", "subscribe", "orders", "--from", "earliest", "--count", "1", "-o", "table")).To(MatchRegexp(
			`^PARTITION +OFFSET +KEY +VALUE\norders/[0-9-]+ +0 +- +"\\x1b\[2Jx"\n$`))
	})
})

// joined waits until the group owns all partitions.
func (t *target) joined(ctx context.Context) {
	GinkgoHelper()
	Eventually(func() map[any]int { return t.shares(ctx) }).Should(SatisfyAll(HaveLen(1), HaveEach(4)))
}

// shares counts the partitions of each member.
func (t *target) shares(ctx context.Context) map[any]int {
	r := t.run(ctx, "", "offsets", "orders", "--group", "billing", "-o", "json")
	if r.failure != nil {
		return nil
	}
	owned := map[any]int{}
	for _, owner := range field(objects(r.out.String()), "owner") {
		if owner != "" {
			owned[owner]++
		}
	}
	return owned
}

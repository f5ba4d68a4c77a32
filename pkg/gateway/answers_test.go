// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("One message", func() {
	It("is answered with where it is", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/", "hello", "Samsa-Key", "customer%2017 %e2%82%ac", "Samsa-Partition", "3",
			"Samsa-Timestamp", "1700000000000", "Samsa-Header-Trace", "abc", "Samsa-Header-Trace", "d%00f",
			"Samsa-Header", "Exact=1, null!, empty=")
		Expect(a.status).To(Equal(201))
		Expect(a.header.Get(contentType)).To(Equal("application/json"))
		Expect(a.body).To(MatchJSON(
			`{"topic":"orders","partition":"3","offset":0,"timestamp":"2026-01-02T03:04:05.678Z"}`))
		Expect(b.written()).To(ConsistOf(kafka.Message{
			Partition: kafka.Partition{Topic: topic, ID: "3"}, Key: []byte("customer 17 €"), Value: []byte("hello"),
			Timestamp: time.UnixMilli(1700000000000), Headers: []kafka.Header{
				{Key: "Exact", Value: []byte("1")}, {Key: "null"}, {Key: "empty", Value: []byte{}},
				{Key: "trace", Value: []byte("abc")}, {Key: "trace", Value: []byte("d\x00f")},
			},
		}))
	})

	DescribeTable("has a value", func(ctx SpecContext, body string, headers []string, match OmegaMatcher) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		Expect(post(ctx, url, "/", body, headers...).status).To(Equal(201))
		Expect(b.written()).To(HaveLen(1))
		Expect(b.written()[0].Value).To(match)
	},
		Entry("that is empty", "", nil, And(Not(BeNil()), BeEmpty())),
		Entry("that is null", "", []string{"Samsa-Tombstone", "true"}, BeNil()),
		Entry("as a form of curl's", "hello", []string{contentType, "application/x-www-form-urlencoded"}, Equal([]byte("hello"))),
		Entry("of JSON, as it is", " {} ", []string{contentType, "application/json"}, Equal([]byte(" {} "))),
		Entry("of the largest size", strings.Repeat("x", 1<<20), nil, HaveLen(1<<20)),
		Entry("of a size between", strings.Repeat("x", 9000), nil, HaveLen(9000)),
	)

	DescribeTable("is answered by what the brokers say",
		func(ctx SpecContext, produced client.Produced, err error, status int, fields gstruct.Keys) {
			b := &brokers{answer: func(int, kafka.Message) (client.Produced, error) { return produced, err }}
			_, url := serve(gateway.Config{Producer: b})
			a := post(ctx, url, "/", "hello")
			Expect(a.status).To(Equal(status))
			Expect(decode(a.body)).To(gstruct.MatchKeys(gstruct.IgnoreExtras, fields))
			if after, ok := decode(a.body)["retryAfter"].(float64); ok {
				Expect(after).To(BeNumerically(">=", 1))
				Expect(a.header).To(HaveKey("Retry-After"))
			}
		},
		Entry("no position, as in 0.7", client.Produced{Partition: partition("1-3"), Offset: -1, Held: true}, nil, 201,
			gstruct.Keys{"partition": Equal("1-3"), "offset": BeNil(), "timestamp": BeNil()}),
		Entry("nothing, with acks none", client.Produced{Partition: partition("3"), Offset: -1}, nil, 202,
			gstruct.Keys{"partition": Equal("3"), "offset": BeNil()}),
		Entry("busy", client.Produced{}, refused(kafka.ErrBusy), 429, problem("busy", "refused")),
		Entry("too large", client.Produced{}, refused(kafka.ErrTooLarge), 413, problem("too-large", "refused")),
		Entry("unfit", client.Produced{}, refused(kafka.ErrUnfit), 422, problem("unfit", "refused")),
		Entry("no topic", client.Produced{}, refused(kafka.ErrNoTopic), 404, problem("no-topic", "refused")),
		Entry("no partition", client.Produced{}, refused(kafka.ErrNoPartition), 404, problem("no-partition", "refused")),
		Entry("unavailable", client.Produced{}, refused(kafka.ErrUnavailable), 503, problem("unavailable", "refused")),
		Entry("given up", client.Produced{}, refused(context.Canceled), 503,
			detailed(problem("unavailable", "refused"), "its own side of it")),
		Entry("denied", client.Produced{}, refused(kafka.ErrDenied), 503, problem("denied", "refused")),
		Entry("refused for a reason of its own", client.Produced{}, refused(errors.New("x")), 503, problem("unavailable", "refused")),
		Entry("unknown", client.Produced{}, errors.New("cut off"), 504, problem("unknown-outcome", "unknown")),
	)

	It("has an unknown outcome while the producer says nothing", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, RequestTimeout: 50 * time.Millisecond})
		a := post(ctx, url, "/", "hello")
		Expect(a.status).To(Equal(504))
		Expect(decode(a.body)).To(HaveKeyWithValue("outcome", "unknown"))
		b.release()
		b.later = false
		a = post(ctx, url, "/", "hello") // and no later one gets the outcome that came too late
		Expect(a.status).To(Equal(201))
		Expect(decode(a.body)).To(HaveKeyWithValue("offset", 1.0))
	})
})

var _ = Describe("A batch", func() {
	const events = `[{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"a":1}},` +
		` {"specversion":"1.0","id":"2","source":"s","type":"t","partitionkey":"k"}]`

	It("has a result for each message, in order", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/", events, contentType, typeBatch)
		Expect(a.status).To(Equal(200))
		Expect(a.body).To(MatchJSON(`{"results":[
			{"status":201,"topic":"orders","partition":"0","offset":0,"timestamp":"2026-01-02T03:04:05.678Z"},
			{"status":201,"topic":"orders","partition":"0","offset":1,"timestamp":"2026-01-02T03:04:05.678Z"}]}`))
		Expect(b.written()[1]).To(And(HaveField("Key", []byte("k")), HaveField("Headers", ConsistOf(
			kafka.Header{Key: "content-type", Value: []byte(typeEvent)})),
			HaveField("Value", []byte(`{"specversion":"1.0","id":"2","source":"s","type":"t","partitionkey":"k"}`))))
	})

	DescribeTable("has the status of its messages", func(ctx SpecContext, errs []error, held bool, status int) {
		b := &brokers{answer: func(i int, m kafka.Message) (client.Produced, error) {
			return client.Produced{Partition: partition("0"), Offset: 7, Held: held}, errs[i]
		}}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/", events, contentType, typeBatch)
		Expect(a.status).To(Equal(status))
		Expect(decode(a.body)["results"]).To(HaveLen(2))
		a = post(ctx, url, "/topics/orders", `{"records":[{"value":1},{"value":2}]}`, contentType, typeJSON)
		Expect(a.status).To(Equal(status))
		Expect(decode(a.body)["offsets"]).To(HaveLen(2))
	},
		Entry("all", twice(nil, nil), true, 200),
		Entry("all, and nobody says where", twice(nil, nil), false, 202),
		Entry("some", twice(nil, refused(kafka.ErrBusy)), true, 207),
		Entry("none", twice(refused(kafka.ErrBusy), refused(kafka.ErrBusy)), true, 429),
		Entry("none, for two reasons", twice(refused(kafka.ErrUnavailable), refused(kafka.ErrBusy)), true, 503),
		Entry("none, one unknown", twice(refused(kafka.ErrUnavailable), errors.New("cut")), true, 504),
		Entry("none, permanently", twice(refused(kafka.ErrTooLarge), refused(kafka.ErrTooLarge)), true, 413),
	)

	It("says which messages have no outcome in time", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, RequestTimeout: 50 * time.Millisecond})
		a := post(ctx, url, "/", events, contentType, typeBatch)
		Expect(a.status).To(Equal(504))
		Expect(decode(a.body)["detail"]).To(And(
			HavePrefix("of none of 2 messages it is known that it was taken, see each; the gravest: no broker has said"),
			Not(ContainSubstring("none of 2 messages was taken"))))
		b.release()
	})
})

func decode(body string) object {
	GinkgoHelper()
	var o object
	Expect([]byte(body)).To(WithTransform(func(text []byte) error { return unmarshal(text, &o) }, Succeed()))
	return o
}

func partition(id string) kafka.Partition { return kafka.Partition{Topic: topic, ID: id} }

func refused(reason error) error { return &kafka.Refused{Partition: partition(""), Err: reason} }

func problem(kind, outcome string) gstruct.Keys {
	return gstruct.Keys{"type": Equal("urn:samsa:problem:" + kind), "outcome": Equal(outcome), "title": Not(BeEmpty()),
		"detail": Not(BeEmpty())}
}

func detailed(keys gstruct.Keys, detail string) gstruct.Keys {
	keys["detail"] = ContainSubstring(detail)
	return keys
}

// twice answers both messages of a batch, which comes twice.
func twice(first, second error) []error { return []error{first, second, first, second} }

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"net/http"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

var _ = Describe("The CloudEvents SDK", func() {
	event := func() cloudevents.Event {
		event := cloudevents.NewEvent()
		event.SetID("1")
		event.SetSource("/orders")
		event.SetType("dev.samsa.order")
		event.SetTime(theTime())
		event.SetExtension("partitionkey", "customer-17")
		event.SetExtension("attempt", 3)
		Expect(event.SetData(cloudevents.ApplicationJSON, object{"total": 7})).To(Succeed())
		return event
	}
	sdk := func(url string) cloudevents.Client {
		transport := new(http.Transport)
		DeferCleanup(transport.CloseIdleConnections)
		c, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(url), cloudevents.WithRoundTripper(transport))
		Expect(err).NotTo(HaveOccurred())
		return c
	}

	type option = func(context.Context) context.Context

	DescribeTable("publishes", func(ctx SpecContext, mode option, headers, value string) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		result := sdk(url).Send(mode(ctx), event())
		Expect(cloudevents.IsACK(result)).To(BeTrue(), "%v", result)
		Expect(b.written()).To(HaveLen(1))
		m := b.written()[0]
		Expect(string(m.Key)).To(Equal("customer-17"))
		Expect(m.Value).To(MatchJSON(value))
		text := ""
		for _, header := range m.Headers {
			text += header.Key + "=" + string(header.Value) + "\n"
		}
		Expect(text).To(Equal(headers))
	},
		Entry("in binary mode", binding.WithForceBinary,
			"content-type=application/json\nce_attempt=3\nce_id=1\nce_partitionkey=customer-17\nce_source=/orders\n"+
				"ce_specversion=1.0\nce_time=2026-01-02T03:04:05.678Z\nce_type=dev.samsa.order\n", `{"total":7}`),
		Entry("in structured mode", binding.WithForceStructured, "content-type=application/cloudevents+json\n",
			`{"specversion":"1.0","id":"1","source":"/orders","type":"dev.samsa.order","time":"2026-01-02T03:04:05.678Z",
			"partitionkey":"customer-17","attempt":3,"datacontenttype":"application/json","data":{"total":7}}`),
	)

	It("publishes a batch", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		request, err := cehttp.NewHTTPRequestFromEvents(ctx, url, []cloudevents.Event{event(), event()})
		Expect(err).NotTo(HaveOccurred())
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		Expect(response.StatusCode).To(Equal(200))
		Expect(b.written()).To(HaveLen(2))
	})

	It("hears what became of it", func(ctx SpecContext) {
		b := &brokers{answer: refusing(kafka.ErrUnavailable)}
		_, url := serve(gateway.Config{Producer: b})
		result := sdk(url).Send(ctx, event())
		Expect(cloudevents.IsACK(result)).To(BeFalse())
		var status *cehttp.Result
		Expect(protocol.ResultAs(result, &status)).To(BeTrue())
		Expect(status.StatusCode).To(Equal(503))
	})
})

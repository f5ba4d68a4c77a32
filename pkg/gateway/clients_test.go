// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"context"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// Clients that know nothing of samsa, all the way into the topic.
var _ = Describe("With Kafka, clients of others", func() {
	const timeout = 10 * time.Second
	headersOf := func(m kafka.Message) map[string]string {
		headers := map[string]string{}
		for _, header := range m.Headers {
			headers[header.Key] = string(header.Value)
		}
		return headers
	}

	It("publish events by their SDK", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout})
		transport := new(http.Transport)
		DeferCleanup(transport.CloseIdleConnections)
		sdk, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(p.url), cloudevents.WithRoundTripper(transport))
		Expect(err).NotTo(HaveOccurred())
		event := func(id string) cloudevents.Event {
			e := cloudevents.NewEvent()
			e.SetID(id)
			e.SetSource("/shop")
			e.SetType("order")
			e.SetTime(theTime())
			e.SetExtension("partitionkey", "customer-17")
			Expect(e.SetData(cloudevents.TextPlain, "total of "+id)).To(Succeed())
			return e
		}
		for id, mode := range map[string]func(context.Context) context.Context{
			"binary": binding.WithForceBinary, "structured": binding.WithForceStructured,
		} {
			result := sdk.Send(mode(ctx), event(id))
			Expect(cloudevents.IsACK(result)).To(BeTrue(), "%v", result)
		}
		request, err := cehttp.NewHTTPRequestFromEvents(ctx, p.url, []cloudevents.Event{event("first"), event("second")})
		Expect(err).NotTo(HaveOccurred())
		response, err := (&http.Client{Transport: transport}).Do(request)
		Expect(err).NotTo(HaveOccurred())
		defer response.Body.Close()
		Expect(response.StatusCode).To(Equal(200))

		inJSON := func(id string) string {
			return `{"specversion":"1.0","id":"` + id + `","source":"/shop","type":"order","datacontenttype":"text/plain",` +
				`"time":"2026-01-02T03:04:05.678Z","data":"total of ` + id + `","partitionkey":"customer-17"}`
		}
		var events []string
		for value, m := range p.read(ctx, 4) {
			Expect(string(m.Key)).To(Equal("customer-17"))
			if value == "total of binary" {
				Expect(headersOf(m)).To(Equal(map[string]string{
					"ce_specversion": "1.0", "ce_id": "binary", "ce_source": "/shop", "ce_type": "order",
					"ce_partitionkey": "customer-17", "content-type": "text/plain", "ce_time": "2026-01-02T03:04:05.678Z",
				}))
				continue
			}
			Expect(headersOf(m)).To(Equal(map[string]string{"content-type": "application/cloudevents+json"}))
			events = append(events, value)
		}
		Expect(events).To(ConsistOf(
			MatchJSON(inJSON("structured")), MatchJSON(inJSON("first")), MatchJSON(inJSON("second"))))
	})

	// Requests as the clients' own documentation prints them.
	It("publish as to REST Proxy and to Strimzi's bridge", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout})
		for _, c := range []struct {
			what, path, body string
			headers          []string
			offsets          int
		}{
			{"REST Proxy, JSON", "/topics/orders", `{"records":[{"value":{"foo":"bar"}}]}`, []string{
				contentType, "application/vnd.kafka.json.v2+json",
				"Accept", "application/vnd.kafka.v2+json, application/vnd.kafka+json, application/json",
			}, 1},
			{"REST Proxy, binary", "/topics/orders/partitions/1", "{\n  \"records\": [\n    {\n      \"key\": \"a2V5\",\n" +
				"      \"value\": \"Y29uZmx1ZW50\"\n    },\n    {\n      \"value\": \"a2Fma2E=\"\n    }\n  ]\n}", []string{
				contentType, "application/vnd.kafka.binary.v2+json", "Accept", "application/vnd.kafka.v2+json",
			}, 2},
			{"the bridge, JSON", "/topics/orders", `{"records": [{"key": "my-key", "value": "sales-lead-0001"}, ` +
				`{"value": "sales-lead-0002", "partition": 2}]}`, []string{
				"content-type", "application/vnd.kafka.json.v2+json",
			}, 2},
			{"the bridge, text", "/topics/orders", `{"records":[{"value":"sales-lead-0003",` +
				`"headers":[{"key":"key1","value":"QXBhY2hlIEthZmthIGlzIHRoZSBib21iIQ=="}],"timestamp":1700000000000}]}`, []string{
				"content-type", "application/vnd.kafka.text.v2+json; charset=utf-8", "accept", "*/*",
			}, 1},
		} {
			a := post(ctx, p.url, c.path, c.body, c.headers...)
			Expect(a.status).To(Equal(200), "%s: %s", c.what, a.body)
			Expect(a.header.Get(contentType)).To(Equal("application/vnd.kafka.v2+json"), c.what)
			offsets := decode(a.body)["offsets"]
			Expect(offsets).To(HaveLen(c.offsets), c.what)
			Expect(offsets).To(HaveEach(And(HaveLen(2),
				HaveKeyWithValue("partition", BeNumerically(">=", 0)), HaveKeyWithValue("offset", BeNumerically(">=", 0)))), c.what)
		}
		found := p.read(ctx, 6)
		Expect(found).To(And(HaveLen(6), HaveKey(`{"foo":"bar"}`), HaveKey("kafka")))
		Expect(found["confluent"]).To(And(HaveField("Key", []byte("key")), HaveField("Partition.ID", "1")))
		Expect(found[`"sales-lead-0001"`].Key).To(Equal([]byte(`"my-key"`)))
		Expect(found[`"sales-lead-0002"`].Partition.ID).To(Equal("2"))
		Expect(found["sales-lead-0003"].Timestamp.UnixMilli()).To(Equal(int64(1700000000000)))
		Expect(headersOf(found["sales-lead-0003"])).To(Equal(map[string]string{"key1": "Apache Kafka is the bomb!"}))
	})

	It("get their status codes on request, and theirs alone", func(ctx SpecContext) {
		p := startPublishing(ctx, world.Modern, client.ProducerConfig{Timeout: timeout})
		const body = `{"records":[{"value":"taken"},{"value":"lost","partition":9}]}`
		Expect(post(ctx, p.url, "/topics/orders", body, contentType, typeText).status).To(Equal(207))
		a := post(ctx, p.url, "/topics/orders?compat=true", body, contentType, typeText)
		Expect(a.status).To(Equal(200))
		offsets := decode(a.body)["offsets"].([]any)
		Expect(offsets[0]).To(And(HaveLen(2), HaveKey("partition"), HaveKey("offset")))
		Expect(offsets[1]).To(And(HaveKeyWithValue("error_code", 404.0), HaveKey("error"), HaveKey("message")))
		// What they refuse as a whole they refuse with its own code, too.
		for path, want := range map[string]int{"/topics/orders?compat=true": 422, "/topics/other?compat=true": 404} {
			a = post(ctx, p.url, path, `{"record":[]}`, contentType, typeText)
			Expect(a.status).To(Equal(want))
			Expect(decode(a.body)).To(And(HaveKeyWithValue("error_code", float64(want)), HaveKey("message")))
		}
	})
})

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"errors"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

const goodEvent = `{"specversion":"1.0","id":"1","source":"s","type":"t"}`

var _ = Describe("A request", func() {
	DescribeTable("for nothing that is there", func(ctx SpecContext, method, path string, status int) {
		_, url := serve(gateway.Config{Producer: &brokers{}})
		Expect(send(ctx, method, url, path, nil, contentType, typeJSON).status).To(Equal(status))
	},
		Entry(nil, "POST", "/nothing", 404),
		Entry(nil, "GET", "/", 405),
		Entry(nil, "PUT", "/topics/orders", 405),
		Entry(nil, "POST", "/healthz", 405),
		Entry(nil, "POST", "/topics/", 404),
		Entry(nil, "POST", "/topics/orders/", 404),
		Entry(nil, "POST", "/topics/orders/partitions/", 404),
		Entry(nil, "POST", "/topics/orders/partitions/1/", 404),
		Entry("another topic", "POST", "/topics/returns", 404),
		Entry("no partition", "POST", "/topics/orders/partitions/x", 404),
		Entry("HEAD of what is read", "HEAD", "/healthz", 200),
	)

	DescribeTable("that is bad is refused, and nothing is published",
		func(ctx SpecContext, status int, detail, path, body string, headers ...string) {
			b := &brokers{}
			_, url := serve(gateway.Config{Producer: b, MaxBodyBytes: 2000, MaxBatch: 3})
			a := post(ctx, url, path, body, headers...)
			Expect(a.status).To(Equal(status), a.body)
			Expect(decode(a.body)).To(And(HaveKeyWithValue("outcome", "refused"),
				HaveKeyWithValue("detail", ContainSubstring(detail))))
			Expect(b.written()).To(BeEmpty())
			if path != "/" {
				Expect(decode(a.body)).To(HaveKeyWithValue("error_code", float64(status)))
			}
		},
		Entry("body too long", 413, "2000 bytes", "/", strings.Repeat("x", 2001)),
		Entry("partition", 400, "Samsa-Partition", "/", "x", "Samsa-Partition", "-1"),
		Entry("partition of too many digits", 400, "Samsa-Partition", "/", "x", "Samsa-Partition", "12345678901"),
		Entry("partition with zeros before it", 400, "Samsa-Partition", "/", "x", "Samsa-Partition", "1-01"),
		Entry("two partitions", 400, "it came 2 times", "/", "x", "Samsa-Partition", "1", "Samsa-Partition", "2"),
		Entry("timestamp", 400, "Samsa-Timestamp", "/", "x", "Samsa-Timestamp", "yesterday"),
		Entry("timestamp before 1970", 400, "Samsa-Timestamp", "/", "x", "Samsa-Timestamp", "-1"),
		Entry("timestamp beyond", 400, "Samsa-Timestamp", "/", "x", "Samsa-Timestamp", "999999999999999"),
		Entry("key in half an escape", 400, "%25", "/", "x", "Samsa-Key", "50%"),
		Entry("key in no escape", 400, "%25", "/", "x", "Samsa-Key", "%zz"),
		Entry("key in no base64", 400, "base64", "/", "x", "Samsa-Key-Base64", "a"),
		Entry("two keys", 400, "already", "/", "x", "Samsa-Key-Base64", "YQ==", "Samsa-Key", "a"),
		Entry("tombstone of a value", 400, "Tombstone", "/", "x", "Samsa-Tombstone", "true"),
		Entry("tombstone that is none", 400, "Tombstone", "/", "", "Samsa-Tombstone", "no"),
		Entry("a slip", 400, "there is none", "/", "x", "Samsa-Partiton", "1"),
		Entry("list of headers", 400, "neither", "/", "x", "Samsa-Header", "a"),
		Entry("header without a name", 400, "name must follow", "/", "x", "Samsa-Header-", "a"),
		Entry("too many headers", 431, "at most 100", "/", "x", "Samsa-Header", strings.Repeat("a=b,", 101)),
		Entry("headers too long", 431, "at most 32768", "/", "x", "Samsa-Key", strings.Repeat("k", 33<<10)),
		Entry("two content types", 415, "send one", "/", "x", contentType, "a/b", contentType, "c/d"),
		Entry("malformed content type", 415, "malformed", "/", "x", contentType, "a/b/c"),
		Entry("compressed", 415, "Content-Encoding", "/", "x", "Content-Encoding", "gzip"),
		Entry("form with parts", 415, "multipart", "/", "x", contentType, "multipart/form-data; boundary=x"),
		Entry("events in Avro", 415, "JSON", "/", "x", contentType, "application/cloudevents+avro"),
		Entry("records in the wrong place", 415, "/topics/TOPIC", "/", "{}", contentType, typeJSON),

		Entry("event without a type", 400, "attribute type", "/", "x", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s"),
		Entry("event without a version", 400, "specversion", "/", "x", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t"),
		Entry("event of another version", 400, "0.3", "/", "x", "Ce-Specversion", "0.3", "Ce-Id", "1"),
		Entry("event with an empty id", 400, "empty", "/", "x", "Ce-Specversion", "1.0", "Ce-Id", ""),
		Entry("event with a time that is none", 400, "RFC 3339", "/", "x", "Ce-Specversion", "1.0", "Ce-Time", "now"),
		Entry("event with a bad name", 400, "lower-case", "/", "x", "Ce-Specversion", "1.0", "Ce-A_b", "1"),
		Entry("event with control characters", 400, "control", "/", "x", "Ce-Specversion", "1.0", "Ce-Id", "%00"),
		Entry("event with a type of data", 400, "Content-Type", "/", "x", "Ce-Specversion", "1.0", "Ce-Datacontenttype", "a/b"),
		Entry("event with two ids", 400, "once", "/", "x", "Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Id", "2"),
		Entry("structured: no JSON", 400, "at byte 1", "/", "{", contentType, typeEvent),
		Entry("structured: null", 422, "null", "/", "null", contentType, typeEvent),
		Entry("structured: no source", 422, "source", "/", `{"specversion":"1.0","id":"1","type":"t"}`, contentType, typeEvent),
		Entry("structured: id of a number", 422, "", "/", `{"specversion":"1.0","id":{},"source":"s","type":"t"}`, contentType, typeEvent),
		Entry("structured: schema that is no text", 422, "a string", "/", goodEvent[:len(goodEvent)-1]+`,"dataschema":false}`, contentType, typeEvent),
		Entry("structured: type of data that is none", 422, "media type", "/", goodEvent[:len(goodEvent)-1]+`,"datacontenttype":"AAA"}`, contentType, typeEvent),
		Entry("structured: data twice", 422, "already", "/", goodEvent[:len(goodEvent)-1]+`,"data":1,"data_base64":"AA=="}`, contentType, typeEvent),
		Entry("structured: base64", 422, "base64", "/", goodEvent[:len(goodEvent)-1]+`,"data_base64":"A"}`, contentType, typeEvent),
		Entry("structured: twice", 422, "twice", "/", goodEvent[:len(goodEvent)-1]+`,"id":"2"}`, contentType, typeEvent),
		Entry("structured: large integer", 422, "32 bits", "/", goodEvent[:len(goodEvent)-1]+`,"a":2147483648}`, contentType, typeEvent),
		Entry("structured: tombstone", 400, "Tombstone", "/", goodEvent, contentType, typeEvent, "Samsa-Tombstone", "true"),
		Entry("batch: empty", 422, "no events", "/", "[]", contentType, typeBatch),
		Entry("batch: one is bad", 422, "event 1: ", "/", "["+goodEvent+",{}]", contentType, typeBatch),
		Entry("batch: too many", 413, "more than 3", "/", "["+strings.Repeat(goodEvent+",", 3)+goodEvent+"]", contentType, typeBatch),

		Entry("records: no type", 415, "want", "/topics/orders", "{}"),
		Entry("records: schemas", 415, "schemas", "/topics/orders", "{}", contentType, "application/vnd.kafka.avro.v2+json"),
		Entry("records: no JSON", 400, "too early", "/topics/orders", "{", contentType, typeJSON),
		Entry("records: no UTF-8", 400, "UTF-8", "/topics/orders", "{\"\xff\":1}", contentType, typeJSON),
		Entry("records: too deep", 400, "deep", "/topics/orders", `{"records":[{"value":`+strings.Repeat("[", 70), contentType, typeJSON),
		Entry("records: none", 422, "one at least", "/topics/orders", "{}", contentType, typeJSON),
		Entry("records: empty", 422, "one at least", "/topics/orders", `{"records":[]}`, contentType, typeJSON),
		Entry("records: a member", 422, "nothing", "/topics/orders", `{"nothing":1}`, contentType, typeJSON),
		Entry("records: a member of a record", 422, "records[0]", "/topics/orders", `{"records":[{"Value":1}]}`, contentType, typeJSON),
		Entry("records: twice", 422, "twice", "/topics/orders", `{"records":[{"value":1,"value":1}]}`, contentType, typeJSON),
		Entry("records: a schema", 422, "schemas", "/topics/orders", `{"key_schema_id":1}`, contentType, typeJSON),
		Entry("records: base64", 422, "base64", "/topics/orders", `{"records":[{"value":"*"}]}`, contentType, typeBinary),
		Entry("records: base64 with line breaks", 422, "base64", "/topics/orders", `{"records":[{"value":"YQ==\n"}]}`, contentType, typeBinary),
		Entry("records: text that is none", 422, "a number", "/topics/orders", `{"records":[{"value":1}]}`, contentType, typeText),
		Entry("records: partition", 422, "partition", "/topics/orders", `{"records":[{"partition":-1}]}`, contentType, typeJSON),
		Entry("records: partition of more than 32 bits, whatever is asked for", 422, "32 bits", "/topics/orders?compat=true",
			`{"records":[{"partition":2147483648}]}`, contentType, typeJSON),
		Entry("records: other partition", 422, "path says 1", "/topics/orders/partitions/1", `{"records":[{"partition":1}]}`, contentType, typeJSON),
		Entry("records: timestamp", 422, "timestamp", "/topics/orders", `{"records":[{"timestamp":-1}]}`, contentType, typeJSON),
		Entry("records: header without key", 422, "no key", "/topics/orders", `{"records":[{"headers":[{"value":"YQ=="}]}]}`, contentType, typeJSON),
		Entry("records: header of text", 422, "base64", "/topics/orders", `{"records":[{"headers":[{"key":"a","value":"a"}]}]}`, contentType, typeJSON),
		Entry("records: too many", 413, "more than 3", "/topics/orders", `{"records":[{},{},{},{}]}`, contentType, typeJSON),
		Entry("records: headers of the other path", 400, "Samsa-Key", "/topics/orders", `{}`, contentType, typeJSON, "Samsa-Key", "k"),
		Entry("records: query", 400, "query", "/topics/orders?a=%zz", `{}`, contentType, typeJSON),
		Entry("records: query of nonsense", 400, "async", "/topics/orders?async=1", `{}`, contentType, typeJSON),
	)

	It("is refused while as much is held as may be", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, MaxHeldBytes: 1}) // which becomes 2 MiB + 128 KiB
		first := make(chan answer)
		for range 2 {
			go func() {
				defer GinkgoRecover()
				first <- post(ctx, url, "/", strings.Repeat("x", 1<<20))
			}()
		}
		Eventually(func() int { return len(b.written()) }).Should(Equal(2))
		Expect(post(ctx, url, "/", strings.Repeat("x", 200<<10)).status).To(Equal(429))
		b.release()
		Expect((<-first).status).To(Equal(201))
		Expect((<-first).status).To(Equal(201))
	})

	It("is refused while the gateway ends, which readiness says and health does not", func(ctx SpecContext) {
		ready := error(nil)
		handler, url := serve(gateway.Config{Producer: &brokers{}, Ready: func() error { return ready }})
		Expect(send(ctx, "GET", url, "/readyz", nil).status).To(Equal(200))
		ready = errors.New("no broker is known")
		Expect(send(ctx, "GET", url, "/readyz", nil).status).To(Equal(503))
		ready = nil
		handler.Drain()
		Expect(send(ctx, "GET", url, "/readyz", nil).status).To(Equal(503))
		Expect(send(ctx, "GET", url, "/healthz", nil).status).To(Equal(200))
		a := post(ctx, url, "/", "x")
		Expect(a.status).To(Equal(503))
		Expect(a.header).To(HaveKey("Retry-After"))
	})

	It("is observed", func(ctx SpecContext) {
		seen := make(chan gateway.Observation, 1)
		observe := func(o gateway.Observation) { seen <- o }
		_, url := serve(gateway.Config{Producer: &brokers{}, Observe: observe, Now: theTime})
		post(ctx, url, "/", "hello")
		Expect(<-seen).To(Equal(gateway.Observation{Route: "/", Status: 201, Messages: 1, Written: 1, Bytes: 5}))
		post(ctx, url, "/topics/x/y", "hello")
		Expect(<-seen).To(Equal(gateway.Observation{Status: 404}))
		post(ctx, url, "/", frames("a", "b"), contentType, typeFrames)
		Expect(<-seen).To(And(HaveField("Messages", 2), HaveField("Written", 2), HaveField("Bytes", int64(10))))
	})
})

var _ = Describe("Records", func() {
	DescribeTable("have keys and values of", func(ctx SpecContext, kind, record string, key, value []byte) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/topics/orders/partitions/4", `{"records":[`+record+`],"key_schema":null}`, contentType, kind)
		Expect(a.status).To(Equal(200))
		Expect(a.body).To(MatchJSON(`{"key_schema_id":null,"value_schema_id":null,"offsets":[{"partition":4,"offset":0}]}`))
		Expect(a.header.Get(contentType)).To(Equal("application/vnd.kafka.v2+json"))
		Expect(b.written()).To(ConsistOf(kafka.Message{
			Partition: partition("4"), Key: key, Value: value, Timestamp: time.UnixMilli(7),
			Headers: []kafka.Header{{Key: "h", Value: []byte("a")}, {Key: "n"}},
		}))
	},
		Entry("any JSON", typeJSON, `{"key":{"a" : 1.0},"value":"text","timestamp":7,"headers":[{"key":"h","value":"YQ=="},{"key":"n"}]}`,
			[]byte(`{"a":1.0}`), []byte(`"text"`)),
		Entry("base64", typeBinary, `{"key":"","value":"AAE=","timestamp":7,"headers":[{"key":"h","value":"YQ=="},{"key":"n","value":null}]}`,
			[]byte{}, []byte{0, 1}),
		Entry("text", typeText+"; charset=utf-8", `{"key":null,"value":"é\ud83d\ude00","timestamp":7,"headers":[{"key":"h","value":"YQ=="},{"key":"n"}]}`,
			nil, []byte("é😀")),
	)

	DescribeTable("are answered as others do, on request", func(ctx SpecContext, path string, headers ...string) {
		b := &brokers{answer: func(i int, m kafka.Message) (client.Produced, error) {
			return client.Produced{Partition: partition("1-3"), Offset: -1, Held: true}, []error{refused(kafka.ErrBusy), nil}[i]
		}}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, path, `{"records":[{"value":1},{"value":2}]}`, append(headers, contentType, typeJSON)...)
		Expect(a.status).To(Equal(200))
		offsets := decode(a.body)["offsets"].([]any)
		Expect(offsets[0]).To(And(HaveKeyWithValue("error_code", 429.0), HaveKey("message"), HaveKey("error")))
		Expect(offsets[1]).To(Equal(object{"partition": "1-3", "offset": nil}))
	},
		Entry("by query", "/topics/orders?compat=true"),
		Entry("by query, and no body as well", "/topics/orders?compat=true&async=true"),
		Entry("by preference", "/topics/orders", "Prefer", "wait=5, Compat"),
	)

	It("are answered without a body, if that is asked for, once they are held", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/topics/orders?async=true", `{"records":[{"value":1}]}`, contentType, typeJSON)
		Expect([]any{a.status, a.body}).To(Equal([]any{204, ""}))
		b.answer = refusing(kafka.ErrUnavailable)
		a = post(ctx, url, "/topics/orders?async=true", `{"records":[{"value":1}]}`, contentType, typeJSON)
		Expect(a.status).To(Equal(503))
		Expect(a.header).To(HaveKey("Retry-After"))
		Expect(decode(a.body)).To(And(HaveKeyWithValue("error_code", 503.0), HaveKey("message"), HaveKey("offsets")))
	})
})

var _ = Describe("Brokers without headers", func() {
	It("get no headers, and events as JSON", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b, NoHeaders: true, Window: newWindow()})
		event := []string{"Ce-Specversion", "1.0", "Ce-Id", "1", "Ce-Source", "s", "Ce-Type", "t", "Ce-Partitionkey", "k"}
		for i, c := range []struct{ kind, body, data string }{
			{"application/json", `{"a":1}`, `"datacontenttype":"application/json","data":{"a":1}`},
			{"text/plain", "a\"b", `"datacontenttype":"text/plain","data":"a\"b"`},
			{"application/json", "{", `"datacontenttype":"application/json","data_base64":"ew=="`},
			{"", "\xff", `"data_base64":"/w=="`},
		} {
			headers := append(event, "Idempotency-Key", fmt.Sprint(i))
			if c.kind != "" {
				headers = append(headers, contentType, c.kind)
			}
			Expect(post(ctx, url, "/", c.body, headers...).status).To(Equal(201))
			Expect(b.written()[i].Headers).To(BeEmpty())
			Expect(b.written()[i].Key).To(Equal([]byte("k")))
			Expect(b.written()[i].Value).To(MatchJSON(
				`{"specversion":"1.0","id":"1","source":"s","type":"t","partitionkey":"k",` + c.data + "}"))
		}
		Expect(post(ctx, url, "/", goodEvent, contentType, typeEvent).status).To(Equal(201))
		Expect(post(ctx, url, "/", "x", "Samsa-Header-A", "b").status).To(Equal(422))
		records := `{"records":[{"headers":[{"key":"a","value":"YQ=="}]}]}`
		Expect(post(ctx, url, "/topics/orders", records, contentType, typeJSON).status).To(Equal(422))
		Expect(b.written()).To(HaveLen(5))
	})
})

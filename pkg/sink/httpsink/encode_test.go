// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/samsa-dev/samsa/pkg/kafka"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/sinktest"
)

var (
	orders = kafka.Partition{Topic: "orders", ID: "3"}
	claim  = sink.Claim{Group: "billing", Token: 1 << 40}
)

// travel makes a request as a sink does, and reads it back from its bytes as a server does.
func travel(t testing.TB, config Config, message kafka.Message) *http.Request {
	t.Helper()
	config.URL = "http://sink.test/in"
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	a := newAttempt()
	a.bind(t.Context(), s.template)
	defer a.release()
	a.begin(time.Hour)
	defer a.end()
	s.encoder.encode(a, claim, message)
	var wire bytes.Buffer
	if err := a.fill(message.Value).Write(&wire); err != nil {
		t.Fatal(err)
	}
	request, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("%v in %q", err, wire.String())
	}
	return request
}

func expectRoundTrip(t testing.TB, format Format, message kafka.Message) {
	t.Helper()
	got, gotClaim, err := Decode(travel(t, Config{Format: format}, message), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if problem := sinktest.Difference(got, message); problem != "" {
		t.Error(problem)
	}
	if gotClaim != claim {
		t.Errorf("claim is %+v, want %+v", gotClaim, claim)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, format := range []Format{Raw, CloudEventsBinary} {
		for _, message := range sinktest.Messages(kafka.Partition{Topic: "ü/ topic", ID: "1-3"}, 84) {
			expectRoundTrip(t, format, message)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	for i, m := range sinktest.Messages(orders, 12) {
		f.Add("orders", "3", m.Offset, m.Index, m.Key, m.Value, "name\xff, !=", m.Value, uint8(i), m.Timestamp.UnixMilli())
	}
	f.Fuzz(func(t *testing.T, topic, id string, offset int64, index int32, key, value []byte,
		name string, headerValue []byte, shape uint8, millis int64,
	) {
		message := kafka.Message{
			Partition: kafka.Partition{Topic: topic, ID: id}, Offset: offset, Index: max(index, 0), Key: key, Value: value,
			Headers:   []kafka.Header{{Key: name, Value: headerValue}, {Key: name}, {Key: string(key), Value: value}},
			Timestamp: time.UnixMilli(millis),
		}
		if shape&1 != 0 {
			message.Key = nil
		}
		if shape&2 != 0 {
			message.Value = nil
		}
		if shape&4 != 0 {
			message.Headers, message.Timestamp = nil, time.Time{}
		}
		expectRoundTrip(t, Format(shape>>3&1), message)
	})
}

// FuzzDecode: whatever comes, what is accepted means the same after another journey.
func FuzzDecode(f *testing.F) {
	f.Add("orders", "3", "42", "", "7", "key%20", "a=b, c!", "body")
	f.Add("%zz", "%", "-", "1", "x", "\x00", "=", "")
	f.Add("a", "b", "9999999999999999999", "0", "1", "%ff%FF", ",,a!, ,!", "x")
	f.Fuzz(func(t *testing.T, topic, id, offset, index, timestamp, key, headers, body string) {
		request := &http.Request{Header: http.Header{
			headerTopic: {topic}, headerPartition: {id}, headerOffset: {offset}, headerKey: {key}, headerHeader: {headers},
			headerTimestamp: {timestamp}, headerGroup: {"billing"}, headerClaim: {"1099511627776"},
		}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
		if index != "" {
			request.Header.Set(headerIndex, index)
		}
		message, _, err := Decode(request, 100)
		if err != nil {
			return
		}
		if len(message.Value) > 100 {
			t.Fatalf("%d bytes were read, 100 are allowed", len(message.Value))
		}
		expectRoundTrip(t, Raw, message)
	})
}

func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"no delivery": {func(r *http.Request) { r.Header = http.Header{} },
			"header Samsa-Topic: there are 0, there must be 1: is this a delivery of samsa's?"},
		"two offsets": {func(r *http.Request) { r.Header.Add(headerOffset, "43") },
			"header Samsa-Offset: there are 2, there must be 1: is this a delivery of samsa's?"},
		"no number": {func(r *http.Request) { r.Header.Set(headerIndex, "0") },
			`header Samsa-Index: "0" is no number from 1 to 2147483647`},
		"bad escape": {func(r *http.Request) { r.Header.Set(headerKey, "a%g0") },
			`header Samsa-Key: "%g0" at 1 is no %XX`},
		"cut escape": {func(r *http.Request) { r.Header.Set(headerKey, "a%2") },
			"header Samsa-Key: it ends within %XX"},
		"bare byte": {func(r *http.Request) { r.Header.Set(headerKey, "a b") },
			"header Samsa-Key: byte 0x20 at 1 must be written as %20"},
		"after null": {func(r *http.Request) { r.Header.Set(headerHeader, "a!b") },
			`header Samsa-Header: "a!b" goes on after !, which says that the value is null`},
		"announced too long": {func(r *http.Request) { r.ContentLength = 1 << 50 },
			"body: 1125899906842624 bytes are more than 10"},
		"too long": {func(r *http.Request) { r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader("hello, world")) },
			"body: more than 10 bytes"},
		"tombstone with body": {func(r *http.Request) { r.Header.Set(headerTombstone, "true") },
			"Samsa-Tombstone: a null value came with a body"},
	} {
		t.Run(name, func(t *testing.T) {
			request := travel(t, Config{}, kafka.Message{Partition: orders, Key: []byte("k"), Value: []byte("hello")})
			test.change(request)
			if _, _, err := Decode(request, 10); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestDecodeJoined: a proxy may join lines, split lists and change blanks.
func TestDecodeJoined(t *testing.T) {
	message := kafka.Message{Partition: orders, Value: []byte{}, Headers: []kafka.Header{
		{Key: "a", Value: []byte("1, 2")}, {Key: "a"}, {Key: "", Value: []byte{}}, {Key: ""},
	}}
	request := travel(t, Config{}, message)
	for _, lines := range [][]string{{"a=1%2C%202,a!,\t=,!"}, {"a=1%2c%202 ,, a!", "", "=", " ! "}} {
		request.Header[headerHeader] = lines
		got, _, err := Decode(request, 10)
		if err != nil {
			t.Fatal(err)
		}
		if problem := sinktest.Difference(got, message); problem != "" {
			t.Errorf("%q: %s", lines, problem)
		}
	}
}

func TestRequestOnTheWire(t *testing.T) {
	config := Config{Headers: map[string]string{"x-team": "billing"}, ContentType: "text/plain"}
	request := travel(t, config, kafka.Message{
		Partition: kafka.Partition{Topic: "orders", ID: "1-3"}, Offset: 42, Index: 2, Timestamp: time.UnixMilli(1700),
		Key: []byte("ü 1"), Value: []byte("hello"), Headers: []kafka.Header{{Key: "a", Value: []byte("1,2")}, {Key: "b"}},
	})
	want := http.Header{
		"User-Agent": {"samsa"}, "X-Team": {"billing"}, "Content-Type": {"text/plain"}, "Content-Length": {"5"},
		"Samsa-Topic": {"orders"}, "Samsa-Partition": {"1-3"}, "Samsa-Offset": {"42"}, "Samsa-Index": {"2"},
		"Idempotency-Key": {"orders/1-3/42.2"}, "Samsa-Timestamp": {"1700"},
		"Samsa-Key": {"%C3%BC%201"}, "Samsa-Header": {"a=1%2C2, b!"},
		"Samsa-Group": {"billing"}, "Samsa-Claim": {"1099511627776"},
	}
	for name := range want {
		if strings.Join(request.Header[name], "|") != want[name][0] {
			t.Errorf("%s is %q, want %q", name, request.Header[name], want[name])
		}
	}
	if len(request.Header) != len(want) {
		t.Errorf("there are %d headers, want %d: %v", len(request.Header), len(want), request.Header)
	}
}

// TestEventsByTheirSDK reads our requests with CloudEvents' own library.
func TestEventsByTheirSDK(t *testing.T) {
	for i, message := range sinktest.Messages(orders, 60) {
		request := travel(t, Config{Format: CloudEventsBinary}, message)
		event, err := cloudevents.NewEventFromHTTPRequest(request)
		if err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
		if err := event.Validate(); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
		if event.ID() != message.ID() || event.Source() != "/kafka/orders#3" || event.SpecVersion() != "1.0" ||
			event.Type() != "dev.samsa.kafka.message" || !bytes.Equal(event.Data(), message.Value) {
			t.Errorf("message %d became %s", i, event)
		}
		if want := "partition:3#" + message.ID()[len("orders/3/"):][:4]; event.Subject() != want {
			t.Errorf("message %d: subject is %q, want %q", i, event.Subject(), want)
		}
		if !event.Time().Equal(message.Timestamp) {
			t.Errorf("message %d: time is %s, want %s", i, event.Time(), message.Timestamp)
		}
		key, _ := event.Extensions()["partitionkey"].(string)
		if key = decoded(t, key); validText(message.Key) != (key == string(message.Key)) {
			t.Errorf("message %d: partitionkey is %q, the key %q", i, key, message.Key)
		}
	}
}

// decoded does what the binding demands of receivers (§3.1.3.2) and the SDK, as of 2.16, leaves out.
func decoded(t *testing.T, value string) string {
	t.Helper()
	text, err := unescape(value, inText)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEventsPassThrough(t *testing.T) {
	message := kafka.Message{Partition: orders, Offset: 1, Value: []byte(`{"a":1}`), Headers: []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("A 234%")},
		{Key: "ce_source", Value: []byte("/mycontext")}, {Key: "ce_type", Value: []byte("com.example.ü")},
		{Key: "ce_myext", Value: []byte("x \"y\"")}, {Key: "content-type", Value: []byte("application/json; charset=utf-8")},
	}}
	request := travel(t, Config{Format: CloudEventsBinary}, message)
	if got := request.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("content type is %q", got)
	}
	if got := request.Header.Get(headerIdempotencyKey); got != "orders/3/1" {
		t.Errorf("idempotency key is %q: it is the delivery's, not the event's", got)
	}
	for name, want := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": "A%20234%25", "Ce-Source": "/mycontext",
		"Ce-Type": "com.example.%C3%BC", "Ce-Myext": "x%20%22y%22", "Ce-Subject": "", "Ce-Partitionkey": "",
	} {
		if got := request.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := event.Validate(); err != nil {
		t.Error(err)
	}
	expectRoundTrip(t, CloudEventsBinary, message)
}

func TestStructuredEventsPassThrough(t *testing.T) {
	const value = `{"specversion":"1.0","id":"7","source":"/s","type":"t","data":{"a":1}}`
	request := travel(t, Config{Format: CloudEventsBinary}, kafka.Message{
		Partition: orders, Value: []byte(value),
		Headers: []kafka.Header{{Key: "content-type", Value: []byte("application/cloudevents+json")}},
	})
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	if event.ID() != "7" || event.Source() != "/s" || event.Type() != "t" {
		t.Errorf("became %s", event)
	}
}

// TestHalfEventsAreData: what would be no valid event is wrapped in one.
func TestHalfEventsAreData(t *testing.T) {
	whole := []kafka.Header{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("1")},
		{Key: "ce_source", Value: []byte("/s")}, {Key: "ce_type", Value: []byte("t")},
	}
	for i := range whole {
		half := append(append([]kafka.Header{}, whole[:i]...), whole[i+1:]...)
		expectWrapped(t, half)
	}
	expectWrapped(t, append(whole[:4:4], kafka.Header{Key: "ce_bad name", Value: []byte("x")}))
	expectWrapped(t, append(whole[:4:4], kafka.Header{Key: "ce_ext", Value: []byte("\xff")}))
	expectWrapped(t, append(whole[:4:4], kafka.Header{Key: "ce_", Value: []byte("x")}))
	expectWrapped(t, append(whole[:4:4], kafka.Header{Key: "content-type", Value: []byte("a\r\nEvil: 1")},
		kafka.Header{Key: "ce_id"}))
}

func expectWrapped(t *testing.T, headers []kafka.Header) {
	t.Helper()
	message := kafka.Message{Partition: orders, Value: []byte("x"), Headers: headers}
	request := travel(t, Config{Format: CloudEventsBinary}, message)
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	if event.ID() != "orders/3/0" || event.DataContentType() != "application/octet-stream" || event.Validate() != nil {
		t.Errorf("%q became %s", headers, event)
	}
}

// TestSourceIsURI: any topic's name makes a URI reference.
func TestSourceIsURI(t *testing.T) {
	request := travel(t, Config{Format: CloudEventsBinary, CloudEvents: CloudEvents{Source: "https://k.test/prod"}},
		kafka.Message{Partition: kafka.Partition{Topic: "a b#c/ü", ID: "3"}, Value: []byte("x")})
	event, err := cloudevents.NewEventFromHTTPRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	const want = "https://k.test/prod/a%20b%23c%2F%C3%BC#3"
	source := decoded(t, event.Source())
	if parsed, err := url.Parse(source); err != nil || source != want || parsed.Fragment != "3" {
		t.Errorf("source is %q, want %q (%v)", source, want, err)
	}
}

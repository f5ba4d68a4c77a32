// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/gateway"
	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// frames is a stream of values with their lengths.
func frames(values ...string) string {
	var stream []byte
	for _, value := range values {
		stream = binary.BigEndian.AppendUint32(stream, uint32(len(value))) //nolint:gosec // short
		stream = append(stream, value...)
	}
	return string(stream)
}

// lines are the results of a stream.
func lines(a answer) (results []object) {
	GinkgoHelper()
	Expect(a.header.Get(contentType)).To(Equal(typeLines))
	for line := range strings.SplitSeq(strings.TrimSuffix(a.body, "\n"), "\n") {
		results = append(results, decode(line))
	}
	return results
}

func statuses(results []object) (statuses []int) {
	for _, result := range results {
		statuses = append(statuses, int(result["status"].(float64)))
	}
	return statuses
}

func values(messages []kafka.Message) (values []string) {
	for _, m := range messages {
		values = append(values, string(m.Value))
	}
	return values
}

// conversation is a stream whose sender reads the results while it sends.
type conversation struct {
	body    *io.PipeWriter
	results *bufio.Reader
	status  int
}

func converse(ctx context.Context, url, kind, first string) *conversation {
	GinkgoHelper()
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, reader)
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set(contentType, kind)
	go func() { _, _ = io.WriteString(writer, first) }()
	response, err := http.DefaultClient.Do(request) //nolint:bodyclose // with the spec
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { writer.Close(); response.Body.Close() })
	return &conversation{body: writer, results: bufio.NewReader(response.Body), status: response.StatusCode}
}

func (c *conversation) say(text string) {
	GinkgoHelper()
	_, err := io.WriteString(c.body, text)
	Expect(err).NotTo(HaveOccurred())
}

func (c *conversation) hear() object {
	GinkgoHelper()
	line, err := c.results.ReadString('\n')
	Expect(err).NotTo(HaveOccurred())
	return decode(line)
}

var _ = Describe("A stream", func() {
	It("of lines has a result for each message, in order, whenever the brokers answer", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b})
		done := make(chan answer)
		go func() {
			defer GinkgoRecover()
			done <- post(ctx, url, "/", `{"value":"a","key":"k","partition":3,"timestamp":5,`+
				`"headers":[{"key":"h","value":"text"},{"key":"n","value":null},{"key":"b","valueBase64":"AAE="}]}`+"\r\n\n"+
				`{"valueBase64":"AAE=","partition":"1-3"}`+"\n"+`{"valueJSON":{"x": 1.00}}`+"\n"+`{"value":null}`,
				contentType, typeLines, "Samsa-Key", "default")
		}()
		Eventually(func() int { return len(b.written()) }).Should(Equal(4))
		b.release()
		a := <-done
		Expect(a.status).To(Equal(200))
		Expect(statuses(lines(a))).To(Equal([]int{201, 201, 201, 201}))
		for i, result := range lines(a) {
			Expect(result).To(HaveKeyWithValue("offset", float64(i)))
		}
		got := b.written()
		Expect(got[0]).To(Equal(kafka.Message{
			Partition: partition("3"), Key: []byte("k"), Value: []byte("a"), Timestamp: time.UnixMilli(5),
			Headers: []kafka.Header{{Key: "h", Value: []byte("text")}, {Key: "n"}, {Key: "b", Value: []byte{0, 1}}},
		}))
		Expect(got[1]).To(Equal(kafka.Message{Partition: partition("1-3"), Key: []byte("default"), Value: []byte{0, 1}}))
		Expect(string(got[2].Value)).To(Equal(`{"x": 1.00}`))
		Expect(got[3].Value).To(BeNil())
	})

	It("of frames is any bytes, across any boundary", func(ctx SpecContext) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b})
		want := []string{"", "a", "\n\x00\xff", strings.Repeat("b", 200_000), strings.Repeat("c", 1<<20)}
		for i := range 5000 {
			want = append(want, fmt.Sprint("message ", i))
		}
		a := post(ctx, url, "/", frames(want...), contentType, typeFrames, "Samsa-Partition", "7")
		Expect(statuses(lines(a))).To(HaveEach(201))
		Expect(lines(a)).To(HaveLen(len(want)))
		Expect(values(b.written())).To(Equal(want))
		Expect(b.written()).To(HaveEach(HaveField("Partition.ID", "7")))
	})

	It("answers while it goes on", func(ctx SpecContext) {
		_, url := serve(gateway.Config{Producer: &brokers{}})
		c := converse(ctx, url, typeLines, `{"value":"a"}`+"\n")
		Expect(c.status).To(Equal(207)) // what comes is not known
		Expect(c.hear()).To(HaveKeyWithValue("offset", 0.0))
		c.say(`{"value":"b"}` + "\n")
		Expect(c.hear()).To(HaveKeyWithValue("offset", 1.0))
		Expect(c.body.Close()).To(Succeed())
		_, err := c.results.ReadString('\n')
		Expect(err).To(MatchError(io.EOF))
	})

	DescribeTable("has the status of its messages", func(ctx SpecContext, body string, errs []error, all int, each []int) {
		b := &brokers{answer: func(i int, m kafka.Message) (client.Produced, error) {
			return client.Produced{Partition: partition("0"), Held: true}, errs[i]
		}}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/", body, contentType, typeLines)
		Expect(a.status).To(Or(Equal(all), Equal(207))) // it may be faster than the end of its body
		Expect(statuses(lines(a))).To(Equal(each))
	},
		Entry("some", "{\"value\":\"1\"}\n{\"value\":\"2\"}", twice(nil, refused(kafka.ErrUnavailable)), 207, []int{201, 503}),
		Entry("none", "{\"value\":\"1\"}\n{\"value\":\"2\"}", twice(refused(kafka.ErrUnavailable), errors.New("x")), 504, []int{503, 504}),
		Entry("a line that is none", "{\"value\":\"1\"}\n{\"valu\":1}\n{\n{\"value\":\"2\"}", twice(nil, nil), 207, []int{201, 422, 400, 201}),
	)

	DescribeTable("ends where it cannot be read on", func(ctx SpecContext, kind, body string, each []int, detail string) {
		b := &brokers{}
		_, url := serve(gateway.Config{Producer: b, MaxBodyBytes: 20})
		a := post(ctx, url, "/", body, contentType, kind)
		Expect(statuses(lines(a))).To(Equal(each))
		results := lines(a)
		Expect(results[len(results)-1]).To(HaveKeyWithValue("detail", ContainSubstring(detail)))
	},
		Entry("a frame too long", typeFrames, frames("a", strings.Repeat("b", 21), "c"), []int{201, 413}, "21 bytes"),
		Entry("a length of nonsense", typeFrames, "{\"value\"", []int{413}, "4 bytes of length"),
		Entry("a frame cut off", typeFrames, frames("a", "bcd")[:11], []int{201, 400}, "2 of 3 bytes"),
		Entry("a length cut off", typeFrames, frames("a", "b")[:7], []int{201, 400}, "within the length"),
		Entry("a line too long", typeLines, "{\"value\":\"a\"}\n"+strings.Repeat("b", 21)+"\n{}\n", []int{201, 413}, "at most 20"),
		Entry("a line without end too long", typeLines, strings.Repeat("b", 300_000), []int{413}, "at most 20"),
	)

	DescribeTable("is refused", func(ctx SpecContext, status int, body string, headers ...string) {
		_, url := serve(gateway.Config{Producer: &brokers{}, MaxHeldBytes: 1 << 20, Window: newWindow()})
		Expect(post(ctx, url, "/", body, append(headers, contentType, typeLines)...).status).To(Equal(status))
	},
		Entry("without a message", 400, "\n\n"),
		Entry("with a key for all", 400, "{}", "Idempotency-Key", "k"),
		Entry("with null for all", 400, "{}", "Samsa-Tombstone", "true"),
	)

	It("waits for room, and keeps the order", func(ctx SpecContext) {
		tries := 0
		b := &brokers{}
		b.answer = func(i int, m kafka.Message) (client.Produced, error) {
			if tries++; tries%3 != 0 {
				return client.Produced{}, refused(kafka.ErrBusy)
			}
			return client.Produced{Partition: partition("0"), Offset: int64(i), Held: true}, nil
		}
		_, url := serve(gateway.Config{Producer: b})
		a := post(ctx, url, "/", frames("a", "b", "c"), contentType, typeFrames)
		Expect(statuses(lines(a))).To(Equal([]int{201, 201, 201}))
		Expect(strings.Join(values(b.written()), "")).To(Equal("aaabbbccc"))
	})

	It("does not read on while too much is underway", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b})
		value := strings.Repeat("x", 1<<20)
		c := make(chan answer)
		go func() {
			defer GinkgoRecover()
			c <- post(ctx, url, "/", strings.Repeat(frames(value), 80), contentType, typeFrames)
		}()
		Eventually(func() int { return len(b.written()) }).Should(Equal(19)) // streamBytes
		Consistently(func() int { return len(b.written()) }, 100*time.Millisecond).Should(Equal(19))
		Eventually(func() int { b.release(); return len(c) + len(b.written()) }).Should(BeNumerically(">=", 80))
		Eventually(func() bool {
			b.release()
			select {
			case a := <-c:
				Expect(lines(a)).To(HaveLen(80))
				return true
			default:
				return false
			}
		}).Should(BeTrue())
	})

	It("leaves a message's bytes alone until its outcome is known", func(ctx SpecContext) {
		p := &keeper{}
		_, url := serve(gateway.Config{Producer: p})
		const each, size = 2000, 1 << 10 // 16 blocks of 128 KiB
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				defer GinkgoRecover()
				var body strings.Builder
				for i := range each {
					body.WriteString(frames(fmt.Sprintf("%0*d", size, i)))
				}
				a := post(ctx, url, "/", body.String(), contentType, typeFrames)
				Expect(statuses(lines(a))).To(And(HaveLen(each), HaveEach(201)))
			})
		}
		group.Wait()
		Expect(p.changed.Load()).To(BeZero())
	})

	It("says of a message that it is unknown, and goes on", func(ctx SpecContext) {
		b := &brokers{later: true}
		_, url := serve(gateway.Config{Producer: b, RequestTimeout: 50 * time.Millisecond})
		a := post(ctx, url, "/", frames("a", "b"), contentType, typeFrames)
		Expect(statuses(lines(a))).To(Equal([]int{504, 504}))
		b.release()
	})

	It("ends when the gateway does, with a line that says so", func(ctx SpecContext) {
		handler, url := serve(gateway.Config{Producer: &brokers{}})
		c := converse(ctx, url, typeLines, `{"value":"a"}`+"\n")
		Expect(c.hear()).To(HaveKeyWithValue("status", 201.0))
		handler.Drain()
		Expect(c.hear()).To(And(HaveKeyWithValue("status", 503.0), HaveKeyWithValue("outcome", "refused")))
		_, err := c.results.ReadString('\n')
		Expect(err).To(MatchError(io.EOF))
	})

	It("gives each message its time, however long its caller's rate kept it", func(ctx SpecContext) {
		limiter := caller.NewLimiter(caller.Limits{MessagesPerSecond: 20}, time.Now)
		const timeout = 300 * time.Millisecond
		_, url := serve(gateway.Config{Producer: afterwards{}, Limiter: limiter, RequestTimeout: timeout})
		a := post(ctx, url, "/", strings.Repeat(frames("x"), 30), contentType, typeFrames)
		Expect(statuses(lines(a))).To(And(HaveLen(30), HaveEach(201))) // ten of them 50 ms apart
	})

	It("keeps to its caller's rate", func(ctx SpecContext) {
		limiter := caller.NewLimiter(caller.Limits{BytesPerSecond: 10_000}, time.Now)
		_, url := serve(gateway.Config{Producer: &brokers{}, Limiter: limiter})
		began := time.Now()
		a := post(ctx, url, "/", strings.Repeat(frames(strings.Repeat("x", 1000)), 13), contentType, typeFrames)
		Expect(lines(a)).To(HaveLen(13))
		Expect(time.Since(began)).To(BeNumerically(">", 100*time.Millisecond)) // ten in the first second's worth
	})
})

// afterwards is a Producer that answers in a moment.
type afterwards struct{}

func (afterwards) Produce(_ context.Context, _ kafka.Message, done func(client.Produced, error)) {
	time.AfterFunc(10*time.Millisecond, func() { done(client.Produced{Offset: 1, Timestamp: theTime(), Held: true}, nil) })
}

// keeper is a Producer that keeps messages for a while, and looks whether they changed meanwhile.
type keeper struct {
	mu      sync.Mutex
	kept    []func()
	changed atomic.Int64
}

func (k *keeper) Produce(_ context.Context, m kafka.Message, done func(client.Produced, error)) {
	before := kept(m)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kept = append(k.kept, func() {
		if !bytes.Equal(m.Value, before.Value) {
			k.changed.Add(1)
		}
		done(client.Produced{Offset: 1, Timestamp: theTime(), Held: true}, nil)
	})
	if len(k.kept) < 250 { // some two blocks
		return
	}
	for _, tell := range k.kept {
		tell()
	}
	k.kept = nil
}

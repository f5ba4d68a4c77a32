// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/realkafka"
)

// The labels of the embedded brokers.
const (
	embedded = "embedded"
	oldest   = "0.7"
)

// eras are the Kafka that specs are about, by their labels.
var eras = map[string]world.Era{"4": world.Era4, "3.9": world.Era39, embedded: world.Modern, oldest: world.Era07}

const (
	topic = "orders"
	// strict is a topic whose brokers want a key with every message.
	strict = "strict"
	// brokers is how many there are; each leads one partition of a topic, of which it has the only copy.
	brokers = 3
)

const (
	// mostBody and mostMessage are the limits of a body and of a message, in bytes.
	mostBody, mostMessage = 64 << 10, 32_000
	// mostBuffered is what a gateway holds, the least that it can be told.
	mostBuffered = 1 << 20
	// impatience is the time of a message where brokers are to fail.
	impatience = 1500 * time.Millisecond
	// hurry is the time that a body has where it is to come slowly.
	hurry = time.Second
)

// stage is what specs of one Kafka play on.
type stage struct {
	label   string
	era     world.Era
	world   *world.World
	kube    *kubernetes
	reader  reader
	client  *http.Client
	process map[string]*process
	book    *book

	document document
	// deleted is the token of an account that is deleted in the course of the specs.
	deleted string
	// away says that brokers are down, so that nobody can be asked what topics hold.
	away bool
	// mu guards what follows.
	mu      sync.Mutex
	reached map[reach]bool
}

// reach is a promise that was seen to be kept.
type reach struct {
	method, route, media string
	status               int
}

// headers says that brokers store headers, and keys with them.
func (s *stage) headers() bool { return s.era != world.Era07 }

// partition is the name of the one that broker n leads.
func (s *stage) partition(n int) string {
	if s.era == world.Era07 {
		return fmt.Sprintf("%d-0", n)
	}
	return fmt.Sprint(n)
}

// raise starts everything.
func (s *stage) raise(ctx context.Context) {
	GinkgoHelper()
	if s.era.Real() {
		Expect(realkafka.Available(string(s.era))).To(Succeed()) // it was asked for
	}
	s.reached, s.process = map[reach]bool{}, map[string]*process{}
	s.kube = startKubernetes()
	s.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	DeferCleanup(s.client.CloseIdleConnections)
	var err error
	s.world, err = world.Start(ctx, world.Config{
		Era: s.era, Brokers: brokers, Topics: map[string]int32{topic: brokers},
	})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(s.world.Close()).To(Succeed()) })
	if s.era == world.Modern { // which deals leaders out at random
		for n := range int32(brokers) {
			Expect(s.world.Kafka.Fake().MoveTopicPartition(topic, n, n)).To(Succeed())
		}
	}
	s.open(ctx)
	s.book = newBook(s.reader, s.headers())
	for name, config := range s.gateways() {
		s.process[name] = launch(name, config, "KUBECONFIG="+s.kube.config())
	}
	for _, p := range s.process {
		p.await(ctx)
	}
	s.learn(ctx)
}

// open makes the topics' readers.
func (s *stage) open(ctx context.Context) {
	GinkgoHelper()
	addresses := s.world.Brokers().Addrs()
	if s.era == world.Era07 {
		s.reader = newAncient(addresses, topic, s.world.Brokers().Partitions(topic))
		return
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(addresses...))
	Expect(err).NotTo(HaveOccurred())
	defer client.Close()
	compacted := "compact"
	_, err = kadm.NewClient(client).CreateTopic(ctx, 1, 1, map[string]*string{"cleanup.policy": &compacted}, strict)
	Expect(err).NotTo(HaveOccurred())
	s.reader, err = newModern(addresses, map[string]int32{topic: brokers, strict: 1})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { s.reader.close() })
}

// settings are what one gateway has for itself.
type settings struct{ topic, cluster, http, auth, produce, limits string }

// gateways are the configurations of all, by name.
func (s *stage) gateways() map[string]string {
	tokens := func(mode, more string) string {
		return fmt.Sprintf("type: ServiceAccount, serviceAccount: {audience: %s, mode: %s, allow: [{namespace: shop}]%s}",
			audience, mode, more)
	}
	// What comes together goes together: then there is one request to stall, with all of it.
	quick := fmt.Sprintf("timeout: %s, linger: %s, maxBufferedBytes: %d", impatience, impatience/10, mostBuffered)
	all := map[string]settings{
		"main":     {},
		"unheard":  {produce: "acks: none"},
		"reviewed": {auth: tokens("TokenReview", "")},
		"guarded": {
			auth:   tokens("JWKS", fmt.Sprintf(", issuer: %q, jwksUrl: %q", issuer, s.kube.URL+"/openid/v1/jwks")),
			limits: "messagesPerSecond: 1, concurrent: 2",
		},
		"blind":  {auth: tokens("JWKS", fmt.Sprintf(", issuer: %q, jwksUrl: 'http://127.0.0.1:1'", issuer))},
		"lost":   {topic: "nowhere"},
		"lonely": {cluster: "bootstrapServers: ['127.0.0.1:1']"},
		"hasty":  {http: fmt.Sprintf(", bodyTimeout: %s", hurry)},
		"quick":  {produce: quick},
		"moving": {produce: quick + ", keyedMoves: true"},
		"strict": {topic: strict},
	}
	configs := map[string]string{}
	for name, of := range all {
		configs[name] = s.config(of)
	}
	return configs
}

func (s *stage) config(of settings) string {
	if of.cluster == "" {
		of.cluster = fmt.Sprintf("zookeeper: {connect: %q}", s.world.Connect())
		if addresses := s.world.Bootstrap(); len(addresses) > 0 {
			of.cluster = "bootstrapServers: ['" + strings.Join(addresses, "','") + "']"
		}
	}
	for value, otherwise := range map[*string]string{
		&of.topic: topic, &of.auth: "type: None", &of.produce: "timeout: 15s",
	} {
		if *value == "" {
			*value = otherwise
		}
	}
	return fmt.Sprintf(`
topic: %s
cluster: {%s, maxMessageBytes: %d}
http: {address: '127.0.0.1:0', internalAddress: '127.0.0.1:0', drainDelay: 0s, maxBodyBytes: %d%s}
auth: {%s}
produce: {%s}
limits: {%s}
`, of.topic, of.cluster, mostMessage, mostBody, of.http, of.auth, of.produce, of.limits)
}

// learn waits until gateways have found the cluster, and reads what they promise.
func (s *stage) learn(ctx context.Context) {
	GinkgoHelper()
	for name, p := range s.process {
		if name == "lonely" {
			continue
		}
		Eventually(ctx, func() int {
			return s.get(ctx, p, "/readyz").status
		}).Should(Equal(http.StatusOK), p.log.text)
	}
	var err error
	s.document, err = parseDocument(s.get(ctx, s.process["main"], "/openapi.json").body)
	Expect(err).NotTo(HaveOccurred())
}

func (s *stage) get(ctx context.Context, p *process, path string) *answer {
	GinkgoHelper()
	return s.do(ctx, p, request{method: http.MethodGet, path: path, header: http.Header{}})
}

// do sends a request, which has to be answered.
func (s *stage) do(ctx context.Context, p *process, r request) *answer {
	GinkgoHelper()
	a, err := s.try(ctx, p, r)
	Expect(err).NotTo(HaveOccurred(), p.log.text)
	return a
}

func (s *stage) try(ctx context.Context, p *process, r request) (*answer, error) {
	sent, err := http.NewRequestWithContext(ctx, r.method, "http://"+p.address+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	sent.Header = r.header
	response, err := s.client.Do(sent)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, body, response.Close}, err
}

// exchange sends a request in a format and holds the answer to the document, and the topic to the answer.
func (s *stage) exchange(ctx context.Context, p *process, f *format, r request, sent ...message) *answer {
	GinkgoHelper()
	a := s.do(ctx, p, r)
	s.judge(f, a, sent...)
	return a
}

// judge notes what an answer says of each message that was sent.
func (s *stage) judge(f *format, a *answer, sent ...message) {
	GinkgoHelper()
	s.keep(http.MethodPost, f.route, f.media, a)
	results, err := a.results(f, len(sent))
	Expect(err).NotTo(HaveOccurred())
	Expect(results).To(HaveLen(len(sent)), a.String())
	for i, m := range sent {
		s.book.note(f, m, results[i], a)
	}
}

// keep notes that a promise was kept.
func (s *stage) keep(method, route, media string, a *answer) {
	GinkgoHelper()
	Expect(s.document.broken(method, route, a)).To(BeEmpty(), a.String())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reached[reach{method, route, media, a.status}] = true
}

// publish sends messages in a format, with further headers: name, value, ....
func (s *stage) publish(ctx context.Context, p *process, f *format, sent []message, headers ...string) *answer {
	GinkgoHelper()
	r := f.make(f, topic, s.partition(0), sent)
	for i := 0; i < len(headers); i += 2 {
		r.header.Set(headers[i], headers[i+1])
	}
	return s.exchange(ctx, p, f, r, sent...)
}

// attempt publishes as many messages as a format's requests hold, and gives the status that stands for them. Of a
// stream that is 207 if the first line went out before the gateway saw the end, which is a matter of microseconds: then
// it is tried again.
func (s *stage) attempt(ctx context.Context, p *process, f *format, prepare func(r *request, sent []message) []message,
	headers ...string,
) (a *answer) {
	GinkgoHelper()
	const tries = 200
	for range tries {
		sent := some(f)
		r := f.make(f, topic, s.partition(0), sent)
		if prepare != nil {
			sent = prepare(&r, sent)
		}
		for i := 0; i < len(headers); i += 2 {
			r.header.Set(headers[i], headers[i+1])
		}
		if a = s.exchange(ctx, p, f, r, sent...); f.kind != stream || a.status != http.StatusMultiStatus {
			break
		}
	}
	return a
}

// some are as many messages as a format's requests hold.
func some(f *format) []message {
	all := make([]message, f.several())
	for i := range all {
		all[i] = fresh()
	}
	return all
}

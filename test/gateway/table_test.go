// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// table has a spec for each status that one format of one request may be answered with while brokers are well.
func table(s *stage, f *format) {
	taken := taken(f)

	It("is taken", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, nil)
		Expect(a.status).To(Equal(taken), a.String())
		results, err := a.results(f, f.several())
		Expect(err).NotTo(HaveOccurred())
		for _, r := range results {
			Expect(r.place()).NotTo(BeEmpty(), a.String())
			Expect(r.Offset != nil).To(Equal(s.headers()), a.String()) // 0.7 tells none
			if f.kind != theirs {
				Expect(r.Timestamp).NotTo(BeNil(), a.String())
			}
		}
	})

	It("goes where it asks to go, with its key", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, func(r *request, sent []message) []message {
			for i := range sent {
				sent[i] = sent[i].to(s.partition(i % brokers)).keyed("a-key")
				if f.media != typeLines && f.route != pathTopic {
					sent[i].partition = s.partition(1) // one for the request
				}
			}
			*r = f.make(f, topic, s.partition(0), sent)
			return sent
		})
		Expect(a.status).To(Equal(taken), a.String())
	})

	It("is sent, and nobody says more, without acks", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["unheard"], f, nil)
		if s.era == world.Era07 { // whose logs are asked where they end, whatever the acks
			Expect(a.status).To(Equal(taken), a.String())
			return
		}
		Expect(a.status).To(Equal(http.StatusAccepted), a.String())
		results, err := a.results(f, 1)
		Expect(err).NotTo(HaveOccurred())
		Expect(results[0].Offset).To(BeNil(), a.String())
	})

	if f.kind != single {
		It("is taken in part", func(ctx SpecContext) {
			sent := some(f)
			sent[1] = sent[1].of(mostMessage)
			a := s.publish(ctx, s.process["main"], f, sent)
			Expect(a.status).To(Equal(http.StatusMultiStatus), a.String())
			results, err := a.results(f, len(sent))
			Expect(err).NotTo(HaveOccurred())
			Expect(results[0].Status).To(Equal(201))
			Expect(results[1]).To(And(HaveField("Status", 413), HaveField("Outcome", "refused")))
			Expect(results[2].Status).To(Equal(201))
		})
	}
	if f.kind == theirs {
		inTheirWords(s, f)
	}
	refusals(s, f)
	limits(s, f)
}

// inTheirWords are the answers of which others have another idea.
func inTheirWords(s *stage, f *format) {
	post := func(ctx context.Context, query string, sent ...message) *answer {
		GinkgoHelper()
		r := f.make(f, topic, s.partition(0), sent)
		r.path += query
		return s.exchange(ctx, s.process["main"], f, r, sent...)
	}

	It("is taken without a word, once it is held", func(ctx SpecContext) {
		a := post(ctx, "?async=true", some(f)...)
		Expect(a.status).To(Equal(http.StatusNoContent))
		Expect(a.body).To(BeEmpty())
	})

	It("is refused in their words where that is asked for", func(ctx SpecContext) {
		a := post(ctx, "?compat=true", fresh().of(mostMessage), fresh())
		Expect(a.status).To(Equal(http.StatusOK))
		Expect(string(a.body)).To(ContainSubstring(`"error_code":413`))
		a = post(ctx, "?compat=true&async=true", fresh().of(mostMessage))
		Expect(a.status).To(Equal(http.StatusOK), "nobody hears of success without it")
	})

	It("goes to another topic", func(ctx SpecContext) {
		sent := some(f)
		r := f.make(f, "others", s.partition(0), sent)
		a := s.exchange(ctx, s.process["main"], f, r, sent...)
		Expect(a.status).To(Equal(http.StatusNotFound))
	})
}

// refused holds an answer to a problem, after which nothing was written.
func refused(a *answer, status int, kind string) {
	GinkgoHelper()
	Expect(a.status).To(Equal(status), a.String())
	var problem struct {
		Type, Outcome string
		RetryAfter    int
	}
	text, _, _ := strings.Cut(string(a.body), "\n") // a stream has one line for each
	Expect(json.Unmarshal([]byte(text), &problem)).To(Succeed(), a.String())
	Expect(problem.Type).To(Equal("urn:samsa:problem:"+kind), a.String())
	Expect(problem.Outcome).To(Equal("refused"), a.String())
	if after := a.header.Get("Retry-After"); after != "" {
		Expect(after).To(Equal(fmt.Sprint(problem.RetryAfter)), a.String())
	}
}

// refusals are those of what is sent.
func refusals(s *stage, f *format) {
	It("is malformed", func(ctx SpecContext) {
		refused(s.attempt(ctx, s.process["main"], f, func(r *request, sent []message) []message {
			return malform(f, r, sent)
		}), http.StatusBadRequest, "malformed")
	})

	if f.media == typeFrames {
		It("is no message that its brokers take", func(ctx SpecContext) {
			if s.era == world.Modern {
				Skip("the embedded brokers take every message: see exempt")
			}
			if s.era == world.Era07 { // which stores no headers
				refused(s.attempt(ctx, s.process["main"], f, nil, "Samsa-Header", "a=b"), 422, "no-message")
				return
			}
			refused(s.attempt(ctx, s.process["strict"], f, nil), 422, "unfit")
		})
	} else {
		It("is no message", func(ctx SpecContext) { noMessage(ctx, s, f) })
	}

	It("asks for a partition that does not exist", func(ctx SpecContext) {
		refused(s.attempt(ctx, s.process["main"], f, func(r *request, sent []message) []message {
			for i := range sent {
				sent[i] = sent[i].to(strings.Replace(s.partition(0), "0", "77", 1))
			}
			*r = f.make(f, topic, s.partition(0), sent)
			return sent
		}), http.StatusNotFound, "no-partition")
	})

	if f.route == pathMessage {
		It("goes to a topic that does not exist", func(ctx SpecContext) {
			if s.era == world.Era07 {
				Skip("Kafka 0.7 makes a topic of whatever is written to")
			}
			a := s.attempt(ctx, s.process["lost"], f, nil)
			refused(a, http.StatusNotFound, "no-topic")
			Expect(a.header.Get("Retry-After")).To(Equal("30"), a.String())
		})
	}

	It("has a body that is too long", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, alone(s, f, mostBody+1))
		refused(a, http.StatusRequestEntityTooLarge, "too-large")
		Expect(a.closed).To(BeTrue(), "the rest of the body is not read")
	})

	It("has a message that is too large", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, alone(s, f, mostMessage))
		refused(a, http.StatusRequestEntityTooLarge, "too-large")
	})

	It("has an encoding that is not read", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, nil, "Content-Encoding", "gzip")
		refused(a, http.StatusUnsupportedMediaType, "media-type")
	})

	It("has headers that are too large", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["main"], f, nil, "X-Filler", strings.Repeat("x", 80<<10))
		Expect(a.status).To(Equal(http.StatusRequestHeaderFieldsTooLarge), a.String())
		if f.route == pathMessage && s.headers() {
			a := s.attempt(ctx, s.process["main"], f, nil, "Samsa-Header", "a="+strings.Repeat("x", 40<<10))
			refused(a, http.StatusRequestHeaderFieldsTooLarge, "headers-too-large")
		}
	})
}

// malform spoils a request so that it is not well-formed any more. It gives the messages that are answered for.
func malform(f *format, r *request, sent []message) []message {
	switch {
	case f.media == typeText:
		r.header.Set("Ce-Specversion", "2.0")
	case f.kind == single && f.media != typeEvent:
		r.header.Set("Samsa-Key", "%zz")
	case f.media == typeLines:
		r.body = []byte(`{"value":"` + sent[0].value() + "\"\n")
		return sent[:1]
	case f.media == typeFrames:
		r.body = r.body[:len(sent[0].value())]
		return sent[:1]
	default:
		r.body = r.body[:len(r.body)-1]
	}
	return sent
}

// noMessage sends what is well-formed, and no message.
func noMessage(ctx context.Context, s *stage, f *format) {
	GinkgoHelper()
	if f.kind == single && f.media != typeEvent {
		keyReused(ctx, s, f)
		return
	}
	refused(s.attempt(ctx, s.process["main"], f, func(r *request, sent []message) []message {
		switch {
		case f.kind == theirs && strings.Contains(f.media, "binary"):
			r.body = []byte(`{"records":[{"value":"` + sent[0].id + `"}]}`) // base64 has no hyphen
		case f.kind == theirs:
			r.body = []byte(strings.Replace(string(r.body), `"value"`, `"worth"`, 1))
		case f.media == typeLines:
			r.body = []byte(`{"valueBase64":"` + sent[0].id + `"}`)
			return sent[:1]
		default:
			r.body = []byte(strings.Replace(string(r.body), `"type":"made",`, "", 1))
		}
		return sent
	}), http.StatusUnprocessableEntity, "no-message")
}

// alone makes a request of one message of a length.
func alone(s *stage, f *format, length int) func(*request, []message) []message {
	return func(r *request, sent []message) []message {
		sent = []message{sent[0].of(length)}
		*r = f.make(f, topic, s.partition(0), sent)
		return sent
	}
}

// keyReused sends another message with a key that was used.
func keyReused(ctx context.Context, s *stage, f *format) {
	GinkgoHelper()
	first, key := some(f), fresh().id
	r := f.make(f, topic, s.partition(0), first)
	r.header.Set("Idempotency-Key", key)
	var a *answer
	Eventually(ctx, func() int { // after a start, keys are nobody's for a while
		a = s.do(ctx, s.process["main"], r)
		return a.status
	}).ShouldNot(Equal(http.StatusServiceUnavailable))
	s.judge(f, a, first...)
	Expect(a.status).To(Equal(http.StatusCreated), a.String())
	again := s.do(ctx, s.process["main"], r)
	Expect(again.body).To(Equal(a.body), "the same answer, and no second message")
	refused(s.publish(ctx, s.process["main"], f, some(f), "Idempotency-Key", key),
		http.StatusUnprocessableEntity, "key-reused")
}

// limits are refusals of who sends, and of how much.
func limits(s *stage, f *format) {
	as := func(token string) []string { return []string{"Authorization", "Bearer " + token} }

	It("comes from somebody whom nobody knows", func(ctx SpecContext) {
		for _, name := range []string{"guarded", "reviewed"} {
			for what, headers := range map[string][]string{
				"nobody":           nil,
				"for others":       as(s.kube.token("shop", "somebody.else", time.Hour)),
				"expired":          as(s.kube.token("shop", audience, -time.Hour)),
				"forged":           as(s.kube.forged()),
				"no token":         as("x"),
				"another's scheme": {"Authorization", "Basic eDp5"},
			} {
				if name == "reviewed" && (what == "for others" || what == "expired") {
					s.kube.delete(strings.TrimPrefix(headers[1], "Bearer ")) // the API server refuses those itself
				}
				a := s.attempt(ctx, s.process[name], f, nil, headers...)
				refused(a, http.StatusUnauthorized, "unauthenticated")
				Expect(a.header.Get("WWW-Authenticate")).To(HavePrefix("Bearer"), what)
			}
		}
	})

	It("comes from somebody who may not publish", func(ctx SpecContext) {
		for _, name := range []string{"guarded", "reviewed"} {
			a := s.attempt(ctx, s.process[name], f, nil, as(s.kube.newcomer("elsewhere"))...)
			refused(a, http.StatusForbidden, "forbidden")
		}
	})

	It("comes from somebody who may publish, then too often", func(ctx SpecContext) {
		token := s.kube.newcomer("shop")
		Expect(s.attempt(ctx, s.process["reviewed"], f, nil, as(token)...).status).To(Equal(taken(f)))
		several := formats()[3] // what one second allows three times over
		Expect(s.attempt(ctx, s.process["guarded"], several, nil, as(token)...).status).To(Equal(http.StatusOK))
		a := s.attempt(ctx, s.process["guarded"], f, nil, as(token)...)
		refused(a, http.StatusTooManyRequests, "limit")
		Expect(a.header.Get("Retry-After")).To(MatchRegexp("^[1-9]$"), a.String())
	})

	It("comes from somebody whom nobody can verify now", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["blind"], f, nil, as(s.kube.newcomer("shop"))...)
		refused(a, http.StatusServiceUnavailable, "callers-unavailable")
		Expect(a.header.Get("Retry-After")).NotTo(BeEmpty())
	})

	It("comes before any broker was reached", func(ctx SpecContext) {
		a := s.attempt(ctx, s.process["lonely"], f, nil)
		refused(a, http.StatusServiceUnavailable, "unavailable")
		Expect(a.header.Get("Retry-After")).NotTo(BeEmpty())
	})
}

func taken(f *format) int {
	if f.kind == single {
		return http.StatusCreated
	}
	return http.StatusOK
}

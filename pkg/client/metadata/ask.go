// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// hedgeAfter is far beyond what a healthy broker takes to answer; of twenty brokers that hang, one that does not is
	// found within 5 s.
	hedgeAfter = 250 * time.Millisecond
	// firstPatience is how long brokers are waited for that never answered yet, before they are probed: those of Kafka 0.9
	// say nothing at all when they are asked what they understand. It is ten times what a healthy one takes, with TLS.
	firstPatience = time.Second
	// probeEvery bounds how often brokers that hang up are probed for an old Kafka: they may as well want TLS.
	probeEvery = 10 * time.Second
)

// Question is what to ask for besides the brokers.
type Question struct {
	// Topics are described each; All describes every topic.
	Topics []string
	All    bool
}

// Read asks the brokers until one answers. The error names each address and why it did not; its text stays the same
// while the causes do. A cluster that turns out to be older than Kafka 0.10 is spoken to as such from then on.
func (r *Reader) Read(ctx context.Context, question Question) (View, error) {
	if r.mayProbe() {
		view, err := r.readFirst(ctx, question)
		if !errors.Is(err, errPerhapsOld) {
			return view, err
		}
	}
	view, failures, err := r.read(ctx, question)
	if failures != nil {
		return View{}, nobody(failures)
	}
	return view, err
}

// errPerhapsOld says that another try may end otherwise: brokers were probed, or may only be slow.
var errPerhapsOld = errors.New("brokers may be older than Kafka 0.10, or slow")

// readFirst asks brokers that may be old.
func (r *Reader) readFirst(ctx context.Context, question Question) (View, error) {
	patient, cancel := context.WithTimeout(ctx, firstPatience)
	defer cancel()
	view, failures, err := r.read(patient, question)
	if failures == nil {
		return view, err
	}
	suspects := suspectsOf(failures)
	if len(suspects) == 0 || ctx.Err() != nil {
		return View{}, nobody(failures)
	}
	if release, ok := r.probeAny(ctx, suspects); ok {
		if err := r.Follow(r.Config().Brokers, release); err != nil {
			return View{}, err
		}
		return View{}, errPerhapsOld
	}
	if slices.ContainsFunc(slices.Collect(maps.Values(failures)), isLate) {
		return View{}, errPerhapsOld
	}
	return View{}, nobody(failures)
}

// read asks once. The failures are nil if a broker answered.
func (r *Reader) read(ctx context.Context, question Question) (View, map[string]error, error) {
	r.mu.Lock()
	client, err := r.clientLocked()
	addresses, named := r.config.Brokers, r.named
	r.mu.Unlock()
	if err != nil {
		return View{}, nil, err
	}
	answer, failures := r.ask(ctx, client.SeedBrokers(), addresses, func() kmsg.Request {
		return request(question, named)
	})
	if failures != nil {
		return View{}, failures, nil
	}
	r.mu.Lock()
	r.told = true
	r.mu.Unlock()
	view, err := viewOf(answer, question.Topics)
	return view, nil, err
}

// request asks for no topic that need not be told. Before Kafka 0.11 a topic that is named is made, and before 0.10
// none means all.
func request(question Question, named bool) *kmsg.MetadataRequest {
	request := kmsg.NewPtrMetadataRequest()
	request.AllowAutoTopicCreation = false
	if question.All || !named && len(question.Topics) > 0 {
		return request
	}
	request.Topics = []kmsg.MetadataRequestTopic{}
	for _, topic := range question.Topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = new(topic)
		request.Topics = append(request.Topics, one)
	}
	return request
}

type answer struct {
	address string
	told    *kmsg.MetadataResponse
	err     error
}

// ask asks one broker after another, in an order of its own, without waiting for long; the first answer is as good as
// any.
func (r *Reader) ask(
	ctx context.Context, brokers []*kgo.Broker, addresses []string, request func() kmsg.Request,
) (*kmsg.MetadataResponse, map[string]error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	brokers = brokers[:min(len(brokers), len(addresses))] // they may have changed in between
	order, answers := rand.Perm(len(brokers)), make(chan answer, len(brokers))
	failures := make(map[string]error, len(brokers))
	next := func() {
		at := order[0]
		order = order[1:]
		if !r.spawn(func() { answers <- askOne(ctx, brokers[at], addresses[at], request()) }) {
			answers <- answer{address: addresses[at], err: ErrClosed}
		}
	}
	hedge := time.NewTicker(hedgeAfter)
	defer hedge.Stop()
	if len(order) > 0 {
		next()
	}
	for len(failures) < len(brokers) {
		select {
		case got := <-answers:
			if got.err == nil {
				return got.told, nil
			}
			failures[got.address] = got.err
			if len(order) > 0 {
				next()
			}
		case <-hedge.C:
			if len(order) > 0 {
				next()
			}
		case <-ctx.Done():
			for _, address := range addresses {
				if failures[address] == nil {
					failures[address] = ctx.Err()
				}
			}
			return nil, failures
		}
	}
	return nil, failures
}

func askOne(ctx context.Context, broker *kgo.Broker, address string, request kmsg.Request) answer {
	got, err := broker.Request(ctx, request)
	told, ok := got.(*kmsg.MetadataResponse)
	switch {
	case err == nil && !ok:
		err = fmt.Errorf("it answers something else (%T)", got)
	case err == nil && len(told.Brokers) == 0:
		err = errEmpty
	}
	return answer{address: address, told: told, err: err}
}

// nobody says that no broker answered, and why none did.
func nobody(failures map[string]error) error {
	told := make([]string, 0, len(failures))
	for address, err := range failures {
		told = append(told, address+": "+reason(err))
	}
	slices.Sort(told)
	return fmt.Errorf("%w (%s)", ErrNobody, strings.Join(told, "; "))
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kgo"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// bindingLabel is on everything that belongs to a binding.
const bindingLabel = "kafka.samsa.dev/producer-binding"

// createBinding makes a ProducerBinding of two gateways. Its messages have an outcome soon, so that keys of a gateway
// that dies are soon another's.
func (s *stage) createBinding(change ...func(*v1alpha1.ProducerBinding)) {
	object := &v1alpha1.ProducerBinding{
		ObjectMeta: metav1.ObjectMeta{Name: s.name},
		Spec: v1alpha1.ProducerBindingSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: clusterName}, Topic: v1alpha1.PublishedTopic(s.name),
			Produce: v1alpha1.Produce{Timeout: "3s"},
		},
	}
	for _, change := range change {
		change(object)
	}
	s.create(object)
}

// binding is the ProducerBinding as it is now.
func (s *stage) binding(g Gomega) *v1alpha1.ProducerBinding {
	found := &v1alpha1.ProducerBinding{}
	g.Expect(api.Get(s.ctx, types.NamespacedName{Namespace: s.name, Name: s.name}, found)).To(Succeed())
	return found
}

// bindingIs waits for a condition, with a reason unless that is empty, and for so many gateways that are ready.
func (s *stage) bindingIs(
	kind string, status metav1.ConditionStatus, reason string, ready int32,
) *v1alpha1.ProducerBinding {
	var found *v1alpha1.ProducerBinding
	s.Eventually(s.ctx, func(g Gomega) {
		found = s.binding(g)
		condition := meta.FindStatusCondition(found.Status.Conditions, kind)
		g.Expect(condition).NotTo(BeNil(), "no %s yet", kind)
		g.Expect(condition.Status).To(Equal(status), "%s: %s", condition.Reason, condition.Message)
		g.Expect(found.Status.ObservedGeneration).To(HaveValue(Equal(found.Generation)))
		g.Expect(found.Status.ReadyReplicas).To(HaveValue(Equal(ready)))
		if reason != "" {
			g.Expect(condition.Reason).To(Equal(reason), condition.Message)
		}
	}, starting).Should(Succeed(), "%s of the binding is to be %s", kind, status)
	s.step("%s is %s, with %d gateways", kind, status, ready)
	return found
}

// gateways are the pods of the binding, sorted by name.
func (s *stage) gateways() []corev1.Pod {
	var list corev1.PodList
	s.Expect(api.List(s.ctx, &list, client.InNamespace(s.name), client.MatchingLabels{bindingLabel: s.name})).To(Succeed())
	slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return list.Items
}

// token is one of a ServiceAccount, for an audience.
func (s *stage) token(account, audience string) string {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{audience}}}
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: s.name, Name: account}}
	s.Eventually(s.ctx, func() error { return api.SubResource("token").Create(s.ctx, object, request) }).Should(Succeed())
	return request.Status.Token
}

// poster sends messages to a binding.
type poster struct {
	url, token string
	client     *http.Client
}

// poster is one that comes to the Service, as pods do.
func (s *stage) poster(target, token string) *poster {
	transport := &http.Transport{Proxy: throughTheNode, MaxIdleConnsPerHost: 16}
	s.closers = append(s.closers, transport.CloseIdleConnections)
	return &poster{url: target, token: token, client: &http.Client{Transport: transport}}
}

func throughTheNode(r *http.Request) (*url.URL, error) {
	if !strings.Contains(r.URL.Host, ".svc:") {
		return nil, nil //nolint:nilnil // as http.Transport has it
	}
	return &url.URL{Scheme: "http", Host: system.Proxy()}, nil
}

// post sends one message; without an error it gives the status and what was said.
func (p *poster) post(ctx context.Context, value, key string) (status int, said string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(value))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// persist sends one message until it is taken, as often as that needs: its key keeps it from being two.
func (p *poster) persist(ctx context.Context, value, key string) (attempts int, err error) {
	for {
		attempts++
		status, said, failure := p.post(ctx, value, key)
		switch {
		case status == http.StatusCreated:
			return attempts, nil
		case ctx.Err() != nil:
			return attempts, fmt.Errorf("%s: %d %s %w", value, status, said, ctx.Err())
		case failure == nil && status < 500 && status != http.StatusTooManyRequests:
			return attempts, fmt.Errorf("%s: %d %s", value, status, said)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// answers gives the status of a message that is sent to a binding.
func (s *stage) answers(p *poster, value, key string) func() int {
	return func() int {
		status, said, err := p.post(s.ctx, value, key)
		s.Expect(err).NotTo(HaveOccurred())
		s.note(fmt.Sprintf("%s: %d %s", value, status, strings.TrimSpace(said)))
		return status
	}
}

// inTopic are the values of all messages of the topic, sorted, read by a client that is not samsa's.
func (s *stage) inTopic() []string {
	brokers := s.kafka.Brokers()
	reader, err := kgo.NewClient(kgo.SeedBrokers(brokers.Addrs()...), kgo.ConsumeTopics(s.name),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(100*time.Millisecond))
	s.Expect(err).NotTo(HaveOccurred())
	defer reader.Close()
	left := 0
	for _, end := range s.ends() {
		left += int(end)
	}
	values := []string{}
	for len(values) < left {
		fetches := reader.PollFetches(s.ctx)
		s.Expect(fetches.Err0()).NotTo(HaveOccurred())
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	slices.Sort(values)
	return values
}

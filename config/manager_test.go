// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/prometheus/client_golang/prometheus"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/samsa-dev/samsa/controllers"
	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// What the roles allow is enough: a manager with no more than these does its work, and is refused nothing.
var _ = Describe("A manager with the permissions of its account", Ordered, func() {
	var refusals refused

	BeforeAll(func(ctx SpecContext) {
		install(ctx)
		kafka, err := world.Start(context.WithoutCancel(ctx), world.Config{Topics: map[string]int32{"lines": 3}})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(kafka.Close)
		startManager(ctx, &refusals)
		kubectl(ctx, "apply", "-k", "config/samples")
		kubectl(ctx, "patch", "kc/local", "--type=merge", "-p",
			fmt.Sprintf(`{"spec":{"zookeeper":{"connect":%q}}}`, kafka.Connect()))
	})

	AfterAll(func() { Expect(refusals.all()).To(BeEmpty(), "the roles lack these") })

	It("makes what a group needs", func(ctx SpecContext) {
		eventually(ctx, "get", "statefulset/demo", "service/demo")
		kubectl(ctx, "wait", "--for=condition=Ready", "kc/local", "--timeout=30s")
		kubectl(ctx, "wait", "--for=condition=Ready=false", "cg/demo", "--timeout=30s")
	})

	It("makes a budget for several workers, and takes it away again", func(ctx SpecContext) {
		kubectl(ctx, "scale", "cg/demo", "--replicas=2")
		eventually(ctx, "get", "pdb/demo")
		kubectl(ctx, "scale", "cg/demo", "--replicas=1")
		Eventually(func(ctx context.Context) error {
			_, err := api.PolicyV1().PodDisruptionBudgets("default").Get(ctx, "demo", metav1.GetOptions{})
			return err
		}).WithContext(ctx).WithTimeout(patience).Should(MatchError(apierrors.IsNotFound, "IsNotFound"))
	})

	It("replaces a configuration", func(ctx SpecContext) {
		before := kubectl(ctx, "get", "configmap", "-o", "name")
		kubectl(ctx, "patch", "cg/demo", "--type=merge", "-p", `{"spec":{"commitInterval":"2s"}}`)
		Eventually(func(ctx context.Context) string {
			return kubectl(ctx, "get", "configmap", "-o", "name")
		}).WithContext(ctx).WithTimeout(patience).ShouldNot(Equal(before))
	})

	It("makes what a binding needs, and lets its gateways have tokens reviewed", func(ctx SpecContext) {
		kubectl(ctx, "create", "deployment", "shop", "--image=samsa.test/shop")
		kubectl(ctx, "apply", "-f", "config/samples/producerbinding.yaml")
		eventually(ctx, "get", "deployment/lines-gateway", "service/lines-gateway", "service/lines-peers",
			"pdb/lines-gateway", "serviceaccount/lines-gateway", "secret/lines-binding")
		kubectl(ctx, "wait", "--for=condition=TopicReady", "pb/lines", "--timeout=30s")
		kubectl(ctx, "wait", "--for=jsonpath={.status.verification}=TokenReview", "pb/lines", "--timeout=30s")
		Expect(mayReview(ctx, "lines-gateway")).To(BeTrue())
		Expect(mayReview(ctx, "default")).To(BeFalse())
		kubectl(ctx, "patch", "pb/lines", "--type=merge", "-p", `{"spec":{"subject":{"kind":"Deployment","name":"shop"}}}`)
		kubectl(ctx, "wait", "--for=condition=SubjectBound", "pb/lines", "--timeout=30s")
		kubectl(ctx, "scale", "pb/lines", "--replicas=1")
		eventually(ctx, "wait", "--for=delete", "pdb/lines-gateway", "--timeout=1s")
		kubectl(ctx, "delete", "pb/lines", "--timeout=20s")
		Eventually(mayReview).WithArguments(ctx, "lines-gateway").WithTimeout(patience).Should(BeFalse())
	})

	It("binds workloads of every kind", func(ctx SpecContext) {
		for _, kind := range []string{"StatefulSet", "DaemonSet", "CronJob"} {
			kubectl(ctx, "apply", "-f", "config/samples/producerbinding.yaml")
			kubectl(ctx, "patch", "pb/lines", "--type=merge", "-p",
				`{"spec":{"subject":{"kind":"`+kind+`","selector":{"matchLabels":{"app":"shop"}}}}}`)
			eventually(ctx, "wait", "--for=condition=SubjectBound=false", "pb/lines", "--timeout=1s")
			kubectl(ctx, "delete", "pb/lines", "--timeout=20s")
		}
	})

	It("lets a group go", func(ctx SpecContext) {
		kubectl(ctx, "delete", "cg/demo", "--timeout=20s")
		kubectl(ctx, "delete", "kc/local", "--timeout=20s")
	})
})

// mayReview tells whether an account of the default namespace may have tokens reviewed.
func mayReview(ctx context.Context, account string) (bool, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:default:" + account,
		ResourceAttributes: &act{Verb: "create", Group: "authentication.k8s.io", Resource: "tokenreviews"},
	}}
	answer, err := api.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return answer.Status.Allowed, nil
}

// patience is what a manager may take for a step: taking the lead takes seconds, everything after it much less.
const patience = 30 * time.Second

// eventually waits until kubectl succeeds.
func eventually(ctx context.Context, arguments ...string) {
	GinkgoHelper()
	Eventually(func() error {
		_, err := try(ctx, arguments...)
		return err
	}).WithTimeout(patience).WithPolling(200 * time.Millisecond).Should(Succeed())
}

// startManager runs one until the specs end, as the account of dist/install.yaml.
func startManager(ctx context.Context, refusals *refused) {
	GinkgoHelper()
	log.SetLogger(logr.Discard())
	config := rest.CopyConfig(server)
	config.Impersonate = rest.ImpersonationConfig{UserName: account, Groups: groups}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { refusals.next = next; return refusals })
	manager, err := controllers.NewManager(config, controllers.Options{
		WorkerImage: "samsa.test/worker:suite", LeaderElection: true, LeaderElectionNamespace: "samsa-system",
		Registerer: prometheus.NewRegistry(),
	})
	Expect(err).NotTo(HaveOccurred())
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // beyond BeforeAll, whose ctx ends with it
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(running) }()
	DeferCleanup(func() {
		stop()
		Expect(<-ended).To(Succeed())
	})
	Eventually(manager.Elected()).WithTimeout(patience).Should(BeClosed())
}

// refused remembers every request that the API server forbade.
type refused struct {
	next http.RoundTripper
	mu   sync.Mutex
	list []string
}

// RoundTrip implements http.RoundTripper.
func (r *refused) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusForbidden {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.list = append(r.list, request.Method+" "+request.URL.Path)
	}
	return response, err
}

func (r *refused) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}

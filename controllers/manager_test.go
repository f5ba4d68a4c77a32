// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest/komega"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/controllers"
)

var _ = Describe("The manager", func() {
	// start runs a manager with the process's own registry of metrics until stop, at the latest until the spec ends.
	start := func(ctx context.Context, options controllers.Options) (m ctrl.Manager, stop func()) {
		GinkgoHelper()
		options.WorkerImage = workerImage
		m, err := controllers.NewManager(restConfig, options)
		Expect(err).NotTo(HaveOccurred())
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 1)
		go func() {
			ended <- m.Start(own)
			close(ended)
		}()
		stop = func() {
			cancel()
			Expect(<-ended).To(Succeed())
		}
		DeferCleanup(stop)
		return m, stop
	}

	It("needs the image of the workers", func() {
		_, err := controllers.NewManager(restConfig, controllers.Options{})
		Expect(err).To(MatchError(ContainSubstring("image")))
	})

	It("answers probes and serves its metrics, again after it was made anew in the process", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		for range 2 {
			probes, metrics := freeAddress(ctx), freeAddress(ctx)
			_, stop := start(ctx, controllers.Options{
				ProbeAddress: probes, MetricsAddress: metrics, Namespaces: []string{namespace},
			})
			Eventually(get(ctx, "http://"+probes+"/readyz")).Should(Equal("ok"))
			Eventually(get(ctx, "http://"+probes+"/healthz")).Should(Equal("ok"))
			Eventually(get(ctx, "http://"+metrics+"/metrics")).Should(And(
				ContainSubstring("samsa_kafkacluster_connections_opened_total 0"), ContainSubstring("samsa_observer_groups 0")))
			stop()
		}
	})

	It("serves its metrics to nobody unknown if they are to be secure", func(ctx SpecContext) {
		metrics := freeAddress(ctx)
		start(ctx, controllers.Options{MetricsAddress: metrics, SecureMetrics: true, Namespaces: []string{newNamespace(ctx)}})
		Eventually(get(ctx, "http://"+metrics+"/metrics")).Should(ContainSubstring("HTTPS"))
	})

	It("keeps nothing in memory that is somebody else's", func(ctx SpecContext) {
		others := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: newNamespace(ctx), Name: "others"}}
		create(ctx, others)
		m := startManager(ctx, others.Namespace)
		Expect(m.GetClient().Get(ctx, client.ObjectKeyFromObject(others), others)).To(Satisfy(apierrors.IsNotFound))
	})

	It("reconciles only while it leads, and hands over when it ends", func(ctx SpecContext) {
		namespace := newNamespace(ctx)
		options := controllers.Options{
			LeaderElection: true, LeaderElectionNamespace: namespace, Namespaces: []string{namespace},
		}
		first, stop := start(ctx, options)
		Eventually(first.Elected()).Should(BeClosed())
		second, _ := start(ctx, options)
		cluster := newKafkaCluster(namespace, "main", "127.0.0.1:1")
		create(ctx, cluster)
		Eventually(komega.Object(cluster)).WithContext(ctx).Should(HaveField("Status.Conditions", Not(BeEmpty())))
		Consistently(second.Elected()).WithTimeout(time.Second).ShouldNot(BeClosed())
		stop()
		lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "manager.kafka.samsa.dev"}}
		Expect(komega.Get(lease)()).To(Succeed())
		Eventually(second.Elected()).WithTimeout(5 * time.Second).Should(BeClosed())
		update(ctx, cluster, func(c *v1alpha1.KafkaCluster) { c.Spec.ZooKeeper.Connect = "127.0.0.1:2" })
		Eventually(komega.Object(cluster)).WithContext(ctx).
			Should(HaveField("Status.ObservedGeneration", HaveValue(Equal(cluster.Generation))))
	})
})

// freeAddress is one that nobody listens at right now.
func freeAddress(ctx context.Context) string {
	GinkgoHelper()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	Expect(err).NotTo(HaveOccurred())
	defer listener.Close()
	return listener.Addr().String()
}

// get gives what stands at a URL.
func get(ctx context.Context, url string) func() (string, error) {
	return func() (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return "", err
		}
		asker := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := asker.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}
}

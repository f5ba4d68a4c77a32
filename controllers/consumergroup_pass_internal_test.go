// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// fakeAPI is an API server that knows samsa's kinds.
func fakeAPI(t *testing.T, calls interceptor.Funcs, objects ...kube.Object) kube.Client {
	t.Helper()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(calls).Build()
}

// owned gives an object to the group of consuming.
func owned(s *groupScope, object kube.Object) kube.Object {
	s.group.UID = "uid"
	object.SetNamespace(s.group.Namespace)
	object.SetName(s.group.Name)
	object.SetOwnerReferences([]metav1.OwnerReference{
		*metav1.NewControllerRef(s.group, v1alpha1.GroupVersion.WithKind("ConsumerGroup")),
	})
	return object
}

// A cluster that could not be read is not one that is gone.
func TestAPassThatSawNothingTellsNothing(t *testing.T) {
	api := fakeAPI(t, interceptor.Funcs{
		Get: func(context.Context, kube.WithWatch, kube.ObjectKey, kube.Object, ...kube.GetOption) error {
			return errors.New("no answer")
		},
		SubResourceApply: func(
			context.Context, kube.Client, string, runtime.ApplyConfiguration, ...kube.SubResourceApplyOption,
		) error {
			t.Error("a status was written")
			return nil
		},
	})
	r := &ConsumerGroupReconciler{client: api}
	s := &groupScope{group: consuming().group, now: noon}
	if _, err := r.resolveCluster(t.Context(), s); err == nil {
		t.Error("what cannot be read is an error")
	}
	if _, err := r.report(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// The cache may not have what the pass before made, and that may be about to start workers.
func TestWorkersThatTheCacheDoesNotShowAreStopped(t *testing.T) {
	s := ending(0)
	api := fakeAPI(t, interceptor.Funcs{}, owned(s, &appsv1.StatefulSet{
		Spec: appsv1.StatefulSetSpec{Replicas: new(int32(3))},
	}))
	s.set = nil
	r := &ConsumerGroupReconciler{client: api, reader: api}
	if _, err := r.stopWorkers(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var set appsv1.StatefulSet
	if err := api.Get(t.Context(), s.key(), &set); err != nil || *set.Spec.Replicas != 0 {
		t.Errorf("got %v, %+v", err, set.Spec.Replicas)
	}
	if s.ended() {
		t.Error("they have not ended yet")
	}
}

// Somebody's admission webhook may make of an object what it was: then it stays as it is, and nothing is on its way.
func TestWhatAWebhookInsistsOnIsNotBeingApplied(t *testing.T) {
	for version, applied := range map[string]bool{"1": false, "2": true} {
		s := consuming()
		api := fakeAPI(t, interceptor.Funcs{
			Apply: func(
				_ context.Context, _ kube.WithWatch, object runtime.ApplyConfiguration, _ ...kube.ApplyOption,
			) error {
				object.(interface{ SetResourceVersion(string) }).SetResourceVersion(version)
				return nil
			},
		}, func() kube.Object {
			service := owned(s, &corev1.Service{})
			service.SetResourceVersion("1")
			return service
		}())
		r := &ConsumerGroupReconciler{client: api, reader: api}
		desired := corev1ac.Service(s.group.Name, s.group.Namespace).WithLabels(map[string]string{"a": "b"})
		if err := r.ensure(t.Context(), s, &corev1.Service{}, desired); err != nil {
			t.Fatal(err)
		}
		if s.applied != applied {
			t.Errorf("version %s after the patch: applied %v", version, s.applied)
		}
	}
}

func TestFailedPassesComeAgainSoon(t *testing.T) {
	limiter, request := retrying().RateLimiter, reconcile.Request{}
	for range 100 {
		limiter.When(request)
	}
	if wait := limiter.When(request); wait != retryMost {
		t.Errorf("got %s", wait)
	}
}

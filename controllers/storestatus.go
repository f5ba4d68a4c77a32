// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

// fieldOwner is who owns the fields that this operator applies, in the objects' managedFields.
const fieldOwner = client.FieldOwner("samsa")

// storeStatus applies a status where it differs from the one that stands. It gives the object's version since then,
// empty if it stored nothing: an object that is gone needs no status. The object's uid goes with it: another object of
// the same name gets nothing of this one's.
func storeStatus(ctx context.Context, c client.Client, object client.Object, before, after any) (string, error) {
	if equality.Semantic.DeepEqual(before, after) {
		return "", nil
	}
	status, err := runtime.DefaultUnstructuredConverter.ToUnstructured(after)
	if err != nil {
		return "", fmt.Errorf("convert the status: %w", err)
	}
	kind, err := c.GroupVersionKindFor(object)
	if err != nil {
		return "", fmt.Errorf("kind of the object: %w", err)
	}
	apply := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	apply.SetGroupVersionKind(kind)
	apply.SetNamespace(object.GetNamespace())
	apply.SetName(object.GetName())
	apply.SetUID(object.GetUID())
	configuration := client.ApplyConfigurationFromUnstructured(apply)
	if err := c.Status().Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
		return "", client.IgnoreNotFound(fmt.Errorf("apply the status: %w", err))
	}
	return apply.GetResourceVersion(), nil // the answer has taken the configuration's place
}

// standing remembers of each object the status last written until the cache shows it: a pass that comes in between
// would take one before for the one that stands, write the same again and tell of the change twice. The zero value is
// empty; it may be used concurrently.
type standing[S any] struct {
	// mu protects known.
	mu    sync.Mutex
	known map[types.NamespacedName]stand[S]
}

// stand is what is known of one object.
type stand[S any] struct {
	uid types.UID
	// since is when this process first looked at the object; zero once it has seen as much as whoever did before.
	since time.Time
	// status is what stands.
	status *S
	// version is the object's since status was written; empty once the cache shows it.
	version string
	// written is when this process last wrote a status; zero if it never did.
	written time.Time
}

// of gives what stands of an object, of which the cache shows a status.
func (s *standing[S]) of(object client.Object, cached *S, now time.Time) stand[S] {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	known, ok := s.known[key]
	if !ok || known.uid != object.GetUID() {
		known = stand[S]{uid: object.GetUID(), since: now}
	}
	behind, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), known.version)
	if err == nil && behind < 0 {
		return known
	}
	known.version, known.status = "", nil // the cache has it
	s.put(key, known)
	known.status = cached
	return known
}

// is takes down what was written of an object, and which version that made it.
func (s *standing[S]) is(object client.Object, after *S, version string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	known := s.known[key]
	known.uid, known.status, known.version, known.written = object.GetUID(), after, version, now
	s.put(key, known)
}

// put stores under mu, which the caller holds.
func (s *standing[S]) put(key types.NamespacedName, known stand[S]) {
	if s.known == nil {
		s.known = map[types.NamespacedName]stand[S]{}
	}
	s.known[key] = known
}

// forget drops what is known of an object that is gone.
func (s *standing[S]) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, key)
}

// acquaintance is how long a process that has just begun to look at an object is given to see what its predecessor saw:
// a connection, a reading of the registry and a round of the workers take a second or two, ten on a bad day.
const acquaintance = 10 * time.Second

// knowsLess tells that a pass would take back what stands of this generation for no other reason than that this process
// has not seen it yet: every start of the operator would make all groups Unknown for a moment. It does so until the
// process has seen as much once. Blind is a pass that misses more than the condition Ready shows.
func (s *standing[S]) knowsLess(
	object client.Object, before, after []metav1.Condition, blind bool, now time.Time,
) bool {
	was := meta.FindStatusCondition(before, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after, v1alpha1.ConditionReady)
	less := was != nil && is != nil && was.ObservedGeneration == is.ObservedGeneration &&
		(blind || was.Status != metav1.ConditionUnknown && is.Status == metav1.ConditionUnknown)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := client.ObjectKeyFromObject(object)
	known := s.known[key]
	if less && now.Sub(known.since) < acquaintance {
		return true
	}
	known.since = time.Time{}
	s.put(key, known)
	return false
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldOwner is who owns the fields that this operator applies, in the objects' managedFields.
const fieldOwner = client.FieldOwner("samsa")

// storeStatus applies a status where it differs from the one that stands, and tells whether it did. An object that is
// gone needs none. The object's uid goes with it: another object of the same name gets nothing of this one's.
func storeStatus(ctx context.Context, c client.Client, object client.Object, before, after any) (bool, error) {
	if equality.Semantic.DeepEqual(before, after) {
		return false, nil
	}
	status, err := runtime.DefaultUnstructuredConverter.ToUnstructured(after)
	if err != nil {
		return false, fmt.Errorf("convert the status: %w", err)
	}
	kind, err := c.GroupVersionKindFor(object)
	if err != nil {
		return false, fmt.Errorf("kind of the object: %w", err)
	}
	apply := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	apply.SetGroupVersionKind(kind)
	apply.SetNamespace(object.GetNamespace())
	apply.SetName(object.GetName())
	apply.SetUID(object.GetUID())
	configuration := client.ApplyConfigurationFromUnstructured(apply)
	if err := c.Status().Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
		return false, client.IgnoreNotFound(fmt.Errorf("apply the status: %w", err))
	}
	return true, nil
}

// cacheLag is how long the cache may take to show what was written: milliseconds as a rule, and no longer than this.
const cacheLag = 5 * time.Second

// standing remembers the status last written of each object until the cache shows it: a pass that comes in between
// would take the one before for the one that stands, write the same again and tell of the change twice. The zero value
// is empty; it may be used concurrently.
type standing[S any] struct {
	// mu protects written.
	mu      sync.Mutex
	written map[types.UID]written[S]
}

type written[S any] struct {
	at            time.Time
	before, after *S
}

// of gives the status that stands of an object, of which the cache shows one.
func (s *standing[S]) of(object types.UID, cached *S, now time.Time) *S {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, ok := s.written[object]
	if !ok {
		return cached
	}
	if now.Sub(last.at) < cacheLag && equality.Semantic.DeepEqual(cached, last.before) {
		return last.after
	}
	delete(s.written, object)
	return cached
}

// is takes down that a status took the place of the one that the cache showed.
func (s *standing[S]) is(object types.UID, cached, after *S, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written == nil {
		s.written = map[types.UID]written[S]{}
	}
	for uid, old := range s.written { // objects that are gone
		if now.Sub(old.at) >= cacheLag {
			delete(s.written, uid)
		}
	}
	s.written[object] = written[S]{now, cached, after}
}

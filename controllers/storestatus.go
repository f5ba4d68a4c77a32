// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
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

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
)

const (
	// appliedAnnotation holds the hash of what was last applied to a child: what is left out since is seen by it.
	appliedAnnotation = "kafka.samsa.dev/applied"
	// foreignCheck is how soon to look again whether an object that is in the way has gone: nothing tells of those.
	foreignCheck = 5 * time.Second
)

// conflictError says that an object of the name we need is somebody else's. left says whose: an owner's of the same
// kind and name that was deleted, so that the garbage collector is about to remove it.
type conflictError struct {
	kind, name, owner string
	left              bool
}

// Error implements error.
func (e *conflictError) Error() string {
	if e.left {
		return fmt.Sprintf("%s %s of a deleted %s of this name is still there: waiting for Kubernetes' garbage "+
			"collector to remove it", e.kind, e.name, e.owner)
	}
	return fmt.Sprintf("%s %s exists and does not belong to this %s: delete it or rename one of the two",
		e.kind, e.name, e.owner)
}

// refusal is what somebody has to mend: an object in the way, or one that the API server will not have. It is false for
// errors that the next attempt may not meet, and for none.
func refusal(err error) (blocker, bool) {
	conflict, foreign := errors.AsType[*conflictError](err)
	switch {
	case foreign && conflict.left:
		return blocker{reason: v1alpha1.ReasonProgressing, message: conflict.Error(), waits: true}, true
	case foreign:
		return blocker{reason: v1alpha1.ReasonNameConflict, message: conflict.Error()}, true
	case apierrors.IsInvalid(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err):
		return blocker{reason: v1alpha1.ReasonApplyFailed, message: err.Error()}, true
	}
	return blocker{}, false
}

// owner is an object of samsa's API that others are made for.
type owner struct {
	client.Object
	kind string
}

// applier makes objects what they should be.
type applier struct {
	client client.Client
	// reader asks the API server itself, about objects that the cache does not have.
	reader client.Reader
}

// ensure applies one object, unless it stands there just so. It tells whether something changed.
func (a applier) ensure(ctx context.Context, of owner, live client.Object, desired any) (changed bool, err error) {
	apply, err := stamped(desired)
	if err != nil {
		return false, err
	}
	found, err := a.find(ctx, of, live, apply)
	if err != nil {
		return false, err
	}
	if found {
		same, err := stands(live, apply)
		if same || err != nil {
			return false, err
		}
	}
	configuration := client.ApplyConfigurationFromUnstructured(apply)
	if err := a.client.Apply(ctx, configuration, fieldOwner, client.ForceOwnership); err != nil {
		return false, fmt.Errorf("apply %s %s: %w", apply.GetKind(), apply.GetName(), err)
	}
	// Where somebody's admission webhook insists on its own mind the object is what it was, and that is as far as it gets.
	return apply.GetResourceVersion() != live.GetResourceVersion(), nil
}

// find reads an object from the cache into live and tells whether it was there. The cache need not have what is not
// ours, so before anything is made the API server is asked.
func (a applier) find(
	ctx context.Context, of owner, live client.Object, apply *unstructured.Unstructured,
) (bool, error) {
	key := client.ObjectKeyFromObject(apply)
	err := a.client.Get(ctx, key, live)
	cached := err == nil
	if apierrors.IsNotFound(err) {
		if err = a.reader.Get(ctx, key, live); apierrors.IsNotFound(err) {
			return false, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", apply.GetKind(), key.Name, err)
	}
	if !metav1.IsControlledBy(live, of) {
		return false, &conflictError{kind: apply.GetKind(), name: key.Name, owner: of.kind, left: leftBehind(live, of)}
	}
	if !live.GetDeletionTimestamp().IsZero() {
		return false, fmt.Errorf("%s %s is being deleted", apply.GetKind(), key.Name)
	}
	return cached, nil
}

// remove deletes an object of an owner's that is not needed any more, and tells whether there was one.
func (a applier) remove(ctx context.Context, of owner, key client.ObjectKey, live client.Object) (bool, error) {
	err := a.client.Get(ctx, key, live)
	if err != nil || !metav1.IsControlledBy(live, of) || !live.GetDeletionTimestamp().IsZero() {
		return false, client.IgnoreNotFound(err)
	}
	uid := live.GetUID()
	return true, client.IgnoreNotFound(a.client.Delete(ctx, live, client.Preconditions{UID: &uid}))
}

// leftBehind tells that an object belongs to an earlier owner of the same kind and name.
func leftBehind(live client.Object, of owner) bool {
	before := metav1.GetControllerOf(live)
	return before != nil && before.Kind == of.kind && before.Name == of.GetName() &&
		strings.HasPrefix(before.APIVersion, v1alpha1.GroupVersion.Group+"/")
}

// stamped is a configuration with the hash of itself.
func stamped(desired any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(desired)
	if err != nil {
		return nil, fmt.Errorf("write an object: %w", err)
	}
	apply := &unstructured.Unstructured{}
	if err := apply.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("read an object: %w", err)
	}
	annotations := apply.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[appliedAnnotation] = digest(data)
	apply.SetAnnotations(annotations)
	return apply, nil
}

// digest is short, and the same for the same bytes.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// stands tells that an object holds everything of what is to be applied, and nothing that was applied before and is
// left out now.
func stands(live client.Object, apply *unstructured.Unstructured) (bool, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return false, fmt.Errorf("convert %s: %w", apply.GetKind(), err)
	}
	delete(content, "status")
	desired := apply.DeepCopy().Object
	for _, known := range []string{"apiVersion", "kind"} { // the cache's objects leave them out
		delete(desired, known)
	}
	return covers(content, desired), nil
}

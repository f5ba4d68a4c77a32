// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Tries to reach an API server that is away: every 2 s at most, not every 30 s to 60 s as is usual. It serves one
// person, who watches how soon everything is well again.
const (
	firstRetry = 250 * time.Millisecond
	mostRetry  = 2 * time.Second
	retrySteps = 4 // 250 ms doubled thrice is 2 s
)

// mirror is a copy of all objects of a kind that follows the API server's. Every change wakes its reader, who looks at
// the whole.
type mirror struct {
	cache.Store
	resource string
	kind     runtime.Object
	changed  func()
	synced   atomic.Bool
}

func newMirror(resource string, kind runtime.Object, changed func()) *mirror {
	return &mirror{
		Store: cache.NewStore(cache.MetaNamespaceKeyFunc), resource: resource, kind: kind, changed: changed,
	}
}

// run follows until ctx ends.
func (m *mirror) run(ctx context.Context, client rest.Interface) {
	source := cache.NewListWatchFromClient(client, m.resource, corev1.NamespaceAll, fields.Everything())
	reflector := cache.NewReflectorWithOptions(source, m.kind, m, cache.ReflectorOptions{
		Name:    "samsa-local node " + m.resource,
		Backoff: &wait.Backoff{Duration: firstRetry, Cap: mostRetry, Steps: retrySteps, Factor: 2, Jitter: 0.2},
	})
	reflector.RunWithContext(ctx)
}

// Add implements cache.ReflectorStore.
func (m *mirror) Add(object any) error {
	defer m.changed()
	return m.Store.Add(object)
}

// Update implements cache.ReflectorStore.
func (m *mirror) Update(object any) error {
	defer m.changed()
	return m.Store.Update(object)
}

// Delete implements cache.ReflectorStore.
func (m *mirror) Delete(object any) error {
	defer m.changed()
	return m.Store.Delete(object)
}

// Replace implements cache.ReflectorStore.
func (m *mirror) Replace(objects []any, version string) error {
	err := m.Store.Replace(objects, version)
	m.synced.Store(true)
	m.changed()
	return err
}

// mirrored is what pods refer to, out of mirrors.
type mirrored struct{ configMaps, secrets *mirror }

func (m mirrored) configMap(namespace, name string) (*corev1.ConfigMap, error) {
	return find[*corev1.ConfigMap](m.configMaps, namespace, name)
}

func (m mirrored) secret(namespace, name string) (*corev1.Secret, error) {
	return find[*corev1.Secret](m.secrets, namespace, name)
}

func find[T any](m *mirror, namespace, name string) (T, error) {
	object, exists, err := m.GetByKey(namespace + "/" + name)
	if found, ok := object.(T); ok && exists && err == nil {
		return found, nil
	}
	var none T
	return none, apierrors.NewNotFound(corev1.Resource(m.resource), name)
}

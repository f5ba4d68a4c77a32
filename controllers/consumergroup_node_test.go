// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/worker"
)

// node is what envtest has not: the StatefulSet controller, and a kubelet that runs each pod as a worker in a
// goroutine, at an address of its own. It goes round for one namespace until it is stopped.
type node struct {
	namespace string
	directory string
	// idle makes pods that run nothing; broken says of a template whether its pods crash.
	idle   bool
	broken func(*corev1.PodTemplateSpec) bool
	// workers are those that run, by pod's uid. Only the node's goroutine uses them.
	workers map[string]*running
	stop    func()
}

type running struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

// addresses are given out once in this process: 127.77.0.1 and on.
var addresses atomic.Int32

func startNode(ctx context.Context, namespace string, configure ...func(*node)) *node {
	GinkgoHelper()
	n := &node{
		namespace: namespace, directory: GinkgoT().TempDir(), workers: map[string]*running{},
		broken: func(*corev1.PodTemplateSpec) bool { return false },
	}
	for _, change := range configure {
		change(n)
	}
	going, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var round sync.WaitGroup
	round.Go(func() {
		defer GinkgoRecover()
		n.run(going)
	})
	n.stop = sync.OnceFunc(func() {
		cancel()
		round.Wait()
	})
	DeferCleanup(n.stop)
	return n
}

// idle is a node whose pods are ready and run nothing.
func idle(n *node) { n.idle = true }

func (n *node) run(ctx context.Context) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			for uid := range n.workers {
				n.end(uid)
			}
			return
		case <-tick.C:
			if err := n.round(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				GinkgoWriter.Printf("node: %v\n", err)
			}
		}
	}
}

func (n *node) round(ctx context.Context) error {
	var sets appsv1.StatefulSetList
	if err := api.List(ctx, &sets, client.InNamespace(n.namespace)); err != nil {
		return err
	}
	for i := range sets.Items {
		if err := n.serve(ctx, &sets.Items[i]); err != nil {
			return err
		}
	}
	return nil
}

// serve makes one step of what a StatefulSet controller does, Parallel and RollingUpdate.
func (n *node) serve(ctx context.Context, set *appsv1.StatefulSet) error {
	pods, err := n.podsOf(ctx, set)
	if err != nil {
		return err
	}
	revision := revisionOf(set)
	unready := false
	for ordinal := int32(len(pods)) - 1; ordinal >= *set.Spec.Replicas; ordinal-- {
		if pod := pods[ordinal]; pod != nil {
			if err := n.kill(ctx, pod); err != nil {
				return err
			}
		}
	}
	for ordinal := *set.Spec.Replicas - 1; ordinal >= 0; ordinal-- {
		var pod *corev1.Pod
		if int(ordinal) < len(pods) {
			pod = pods[ordinal]
		}
		switch {
		case pod == nil:
			if err := n.start(ctx, set, ordinal, revision); err != nil {
				return err
			}
			unready = true
		case pod.Labels[appsv1.StatefulSetRevisionLabel] != revision && !unready:
			return n.kill(ctx, pod)
		default:
			if err := n.mount(ctx, pod); err != nil {
				return err
			}
			unready = unready || !podReady(pod)
		}
	}
	return n.report(ctx, set, revision)
}

func (n *node) podsOf(ctx context.Context, set *appsv1.StatefulSet) ([]*corev1.Pod, error) {
	var list corev1.PodList
	if err := api.List(ctx, &list,
		client.InNamespace(n.namespace), client.MatchingLabels(set.Spec.Selector.MatchLabels)); err != nil {
		return nil, err
	}
	var pods []*corev1.Pod
	for i := range list.Items {
		ordinal, err := strconv.Atoi(strings.TrimPrefix(list.Items[i].Name, set.Name+"-"))
		if err != nil || !metav1.IsControlledBy(&list.Items[i], set) {
			continue
		}
		for len(pods) <= ordinal {
			pods = append(pods, nil)
		}
		pods[ordinal] = &list.Items[i]
	}
	return pods, nil
}

func (n *node) start(ctx context.Context, set *appsv1.StatefulSet, ordinal int32, revision string) error {
	template := set.Spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: *template.ObjectMeta.DeepCopy(), Spec: template.Spec}
	pod.Namespace, pod.Name = set.Namespace, fmt.Sprintf("%s-%d", set.Name, ordinal)
	pod.Labels[appsv1.StatefulSetRevisionLabel] = revision
	owner := metav1.NewControllerRef(set, appsv1.SchemeGroupVersion.WithKind("StatefulSet"))
	pod.OwnerReferences = []metav1.OwnerReference{*owner}
	if err := api.Create(ctx, pod); err != nil {
		return err
	}
	number := addresses.Add(1)
	pod.Status.PodIP = fmt.Sprintf("127.77.%d.%d", number/250, number%250+1)
	pod.Status.Phase = corev1.PodRunning
	healthy := corev1.ConditionTrue
	if n.broken(template) {
		healthy = corev1.ConditionFalse
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name:  "worker",
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		}}
	} else if !n.idle {
		if err := n.launch(ctx, pod); err != nil {
			return err
		}
	}
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: healthy}}
	return api.Status().Update(ctx, pod)
}

func (n *node) launch(ctx context.Context, pod *corev1.Pod) error {
	var configMap corev1.ConfigMap
	name := pod.Spec.Volumes[0].ConfigMap.Name
	if err := api.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, &configMap); err != nil {
		return err
	}
	path := filepath.Join(n.directory, string(pod.UID), "config", "worker.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := n.mount(ctx, pod); err != nil {
		return err
	}
	// What a pod's environment would say; several workers are one process here, so it stands in the file.
	text := configMap.Data["worker.yaml"] + "member: " + pod.Name + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	config, err := worker.LoadAt(path, pod.Status.PodIP) //nolint:contextcheck // it reads files
	if err != nil {
		return err
	}
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &running{cancel: cancel, ended: make(chan struct{})}
	n.workers[string(pod.UID)] = w
	go func() {
		defer close(w.ended)
		if err := worker.Run(own, config, testLogger()); err != nil {
			GinkgoWriter.Printf("%s: %v\n", pod.Name, err)
		}
	}()
	return nil
}

// mount writes the Secrets of a pod as files, where its configuration looks for them; again and again, as a kubelet
// does.
func (n *node) mount(ctx context.Context, pod *corev1.Pod) error {
	for _, volume := range pod.Spec.Volumes {
		if volume.Secret == nil {
			continue
		}
		var secret corev1.Secret
		key := client.ObjectKey{Namespace: pod.Namespace, Name: volume.Secret.SecretName}
		if err := api.Get(ctx, key, &secret); err != nil {
			return err
		}
		directory := filepath.Join(n.directory, string(pod.UID), "secrets", volume.Name)
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
		for _, item := range volume.Secret.Items {
			if err := replace(filepath.Join(directory, item.Path), secret.Data[item.Key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// replace writes a file that others read meanwhile: they see what it held before, or what it holds now.
func replace(path string, data []byte) error {
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// kill ends a pod as a kubelet does: the worker drains, then the pod goes.
func (n *node) kill(ctx context.Context, pod *corev1.Pod) error {
	n.end(string(pod.UID))
	return client.IgnoreNotFound(api.Delete(ctx, pod, client.GracePeriodSeconds(0)))
}

func (n *node) end(uid string) {
	if w, ok := n.workers[uid]; ok {
		w.cancel()
		<-w.ended
		delete(n.workers, uid)
	}
}

func (n *node) report(ctx context.Context, set *appsv1.StatefulSet, revision string) error {
	pods, err := n.podsOf(ctx, set)
	if err != nil {
		return err
	}
	status := appsv1.StatefulSetStatus{
		ObservedGeneration: set.Generation, UpdateRevision: revision, CurrentRevision: set.Status.CurrentRevision,
		CollisionCount: set.Status.CollisionCount,
	}
	for _, pod := range pods {
		if pod == nil {
			continue
		}
		status.Replicas++
		if podReady(pod) {
			status.ReadyReplicas++
			status.AvailableReplicas++
		}
		if pod.Labels[appsv1.StatefulSetRevisionLabel] == revision {
			status.UpdatedReplicas++
		}
	}
	done := status.UpdatedReplicas == status.Replicas && status.ReadyReplicas == status.Replicas
	if done || status.CurrentRevision == "" {
		status.CurrentRevision = revision
	}
	if equalJSON(set.Status, status) {
		return nil
	}
	set.Status = status
	return api.Status().Update(ctx, set)
}

func equalJSON(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

func revisionOf(set *appsv1.StatefulSet) string {
	text, err := json.Marshal(set.Spec.Template)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return set.Name + "-" + hex.EncodeToString(sum[:4])
}

func podReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// withReplicas sets the number of workers.
func withReplicas(group *v1alpha1.ConsumerGroup, replicas int32) *v1alpha1.ConsumerGroup {
	group.Spec.Replicas = new(replicas)
	return group
}

// children are the objects of a group that have its name.
func children(name, namespace string) []client.Object {
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	return []client.Object{
		&appsv1.StatefulSet{ObjectMeta: meta}, &corev1.Service{ObjectMeta: meta},
		&policyv1.PodDisruptionBudget{ObjectMeta: meta},
	}
}

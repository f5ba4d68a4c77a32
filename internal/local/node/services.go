// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// dialTimeout bounds one connection. On one machine it is there at once or refused; what is elsewhere has its time.
const dialTimeout = 10 * time.Second

// services finds the pods behind Services, as the mirrors have them at that moment. Nobody computes EndpointSlices
// here: the API server refuses addresses of loopback in them.
type services struct{ services, pods *mirror }

// serviceOf takes NAME.NAMESPACE.svc[.cluster.local][.] apart. ours is true of every name that no other domain can
// have, one to which a resolver has added its own domain included.
func serviceOf(host string) (key types.NamespacedName, named, ours bool) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	bare := strings.TrimSuffix(host, ".cluster.local")
	front, ok := strings.CutSuffix(bare, ".svc")
	if !ok {
		return key, false, bare != host || strings.Contains(host, ".svc.")
	}
	name, namespace, ok := strings.Cut(front, ".")
	if !ok || name == "" || namespace == "" || strings.Contains(namespace, ".") {
		return key, false, true
	}
	return types.NamespacedName{Namespace: namespace, Name: name}, true, true
}

// find gives a Service and the pods that stand behind it, those that are ready and stay, by name.
func (s *services) find(key types.NamespacedName) (*corev1.Service, []*corev1.Pod, error) {
	service, err := find[*corev1.Service](s.services, key.Namespace, key.Name)
	if err != nil {
		return nil, nil, fmt.Errorf("there is no Service %s in namespace %s", key.Name, key.Namespace)
	}
	if len(service.Spec.Selector) == 0 {
		return service, nil, nil
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	var behind []*corev1.Pod
	for _, object := range s.pods.List() {
		pod, ok := object.(*corev1.Pod)
		if ok && pod.Namespace == key.Namespace && selector.Matches(labels.Set(pod.Labels)) && takesPart(service, pod) {
			behind = append(behind, pod)
		}
	}
	slices.SortFunc(behind, func(a, b *corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return service, behind, nil
}

// takesPart reports whether a Service leads to a pod.
func takesPart(service *corev1.Service, pod *corev1.Pod) bool {
	over := pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
	if pod.Status.PodIP == "" || over {
		return false
	}
	if service.Spec.PublishNotReadyAddresses {
		return true
	}
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// endpoints are where a port of a Service leads to now, host:port. With none the error says why.
func (s *services) endpoints(key types.NamespacedName, port string) ([]string, error) {
	service, pods, err := s.find(key)
	if err != nil {
		return nil, err
	}
	var all []string
	target, err := targetOf(service, port)
	if err != nil {
		return nil, err
	}
	for _, pod := range pods {
		if number := numberOf(pod, target); number > 0 {
			all = append(all, net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(int(number))))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no pod behind Service %s in namespace %s is ready", key.Name, key.Namespace)
	}
	return all, nil
}

// targetOf is the port of pods that a port of a Service leads to. One without an address of its own has no ports of its
// own either: who comes there comes to the pods.
func targetOf(service *corev1.Service, port string) (intstr.IntOrString, error) {
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return intstr.IntOrString{}, fmt.Errorf("port %q is no number", port)
	}
	if service.Spec.ClusterIP == corev1.ClusterIPNone {
		return intstr.FromInt32(int32(number)), nil
	}
	for _, offered := range service.Spec.Ports {
		udp := offered.Protocol == corev1.ProtocolUDP || offered.Protocol == corev1.ProtocolSCTP
		if udp || int64(offered.Port) != number {
			continue
		}
		if offered.TargetPort == (intstr.IntOrString{}) {
			return intstr.FromInt32(offered.Port), nil
		}
		return offered.TargetPort, nil
	}
	return intstr.IntOrString{}, fmt.Errorf("service %s has no port %d", service.Name, number)
}

// numberOf is a port of a pod, 0 if it has none of that name.
func numberOf(pod *corev1.Pod, port intstr.IntOrString) int32 {
	if port.Type == intstr.Int {
		return port.IntVal
	}
	for i := range pod.Spec.Containers {
		for _, declared := range pod.Spec.Containers[i].Ports {
			if declared.Name == port.StrVal {
				return declared.ContainerPort
			}
		}
	}
	return 0
}

// unreached says that no connection came about: whoever wanted to send something has not sent anything.
type unreached struct{ error }

func (u unreached) Unwrap() error { return u.error }

// dial connects to a Service's port, at any of the pods behind it that answers, or to whatever else there is. The error
// is unreached.
func (s *services) dial(ctx context.Context, network, address string) (net.Conn, error) {
	targets := []string{address}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, unreached{err}
	}
	if key, named, ours := serviceOf(host); named {
		if targets, err = s.endpoints(key, port); err != nil {
			return nil, unreached{err}
		}
		rand.Shuffle(len(targets), func(i, j int) { targets[i], targets[j] = targets[j], targets[i] })
	} else if ours {
		return nil, unreached{fmt.Errorf("%q is no Service: give NAME.NAMESPACE.svc", host)}
	}
	var errs []error
	for _, target := range targets {
		conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, target)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, unreached{errors.Join(errs...)}
}

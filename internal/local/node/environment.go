// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// objects are the ConfigMaps and Secrets that pods refer to. A missing one is an IsNotFound error.
type objects interface {
	configMap(namespace, name string) (*corev1.ConfigMap, error)
	secret(namespace, name string) (*corev1.Secret, error)
}

// variables are a container's environment.
type variables struct {
	values map[string]string
	names  []string // in the order of their declaration
}

func (v *variables) set(name, value string) {
	if _, known := v.values[name]; !known {
		v.names = append(v.names, name)
	}
	v.values[name] = value
}

// list is the environment as the operating system takes it.
func (v *variables) list() []string {
	list := make([]string, 0, len(v.names))
	for _, name := range v.names {
		list = append(list, name+"="+v.values[name])
	}
	return list
}

// resolver finds what fields and references stand for, for one pod that has its addresses in its status.
type resolver struct {
	pod     *corev1.Pod
	objects objects
	paths   paths
	// defaults are variables that every container has unless it declares them.
	defaults [][2]string
}

// environment resolves what a container declares. Literal values have their paths replaced; what comes out of a
// ConfigMap or Secret is left as it is.
func (r *resolver) environment(c *corev1.Container) (*variables, error) {
	v := &variables{values: map[string]string{}}
	for _, d := range r.defaults {
		v.set(d[0], d[1])
	}
	for i := range c.EnvFrom {
		if err := r.from(v, &c.EnvFrom[i]); err != nil {
			return nil, err
		}
	}
	for i := range c.Env {
		env := &c.Env[i]
		if env.ValueFrom == nil {
			value := expand(env.Value, v.values)
			if env.Name == bindingsRoot {
				value = r.paths.above(value)
			}
			v.set(env.Name, r.paths.replace(value))
			continue
		}
		value, found, err := r.value(c, env.ValueFrom)
		if err != nil {
			return nil, fmt.Errorf("env %s: %w", env.Name, err)
		}
		if found {
			v.set(env.Name, value)
		}
	}
	return v, nil
}

// from takes all of a ConfigMap or Secret.
func (r *resolver) from(v *variables, source *corev1.EnvFromSource) error {
	values := map[string]string{}
	var err error
	var optional *bool
	switch {
	case source.ConfigMapRef != nil:
		var object *corev1.ConfigMap
		optional = source.ConfigMapRef.Optional
		if object, err = r.objects.configMap(r.pod.Namespace, source.ConfigMapRef.Name); err == nil {
			values = object.Data
		}
	case source.SecretRef != nil:
		var object *corev1.Secret
		optional = source.SecretRef.Optional
		if object, err = r.objects.secret(r.pod.Namespace, source.SecretRef.Name); err == nil {
			for key, value := range object.Data {
				values[key] = string(value)
			}
		}
	}
	if apierrors.IsNotFound(err) && ptr.Deref(optional, false) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("envFrom: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		v.set(source.Prefix+key, values[key])
	}
	return nil
}

// value resolves one reference; not found is no error where it is optional.
func (r *resolver) value(c *corev1.Container, source *corev1.EnvVarSource) (value string, found bool, err error) {
	switch {
	case source.FieldRef != nil:
		value, err = field(r.pod, source.FieldRef.FieldPath)
		return value, err == nil, err
	case source.ResourceFieldRef != nil:
		value, err = resourceField(c, source.ResourceFieldRef)
		return value, err == nil, err
	case source.ConfigMapKeyRef != nil:
		ref := source.ConfigMapKeyRef
		object, err := r.objects.configMap(r.pod.Namespace, ref.Name)
		if err == nil {
			value, found = object.Data[ref.Key]
		}
		return value, found, missing(err, found, "ConfigMap", ref.Name, ref.Key, ref.Optional)
	case source.SecretKeyRef != nil:
		ref := source.SecretKeyRef
		object, err := r.objects.secret(r.pod.Namespace, ref.Name)
		if err == nil {
			var data []byte
			data, found = object.Data[ref.Key]
			value = string(data)
		}
		return value, found, missing(err, found, "Secret", ref.Name, ref.Key, ref.Optional)
	}
	return "", false, errors.New("its valueFrom is of a kind that samsa-local does not know")
}

// missing is the error for an object or key that is not there, unless it need not be.
func missing(err error, found bool, kind, name, key string, optional *bool) error {
	if ptr.Deref(optional, false) && (err == nil || apierrors.IsNotFound(err)) {
		return nil
	}
	if err == nil && !found {
		return fmt.Errorf("couldn't find key %s in %s %s", key, kind, name)
	}
	return err
}

// field is what the downward API gives for a path.
func field(pod *corev1.Pod, path string) (string, error) {
	if name, key, ok := subscript(path); ok {
		switch name {
		case "metadata.labels":
			return pod.Labels[key], nil
		case "metadata.annotations":
			return pod.Annotations[key], nil
		}
	}
	switch path {
	case "metadata.name":
		return pod.Name, nil
	case "metadata.namespace":
		return pod.Namespace, nil
	case "metadata.uid":
		return string(pod.UID), nil
	case "metadata.labels":
		return quoted(pod.Labels), nil
	case "metadata.annotations":
		return quoted(pod.Annotations), nil
	case "spec.nodeName":
		return pod.Spec.NodeName, nil
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName, nil
	case "status.podIP", "status.podIPs":
		return pod.Status.PodIP, nil
	case "status.hostIP", "status.hostIPs":
		return pod.Status.HostIP, nil
	}
	return "", fmt.Errorf("field %s is not offered by the downward API", path)
}

// subscript takes a path like metadata.labels['app'] apart.
func subscript(path string) (name, key string, ok bool) {
	name, rest, ok := strings.Cut(path, "['")
	key, closed := strings.CutSuffix(rest, "']")
	return name, key, ok && closed
}

// quoted is a map as the downward API writes it into files: key="value" by line, sorted.
func quoted(values map[string]string) string {
	lines := make([]string, 0, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, key+"="+strconv.Quote(values[key]))
	}
	return strings.Join(lines, "\n")
}

// resourceField is a request or limit, in units of the divisor, rounded up.
func resourceField(c *corev1.Container, ref *corev1.ResourceFieldSelector) (string, error) {
	kind, name, _ := strings.Cut(ref.Resource, ".")
	list := c.Resources.Limits
	switch kind {
	case "limits":
	case "requests":
		list = c.Resources.Requests
	default:
		return "", fmt.Errorf("resource %s: want limits.* or requests.*", ref.Resource)
	}
	quantity, declared := list[corev1.ResourceName(name)]
	if !declared {
		quantity = allocatable()[corev1.ResourceName(name)]
	}
	divisor := ref.Divisor
	if divisor.IsZero() {
		divisor = resource.MustParse("1")
	}
	if name == string(corev1.ResourceCPU) {
		return strconv.FormatInt(ceil(quantity.MilliValue(), divisor.MilliValue()), 10), nil
	}
	return strconv.FormatInt(ceil(quantity.Value(), divisor.Value()), 10), nil
}

func ceil(value, divisor int64) int64 {
	if divisor <= 0 {
		return value
	}
	return (value + divisor - 1) / divisor
}

// expand replaces $(NAME) by the variable's value, and leaves it where there is none; $$ stands for one $.
func expand(text string, values map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '$' || i+1 == len(text) {
			out.WriteByte(text[i])
			continue
		}
		switch text[i+1] {
		case '$':
			out.WriteByte('$')
			i++
		case '(':
			name, _, closed := strings.Cut(text[i+2:], ")")
			value, known := values[name]
			if !closed || !known {
				out.WriteByte('$')
				continue
			}
			out.WriteString(value)
			i += len(name) + 2
		default:
			out.WriteByte('$')
		}
	}
	return out.String()
}

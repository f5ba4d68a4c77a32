// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
)

// tree is what a volume holds, by path.
type tree map[string]file

type file struct {
	data string
	mode fs.FileMode
}

const (
	defaultMode = 0o644
	// defaultTokenLife is the API's own default for a projected token, in seconds: an hour.
	defaultTokenLife = 3600
	// tokenRenewAt is the part of a token's life after which it is written anew, a kubelet's.
	tokenRenewAt = 0.8
)

// volumes computes what the volumes of a pod hold.
type volumes struct {
	pod     *corev1.Pod
	objects objects
	// token asks the API server for a token of the pod.
	token func(context.Context, *corev1.ServiceAccountTokenProjection) (text string, expires time.Time, err error)
	now   func() time.Time
	// tokens are those of earlier computations, by where they lie.
	tokens map[string]token
	// renewAt is when the first of the tokens is to be renewed; zero without tokens.
	renewAt time.Time
}

type token struct {
	text    string
	renewAt time.Time
}

// hold gives what a volume holds. emptyDir has no tree of its own: nil.
func (v *volumes) hold(ctx context.Context, volume *corev1.Volume) (tree, error) {
	t := tree{}
	var err error
	switch {
	case volume.EmptyDir != nil:
		return nil, nil
	case volume.ConfigMap != nil:
		s := volume.ConfigMap
		err = v.addConfigMap(t, s.Name, s.Items, modeOf(s.DefaultMode), s.Optional)
	case volume.Secret != nil:
		s := volume.Secret
		err = v.addSecret(t, s.SecretName, s.Items, modeOf(s.DefaultMode), s.Optional)
	case volume.DownwardAPI != nil:
		err = v.addDownward(t, volume.DownwardAPI.Items, modeOf(volume.DownwardAPI.DefaultMode))
	case volume.Projected != nil:
		for i := range volume.Projected.Sources {
			source := &volume.Projected.Sources[i]
			if err = v.addProjected(ctx, t, volume.Name, source, modeOf(volume.Projected.DefaultMode)); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("volume %s: %w", volume.Name, err)
	}
	for name := range t {
		if !fs.ValidPath(name) || strings.HasPrefix(name, "..") {
			return nil, fmt.Errorf("volume %s: %q is no path inside it", volume.Name, name)
		}
	}
	return t, nil
}

func modeOf(mode *int32) fs.FileMode {
	return fs.FileMode(ptr.Deref(mode, defaultMode)) & fs.ModePerm //nolint:gosec // the API allows 0 to 0777
}

func (v *volumes) addProjected(
	ctx context.Context, t tree, volume string, s *corev1.VolumeProjection, mode fs.FileMode,
) error {
	switch {
	case s.ConfigMap != nil:
		return v.addConfigMap(t, s.ConfigMap.Name, s.ConfigMap.Items, mode, s.ConfigMap.Optional)
	case s.Secret != nil:
		return v.addSecret(t, s.Secret.Name, s.Secret.Items, mode, s.Secret.Optional)
	case s.DownwardAPI != nil:
		return v.addDownward(t, s.DownwardAPI.Items, mode)
	case s.ServiceAccountToken != nil:
		return v.addToken(ctx, t, volume, s.ServiceAccountToken)
	}
	return nil // unsupported has refused the others
}

func (v *volumes) addConfigMap(
	t tree, name string, items []corev1.KeyToPath, mode fs.FileMode, optional *bool,
) error {
	object, err := v.objects.configMap(v.pod.Namespace, name)
	if err != nil {
		return unlessOptional(err, optional)
	}
	values := maps.Clone(object.Data)
	if values == nil {
		values = map[string]string{}
	}
	for key, value := range object.BinaryData {
		values[key] = string(value)
	}
	return t.add("ConfigMap "+name, values, items, mode, optional)
}

func (v *volumes) addSecret(t tree, name string, items []corev1.KeyToPath, mode fs.FileMode, optional *bool) error {
	object, err := v.objects.secret(v.pod.Namespace, name)
	if err != nil {
		return unlessOptional(err, optional)
	}
	values := make(map[string]string, len(object.Data))
	for key, value := range object.Data {
		values[key] = string(value)
	}
	return t.add("Secret "+name, values, items, mode, optional)
}

func unlessOptional(err error, optional *bool) error {
	if apierrors.IsNotFound(err) && ptr.Deref(optional, false) {
		return nil
	}
	return err
}

// add takes all values under their keys, or the chosen ones under their paths.
func (t tree) add(
	what string, values map[string]string, items []corev1.KeyToPath, mode fs.FileMode, optional *bool,
) error {
	if len(items) == 0 {
		for key, value := range values {
			t[key] = file{value, mode}
		}
		return nil
	}
	for _, item := range items {
		value, found := values[item.Key]
		if !found {
			if ptr.Deref(optional, false) {
				continue
			}
			return fmt.Errorf("%s has no key %s", what, item.Key)
		}
		t[path.Clean(item.Path)] = file{value, itemMode(item.Mode, mode)}
	}
	return nil
}

func itemMode(own *int32, mode fs.FileMode) fs.FileMode {
	if own == nil {
		return mode
	}
	return modeOf(own)
}

func (v *volumes) addDownward(t tree, items []corev1.DownwardAPIVolumeFile, mode fs.FileMode) error {
	for _, item := range items {
		value, err := v.downward(&item)
		if err != nil {
			return fmt.Errorf("%s: %w", item.Path, err)
		}
		t[path.Clean(item.Path)] = file{value, itemMode(item.Mode, mode)}
	}
	return nil
}

func (v *volumes) downward(item *corev1.DownwardAPIVolumeFile) (string, error) {
	if item.FieldRef != nil {
		return field(v.pod, item.FieldRef.FieldPath)
	}
	ref := item.ResourceFieldRef
	if ref == nil {
		return "", nil
	}
	for i := range v.pod.Spec.Containers {
		if v.pod.Spec.Containers[i].Name == ref.ContainerName {
			return resourceField(&v.pod.Spec.Containers[i], ref)
		}
	}
	return "", fmt.Errorf("no container %s", ref.ContainerName)
}

// addToken takes the token that is there until most of its life is over.
func (v *volumes) addToken(
	ctx context.Context, t tree, volume string, s *corev1.ServiceAccountTokenProjection,
) error {
	const mode = 0o600
	key := volume + "/" + s.Path
	now := v.now()
	current := v.tokens[key]
	if current.text == "" || !now.Before(current.renewAt) {
		text, expires, err := v.token(ctx, s)
		if err != nil {
			return fmt.Errorf("token: %w", err)
		}
		life := time.Duration(float64(expires.Sub(now)) * tokenRenewAt)
		current = token{text: text, renewAt: now.Add(life)}
		v.tokens[key] = current
	}
	if v.renewAt.IsZero() || current.renewAt.Before(v.renewAt) {
		v.renewAt = current.renewAt
	}
	t[path.Clean(s.Path)] = file{current.text, mode}
	return nil
}

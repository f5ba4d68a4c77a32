// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// disk is a pod's directory:
//
//	volumes/<volume>          what containers share, and what is mounted in part
//	<container>/rootfs/...    mount paths; also the working directory
type disk struct {
	directory string
	volumes   *volumes
	written   map[string]*written // by directory
}

func newDisk(directory string, v *volumes) *disk {
	return &disk{directory: directory, volumes: v, written: map[string]*written{}}
}

// root is where a container's paths begin.
func (d *disk) root(container string) string { return filepath.Join(d.directory, container, "rootfs") }

// refresh writes what all volumes hold by now, where it is not written yet, and reports whether anything was.
func (d *disk) refresh(ctx context.Context) (changed bool, err error) {
	d.volumes.renewAt = time.Time{}
	holds := map[string]tree{}
	for i := range d.volumes.pod.Spec.Volumes {
		volume := &d.volumes.pod.Spec.Volumes[i]
		if holds[volume.Name], err = d.volumes.hold(ctx, volume); err != nil {
			return changed, err
		}
	}
	for i := range d.volumes.pod.Spec.Containers {
		c := &d.volumes.pod.Spec.Containers[i]
		if err := os.MkdirAll(d.root(c.Name), 0o700); err != nil {
			return changed, fmt.Errorf("directory of the pod: %w", err)
		}
		// The outer mount has to be there before the one inside it.
		for _, m := range byDepth(c.VolumeMounts) {
			fresh, err := d.mount(m, holds[m.Name], filepath.Join(d.root(c.Name), filepath.Clean("/"+m.MountPath)))
			if err != nil {
				return changed, fmt.Errorf("mount %s: %w", m.MountPath, err)
			}
			changed = changed || fresh
		}
	}
	return changed, nil
}

// byDepth sorts mounts so that an outer one comes before those inside it.
func byDepth(mounts []corev1.VolumeMount) []corev1.VolumeMount {
	return slices.SortedFunc(slices.Values(mounts), func(a, b corev1.VolumeMount) int {
		return len(a.MountPath) - len(b.MountPath)
	})
}

// mount puts a volume at a path of a container.
func (d *disk) mount(m corev1.VolumeMount, t tree, at string) (changed bool, err error) {
	if t != nil && m.SubPath == "" {
		return d.place(at).write(t)
	}
	shared := filepath.Join(d.directory, "volumes", m.Name)
	if t != nil {
		changed, err = d.place(shared).write(t)
	} else {
		err = os.MkdirAll(filepath.Join(shared, m.SubPath), 0o700)
	}
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return false, err
	}
	if err := os.Symlink(filepath.Join(shared, m.SubPath), at); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	}
	return changed, nil
}

func (d *disk) place(directory string) *written {
	w := d.written[directory]
	if w == nil {
		w = &written{directory: directory}
		d.written[directory] = w
	}
	return w
}

// remove leaves nothing, above all no secret.
func (d *disk) remove() error {
	if err := os.RemoveAll(d.directory); err != nil {
		return fmt.Errorf("directory of the pod: %w", err)
	}
	return nil
}

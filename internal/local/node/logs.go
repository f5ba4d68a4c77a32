// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Logs lie in <directory>/logs/<namespace>_<pod>_<uid>/<container>/<restarts>.log, as a kubelet's do. Those of the
// present run of a container and of the one before are kept, also when the pod is gone: of the pods that went last.

// goneLogs is how many pods that are gone have their logs kept. A container's are 40 MiB at most, two runs of two
// files; of workers, whose logs are short, all of it is some MiB.
const goneLogs = 20

// pruneLogs removes the logs of pods that are gone, but for those that started last.
func pruneLogs(directory string, lives func(uid types.UID) bool) error {
	directory = filepath.Join(directory, "logs")
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("logs: %w", err)
	}
	var gone []os.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && !lives(types.UID(entry.Name()[strings.LastIndex(entry.Name(), "_")+1:])) {
			gone = append(gone, info)
		}
	}
	slices.SortFunc(gone, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var failures []error
	for _, info := range gone[min(len(gone), goneLogs):] {
		failures = append(failures, os.RemoveAll(filepath.Join(directory, info.Name())))
	}
	return errors.Join(failures...)
}

func podLogs(directory string, pod *corev1.Pod) string {
	return filepath.Join(directory, "logs", fmt.Sprintf("%s_%s_%s", pod.Namespace, pod.Name, pod.UID))
}

// openLogs makes the directory of a container's logs and drops what is older than the run before.
func openLogs(directory string, pod *corev1.Pod, container string, run int32) (file string, err error) {
	directory = filepath.Join(podLogs(directory, pod), container)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return "", fmt.Errorf("log: %w", err)
	}
	entries, err := os.ReadDir(directory)
	if err != nil {
		return "", fmt.Errorf("log: %w", err)
	}
	for _, entry := range entries {
		if n, ok := runOf(entry.Name()); ok && n < int(run)-1 {
			_ = os.Remove(filepath.Join(directory, entry.Name())) // tried again with the next run
		}
	}
	return filepath.Join(directory, fmt.Sprintf("%d.log", run)), nil
}

// runOf reads the number in the name of a log, 3.log or 3.log.old.
func runOf(name string) (int, bool) {
	number, _, ok := strings.Cut(name, ".log")
	n, err := strconv.Atoi(number)
	return n, ok && err == nil
}

// FindLog finds the log of a pod's container, of the newest pod of that name. container may be empty where the pod has
// but one; previous is the run before the present one. directory is that of the node.
func FindLog(directory, namespace, pod, container string, previous bool) (string, error) {
	home, err := newest(filepath.Join(directory, "logs"), namespace+"_"+pod+"_")
	if err != nil {
		return "", err
	}
	if home == "" {
		return "", fmt.Errorf("no pod %s has run in namespace %s", pod, namespace)
	}
	if container == "" {
		if container, err = only(home); err != nil {
			return "", fmt.Errorf("pod %s: %w", pod, err)
		}
	}
	entries, err := os.ReadDir(filepath.Join(home, container))
	if err != nil {
		return "", fmt.Errorf("pod %s has no container %s", pod, container)
	}
	last := -1
	for _, entry := range entries {
		if n, ok := runOf(entry.Name()); ok {
			last = max(last, n)
		}
	}
	if previous {
		last--
	}
	file := filepath.Join(home, container, fmt.Sprintf("%d.log", last))
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("container %s of pod %s has no such run", container, pod)
	}
	return file, nil
}

// newest is the directory of this prefix that was changed last; empty if there is none.
func newest(directory, prefix string) (string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // before the first pod there are no logs
		return "", fmt.Errorf("logs: %w", err)
	}
	var found os.FileInfo
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && strings.HasPrefix(entry.Name(), prefix) && (found == nil || info.ModTime().After(found.ModTime())) {
			found = info
		}
	}
	if found == nil {
		return "", nil
	}
	return filepath.Join(directory, found.Name()), nil
}

// only is the one entry of a directory.
func only(directory string) (string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return "", fmt.Errorf("logs: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 1 {
		return "", fmt.Errorf("name one of its containers: %s", strings.Join(names, ", "))
	}
	return names[0], nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
)

// dataLink is the link through which all files of a volume are read; it is replaced by a rename, so that a reader sees
// the files of one version alone. (As a kubelet does, whose readers know the name.)
const dataLink = "..data"

// written is a volume in one place, with what was last written there.
type written struct {
	directory string
	holds     tree // nil before the first time
}

// write makes the directory hold just what the tree does, and reports whether that is new.
func (w *written) write(t tree) (changed bool, err error) {
	if w.holds != nil && maps.Equal(w.holds, t) {
		return false, nil
	}
	if err := w.replace(t); err != nil {
		return false, fmt.Errorf("write %s: %w", w.directory, err)
	}
	w.holds = t
	return true, nil
}

func (w *written) replace(t tree) error {
	if err := os.MkdirAll(w.directory, 0o700); err != nil {
		return err
	}
	old, err := os.Readlink(filepath.Join(w.directory, dataLink))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	fresh, err := os.MkdirTemp(w.directory, "..version-")
	if err != nil {
		return err
	}
	for name, f := range t {
		path := filepath.Join(fresh, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.data), f.mode); err != nil {
			return err
		}
	}
	next := filepath.Join(w.directory, dataLink+"_next")
	if err := os.Symlink(filepath.Base(fresh), next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(w.directory, dataLink)); err != nil {
		return err
	}
	return errors.Join(w.link(t), w.forget(old))
}

// link gives every file its name, and takes the names that nothing stands behind any more.
func (w *written) link(t tree) error {
	names := map[string]bool{}
	for name := range t {
		first, _, _ := strings.Cut(name, "/")
		names[first] = true
	}
	entries, err := os.ReadDir(w.directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); names[name] {
			delete(names, name)
		} else if !strings.HasPrefix(name, "..") {
			err = errors.Join(err, os.Remove(filepath.Join(w.directory, name)))
		}
	}
	for name := range names {
		err = errors.Join(err, os.Symlink(filepath.Join(dataLink, name), filepath.Join(w.directory, name)))
	}
	return err
}

func (w *written) forget(old string) error {
	if old == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(w.directory, filepath.Base(old)))
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import (
	"os"
	"slices"
	"strings"
	"time"
)

// Read reads a file that the configuration names; false if it names none or it cannot be read.
func (f *Faults) Read(path, file string) ([]byte, bool) {
	if file == "" {
		return nil, false
	}
	data, err := os.ReadFile(file)
	if err != nil {
		f.Add(path, "cannot be read: %v", err)
		return nil, false
	}
	return data, true
}

// OneOf checks that a value is one of those that there are.
func OneOf[T ~string](f *Faults, path string, value T, allowed ...T) {
	if slices.Contains(allowed, value) {
		return
	}
	names := make([]string, len(allowed))
	for i, name := range allowed {
		names[i] = string(name)
	}
	last := len(names) - 1
	f.Add(path, "is %q; it can be %s or %s", string(value), strings.Join(names[:last], ", "), names[last])
}

// Between checks that a duration is neither too short nor too long.
func Between(f *Faults, path string, value Duration, low, high time.Duration) {
	switch {
	case time.Duration(value) < low:
		f.Add(path, "%s is too short; give at least %s", value, low)
	case time.Duration(value) > high:
		f.Add(path, "%s is too long; give at most %s", value, high)
	}
}

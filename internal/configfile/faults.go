// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Faults collects everything that is wrong with a configuration, at most one fault per field.
type Faults struct {
	list []fault
}

type fault struct{ path, text string }

// Add reports a fault, unless the field or one that contains it has one already: the first says what to mend, more
// would only follow from it.
func (f *Faults) Add(path, format string, args ...any) {
	if f.Has(path) {
		return
	}
	f.list = append(f.list, fault{path: path, text: fmt.Sprintf(format, args...)})
}

// Also reports a fault of a field that may have others.
func (f *Faults) Also(path, text string) { f.list = append(f.list, fault{path: path, text: text}) }

// Has reports whether the field, or one that contains it, has a fault.
func (f *Faults) Has(path string) bool {
	return slices.ContainsFunc(f.list, func(known fault) bool {
		rest, inside := strings.CutPrefix(path, known.path)
		return inside && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// Within reports whether the field, or one that it contains, has a fault.
func (f *Faults) Within(path string) bool {
	return slices.ContainsFunc(f.list, func(known fault) bool { return strings.HasPrefix(known.path, path) })
}

// Err is all faults, a line each; nil if there are none.
func (f *Faults) Err() error {
	lines := make([]error, 0, len(f.list))
	for _, fault := range f.list {
		lines = append(lines, errors.New(fault.path+": "+fault.text))
	}
	return errors.Join(lines...)
}

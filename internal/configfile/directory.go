// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package configfile

import "path/filepath"

// Directory is what the names of files in a configuration are relative to; empty for the working directory.
type Directory string

// DirectoryOf is the directory of the configuration itself.
func DirectoryOf(file string) Directory { return Directory(filepath.Dir(file)) }

// Place makes the names of files, as far as they are relative, relative to the working directory. A name that is empty
// stays so.
func (d Directory) Place(files ...*string) {
	for _, file := range files {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(string(d), *file)
		}
	}
}

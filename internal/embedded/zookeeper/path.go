// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package zookeeper

import (
	"strings"
	"unicode/utf8"
)

// splitPath cuts a path at its last slash. The parent of a node at the top is the empty string, which is the
// root under another name, as in the real tree.
func splitPath(path string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 || strings.IndexByte(path, 0) >= 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// rootOr names the root as watches know it.
func rootOr(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// validPath follows PathUtils.validatePath.
func validPath(path string) bool {
	if path == "/" {
		return true
	}
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return false
	}
	for name := range strings.SplitSeq(path[1:], "/") {
		if name == "" || name == "." || name == ".." || strings.ContainsFunc(name, invalidRune) {
			return false
		}
	}
	return true
}

// invalidRune follows the check of UTF-16 units there: what lies beyond the basic plane is made of
// surrogates, and bytes that are no UTF-8 decode to U+FFFD; both are refused.
func invalidRune(r rune) bool {
	switch {
	case r <= 0x1f, r >= 0x7f && r <= 0x9f, r >= 0xd800 && r <= 0xf8ff, r >= 0xfff0, r == utf8.RuneError:
		return true
	}
	return false
}

// special paths are the server's own and cannot be deleted.
func special(path string) bool {
	switch path {
	case "/", pathZooKeeper, pathQuota, pathConfig:
		return true
	}
	return false
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// paths says where a container's mount paths lie on this machine.
type paths []mount

type mount struct{ inside, outside string }

// mountPaths puts every mount of a container below a directory. Longer paths come first, so that the mount inside
// another one is found.
func mountPaths(c *corev1.Container, root string) paths {
	all := make(paths, 0, len(c.VolumeMounts))
	for _, m := range c.VolumeMounts {
		inside := path.Clean("/" + m.MountPath)
		all = append(all, mount{inside: inside, outside: path.Join(root, inside)})
	}
	slices.SortFunc(all, func(a, b mount) int { return len(b.inside) - len(a.inside) })
	return all
}

// ends are the characters that a path may stand between in an argument, as in --file=/a/b,/c or a:b.
const ends = "=:,; \t\n\"'()[]{}|&<>"

// replace replaces mount paths in a text: where one stands by itself or begins a longer path.
func (p paths) replace(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		if m, ok := p.at(text, i); ok {
			out.WriteString(m.outside)
			i += len(m.inside)
			continue
		}
		out.WriteByte(text[i])
		i++
	}
	return out.String()
}

// at finds the mount whose path begins at i.
func (p paths) at(text string, i int) (mount, bool) {
	if text[i] != '/' || i > 0 && !strings.ContainsRune(ends, rune(text[i-1])) {
		return mount{}, false
	}
	for _, m := range p {
		rest, ok := strings.CutPrefix(text[i:], m.inside)
		if ok && m.inside != "/" && (rest == "" || rest[0] == '/' || strings.ContainsRune(ends, rune(rest[0]))) {
			return m, true
		}
	}
	return mount{}, false
}

// bindingsRoot names, as the Service Binding specification has it, a directory that bindings are mounted in: no mount
// path itself.
const bindingsRoot = "SERVICE_BINDING_ROOT"

// above is where a directory lies that mounts are in; the directory itself if none is.
func (p paths) above(directory string) string {
	clean := path.Clean(directory)
	for _, m := range p {
		if strings.HasPrefix(m.inside, strings.TrimSuffix(clean, "/")+"/") {
			return strings.TrimSuffix(m.outside, m.inside) + clean
		}
	}
	return directory
}

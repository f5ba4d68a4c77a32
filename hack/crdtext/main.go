// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command crdtext makes the descriptions in CustomResourceDefinitions read well in kubectl explain: the lines of a Go
// comment, which controller-gen keeps and kubectl breaks once more, become paragraphs, as in Kubernetes' own types.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	var errs []error
	for _, file := range os.Args[1:] {
		if err := rewrite(file); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", file, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func rewrite(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var definition any
	if err := yaml.Unmarshal(data, &definition); err != nil {
		return err
	}
	join(definition)
	if data, err = yaml.Marshal(definition); err != nil {
		return err
	}
	return os.WriteFile(file, append([]byte("---\n"), data...), 0o644)
}

// join rewrites every description below a node. A field may be called description as well: that one is no text.
func join(node any) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if text, ok := value.(string); ok && key == "description" {
				node[key] = paragraphs(text)
			} else {
				join(value)
			}
		}
	case []any:
		for _, value := range node {
			join(value)
		}
	}
}

// paragraphs joins lines, but not those with an empty one between them, and not the entries of a list.
func paragraphs(text string) string {
	found := strings.Split(text, "\n\n")
	for i, paragraph := range found {
		var joined strings.Builder
		for j, line := range strings.Split(strings.TrimSpace(paragraph), "\n") {
			line = strings.TrimSpace(line)
			switch {
			case j == 0:
			case strings.HasPrefix(line, "- "):
				joined.WriteString("\n")
			default:
				joined.WriteString(" ")
			}
			joined.WriteString(line)
		}
		found[i] = joined.String()
	}
	return strings.Join(found, "\n\n")
}

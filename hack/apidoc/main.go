// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command apidoc writes the reference of samsa's kinds in Markdown, from the CustomResourceDefinitions: what stands in
// it is what kubectl explain says, and what the API server enforces.
package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const definitions = "config/crd/bases/*.yaml"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	files, err := filepath.Glob(definitions)
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no %s: run it in the repository's root, after make manifests", definitions)
	}
	var kinds []apiextensionsv1.CustomResourceDefinition
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var kind apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &kind); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		kinds = append(kinds, kind)
	}
	// One has to have a cluster before what uses it.
	slices.SortStableFunc(kinds, func(a, b apiextensionsv1.CustomResourceDefinition) int {
		return cmp.Compare(rank(&a), rank(&b))
	})
	_, err = os.Stdout.WriteString(reference(kinds))
	return err
}

func rank(kind *apiextensionsv1.CustomResourceDefinition) int {
	if kind.Spec.Names.Kind == "KafkaCluster" {
		return 0
	}
	return 1
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"
)

const (
	// establishedPoll and establishedWithin: a kind is served about a second after it was declared.
	establishedPoll   = 100 * time.Millisecond
	establishedWithin = 30 * time.Second
)

// installKinds declares all kinds of a directory and returns when they are served.
func installKinds(ctx context.Context, config *rest.Config, directory string) error {
	client, err := apiextensions.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("kinds: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return fmt.Errorf("kinds: %w", err)
	}
	kinds := client.ApiextensionsV1().CustomResourceDefinitions()
	var names []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("kinds: %w", err)
		}
		var kind apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &kind); err != nil {
			return fmt.Errorf("kinds: %s: %w", file, err)
		}
		if _, err := kinds.Create(ctx, &kind, metav1.CreateOptions{FieldManager: "samsa-local"}); err != nil {
			return fmt.Errorf("kinds: %s: %w", file, err)
		}
		names = append(names, kind.Name)
	}
	served := func(ctx context.Context) (bool, error) {
		for _, name := range names {
			kind, err := kinds.Get(ctx, name, metav1.GetOptions{})
			if err != nil || !established(kind) {
				return false, err
			}
		}
		return true, nil
	}
	err = wait.PollUntilContextTimeout(ctx, establishedPoll, establishedWithin, true, served)
	if err != nil {
		return fmt.Errorf("kinds are not served: %w", err)
	}
	return nil
}

func established(kind *apiextensionsv1.CustomResourceDefinition) bool {
	for _, c := range kind.Status.Conditions {
		if c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue {
			return true
		}
	}
	return false
}

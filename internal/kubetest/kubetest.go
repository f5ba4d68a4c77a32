// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubetest gives suites a real API server with samsa's types: controller-runtime's envtest over the programs
// that `make kube` puts into bin/kube.
package kubetest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Start starts etcd and an API server with the types of config/crd. Without the programs it fails and says how to get
// them. The caller ends them with stop.
func Start() (config *rest.Config, stop func() error, err error) {
	assets, err := Assets()
	if err != nil {
		return nil, nil, err
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err = environment.Start()
	if err != nil {
		return nil, nil, fmt.Errorf("start the API server of %s: %w", assets, err)
	}
	return config, environment.Stop, nil
}

// Assets is the directory with etcd and kube-apiserver.
func Assets() (string, error) {
	for _, directory := range []string{os.Getenv("KUBEBUILDER_ASSETS"), filepath.Join(Root(), "bin", "kube")} {
		if directory == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(directory, "kube-apiserver")); err == nil {
			return directory, nil
		}
	}
	return "", fmt.Errorf("no kube-apiserver in %s: run `make kube`, once", filepath.Join(Root(), "bin", "kube"))
}

// Root is the directory of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

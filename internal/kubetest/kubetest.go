// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package kubetest gives suites a real API server with samsa's types: controller-runtime's envtest over the programs
// that `make kube` puts into bin/kube.
package kubetest

import (
	"errors"
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
	programs, err := mortal(assets)
	if err != nil {
		return nil, nil, err
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: programs,
		CRDDirectoryPaths:     []string{filepath.Join(Root(), "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
	}
	config, err = environment.Start()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start the API server of %s: %w", assets, err), os.RemoveAll(programs))
	}
	return config, func() error { return errors.Join(environment.Stop(), os.RemoveAll(programs)) }, nil
}

// mortal gives a directory with the programs that envtest runs, made to end with the process that started them: a suite
// that is killed, or runs out of time, stops nothing. Only Linux's setpriv can do that; elsewhere they are as they are.
func mortal(assets string) (directory string, err error) {
	directory, err = os.MkdirTemp("", "samsa-kubetest-")
	if err != nil {
		return "", fmt.Errorf("programs of the API server: %w", err)
	}
	for _, program := range []string{"etcd", "kube-apiserver", "kubectl"} {
		const script = "#!/bin/sh\n" +
			"if setpriv --pdeathsig KILL true 2>/dev/null; then exec setpriv --pdeathsig KILL '%[1]s' \"$@\"; fi\n" +
			"exec '%[1]s' \"$@\"\n"
		text := fmt.Sprintf(script, filepath.Join(assets, program))
		//nolint:gosec // it is to be run
		if err := os.WriteFile(filepath.Join(directory, program), []byte(text), 0o700); err != nil {
			return "", errors.Join(fmt.Errorf("programs of the API server: %w", err), os.RemoveAll(directory))
		}
	}
	return directory, nil
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

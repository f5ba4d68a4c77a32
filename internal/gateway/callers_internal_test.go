// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Its token says issuer https://issuer.test, and nothing else of use.
const ownKubeconfig = `{apiVersion: v1, kind: Config, current-context: own,
clusters: [{name: own, cluster: {server: "https://127.0.0.1:6443"}}],
contexts: [{name: own, context: {cluster: own, user: own}}],
users: [{name: own, user: {tokenFile: token}}]}`

func TestKubeconfigNamesTheAPIServer(t *testing.T) {
	directory := t.TempDir()
	for name, text := range map[string]string{
		"kubeconfig": ownKubeconfig,
		"token":      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci50ZXN0In0.AAAA\n",
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	t.Setenv("KUBECONFIG", "")
	if _, err := new(ServiceAccount).issuer(); err == nil || !strings.Contains(err.Error(), "there is no API server") {
		t.Errorf("outside of a cluster: got %v", err)
	}
	t.Setenv("KUBECONFIG", filepath.Join(directory, "kubeconfig"))
	if config, err := apiServer(); err != nil || config.Host != "https://127.0.0.1:6443" {
		t.Errorf("got %v, %v", config, err)
	}
	if issuer, err := new(ServiceAccount).issuer(); err != nil || issuer != "https://issuer.test" {
		t.Errorf("got %q, %v", issuer, err)
	}
}

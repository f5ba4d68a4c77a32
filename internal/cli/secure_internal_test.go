// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTLSDirectories(t *testing.T) {
	directory := func(files map[string]string) string {
		path := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	if config, err := tlsConfig(""); config != nil || err != nil {
		t.Errorf("no directory: got %v, %v", config, err)
	}
	for _, path := range []string{systemTLS, directory(nil)} {
		if config, err := tlsConfig(path); err != nil || config == nil || config.RootCAs != nil {
			t.Errorf("%s: got %v, %v", path, config, err)
		}
	}
	if config, err := tlsConfig(directory(map[string]string{"ca.crt": authority})); err != nil || config.RootCAs == nil {
		t.Errorf("an authority: got %v, %v", config, err)
	}
	for says, files := range map[string]map[string]string{
		"holds no certificate in PEM": {"ca.crt": "x"},
		"tls.key":                     {"tls.crt": authority},
		"failed to find any PEM":      {"tls.crt": "x", "tls.key": "y"},
	} {
		if _, err := tlsConfig(directory(files)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
	}
	if _, err := tlsConfig("/nowhere/x"); err == nil {
		t.Error("a directory that is not there is accepted")
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

func TestSASLCredentials(t *testing.T) {
	t.Parallel()
	directory := func(files map[string]string) string {
		name := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(name, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return name
	}
	user := directory(map[string]string{"username": "alice\n", "password": "s3cret"})
	for name, c := range map[string]struct{ mechanism, directory, wrong string }{
		"none":                {"", "", ""},
		"a user":              {"PLAIN", user, ""},
		"a token":             {"OAUTHBEARER", directory(map[string]string{"token": "e30.e30."}), ""},
		"no mechanism":        {"", user, "SCRAM-SHA-512"},
		"no such mechanism":   {"GSSAPI", user, "want one of"},
		"no credentials":      {"PLAIN", "", "--sasl-credentials"},
		"a password too few":  {"PLAIN", directory(map[string]string{"username": "alice"}), "the password is missing"},
		"a token for SCRAM":   {"SCRAM-SHA-256", directory(map[string]string{"token": "x"}), "the user's name is missing"},
		"nothing there":       {"OAUTHBEARER", filepath.Join(user, "missing"), "no such file"},
		"a file as directory": {"PLAIN", filepath.Join(user, "username"), "not a directory"},
	} {
		sasl, err := saslConfig(t.Context(), c.mechanism, c.directory)
		if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
		if c.mechanism == "PLAIN" && c.wrong == "" {
			want := wire.Credentials{User: "alice", Password: "s3cret"}
			if got, err := sasl.Credentials(t.Context()); err != nil || got != want {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
}

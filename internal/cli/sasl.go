// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/wire"
)

// saslConfig reads credentials from a directory, as Kubernetes mounts a Secret of type kubernetes.io/basic-auth, for
// every connection anew. What cannot work is said before there is one.
func saslConfig(ctx context.Context, mechanism, directory string) (*wire.SASL, error) {
	switch {
	case mechanism == "" && directory == "":
		return nil, nil //nolint:nilnil // nil is no SASL to the client
	case mechanism == "":
		return nil, errors.New("--sasl-credentials needs a mechanism: give one of " + mechanisms())
	case directory == "":
		return nil, errors.New("give the credentials as well: --sasl-credentials DIRECTORY")
	}
	sasl := &wire.SASL{Mechanism: wire.Mechanism(mechanism), Credentials: credentialsIn(directory)}
	if err := sasl.Check(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(directory); err != nil { // a file may be missing, what should hold it not
		return nil, err
	}
	credentials, err := sasl.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	if err := credentials.Check(sasl.Mechanism); err != nil {
		return nil, fmt.Errorf("%s: %w", directory, err)
	}
	return sasl, nil
}

func mechanisms() string {
	names := make([]string, len(wire.Mechanisms()))
	for i, m := range wire.Mechanisms() {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

// credentialsIn reads the files of a directory that are there.
func credentialsIn(directory string) func(context.Context) (wire.Credentials, error) {
	return func(context.Context) (credentials wire.Credentials, err error) {
		for name, target := range map[string]*string{
			"username": &credentials.User, "password": &credentials.Password, "token": &credentials.Token,
		} {
			text, err := os.ReadFile(filepath.Join(directory, name))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				return wire.Credentials{}, err
			}
			*target = strings.TrimRight(string(text), "\r\n") // the end of the line that editors add
		}
		return credentials, nil
	}
}

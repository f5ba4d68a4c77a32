// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"fmt"
	"os"

	"github.com/samsa-dev/samsa/internal/configfile"
)

// Load reads a configuration file, fills in what it leaves out, and checks it together with the files it names. The
// error holds everything that is wrong, a line each, with the field and what to do about it.
func Load(path string) (Config, error) { return LoadAt(path, "") }

// LoadAt is Load for a gateway that listens at an address of its own, which no file that many gateways share can name:
// address, unless it is empty, replaces the hosts of http.address and http.internalAddress.
func LoadAt(path, address string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return parse(data, configfile.DirectoryOf(path), address)
}

// Parse is Load on what the file holds. Relative names of files are relative to the working directory.
func Parse(data []byte) (Config, error) { return parse(data, "", "") }

func parse(data []byte, directory configfile.Directory, address string) (Config, error) {
	config := Default()
	var faults configfile.Faults
	if faults.Decode(data, &config, "topic: NAME") {
		config.Cluster.Fill(&faults)
		config.Cluster.Place(directory)
		directory.Place(&config.Auth.MTLS.CAFile, &config.Auth.Basic.UsersFile)
		if files := config.HTTP.TLS; files != nil {
			directory.Place(&files.CertFile, &files.KeyFile, &files.CAFile)
		}
		if address != "" {
			config.HTTP.Address = configfile.WithHost(&faults, config.HTTP.Address, address)
			config.HTTP.InternalAddress = configfile.WithHost(&faults, config.HTTP.InternalAddress, address)
		}
		config.check(&faults)
	}
	if err := faults.Err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

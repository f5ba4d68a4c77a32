// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"os"

	"github.com/samsa-dev/samsa/internal/configfile"
)

// Load reads a configuration file, fills in what it leaves out, and checks it together with the files it names. The
// error holds everything that is wrong, a line each, with the field and what to do about it.
func Load(path string) (Config, error) { return LoadAt(path, "") }

// LoadAt is Load for a worker that listens at an address of its own, which no file that many workers share can name:
// address, unless it is empty, replaces the host of listen.
func LoadAt(path, address string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return parse(data, surroundings{directory: configfile.DirectoryOf(path), address: address})
}

// Parse is Load on what the file holds. Relative names of files are relative to the working directory.
func Parse(data []byte) (Config, error) { return parse(data, surroundings{}) }

// surroundings are what a configuration depends on besides its text.
type surroundings struct {
	// directory is what names of files are relative to.
	directory configfile.Directory
	// address replaces the host of listen, unless it is empty.
	address string
}

func parse(data []byte, here surroundings) (Config, error) {
	config := Default()
	var faults configfile.Faults
	if faults.Decode(data, &config, "group: NAME") {
		config.fill(&faults)
		config.settle(&faults, here)
		config.check(&faults)
	}
	if err := faults.Err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// fill sets the defaults that depend on the rest of the file or on the machine.
func (c *Config) fill(f *configfile.Faults) {
	if c.Member == "" {
		c.Member = defaultMember(f)
	}
	c.Cluster.Fill(f)
	if sink := c.Sink.HTTP; sink != nil && sink.Format == "" {
		sink.Format = FormatCloudEventsBinary
	}
}

func defaultMember(f *configfile.Faults) string {
	if pod := os.Getenv("POD_NAME"); pod != "" {
		return pod
	}
	host, err := os.Hostname()
	if err != nil {
		f.Add("member", "is not given, and the machine does not tell its name (%v); set it, or $POD_NAME", err)
	}
	return host
}

// settle puts the configuration where it is used: from now on names of files are relative to the working directory, and
// the address to listen at is this worker's.
func (c *Config) settle(f *configfile.Faults, here surroundings) {
	c.Cluster.Place(here.directory)
	if sink := c.Sink.Binding; sink != nil {
		here.directory.Place(&sink.TokenFile, &sink.CAFile)
	}
	if here.address != "" {
		c.Listen = configfile.WithHost(f, c.Listen, here.address)
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
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
	return parse(data, surroundings{directory: filepath.Dir(path), address: address})
}

// Parse is Load on what the file holds. Relative names of files are relative to the working directory.
func Parse(data []byte) (Config, error) { return parse(data, surroundings{}) }

// surroundings are what a configuration depends on besides its text.
type surroundings struct {
	// directory is what names of files are relative to.
	directory string
	// address replaces the host of listen, unless it is empty.
	address string
}

func parse(data []byte, here surroundings) (Config, error) {
	config := Default()
	var faults faults
	if faults.decode(data, &config) {
		config.fill(&faults)
		config.settle(&faults, here)
		config.check(&faults)
	}
	if err := faults.err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// fill sets the defaults that depend on the rest of the file or on the machine.
func (c *Config) fill(f *faults) {
	if c.Member == "" {
		c.Member = defaultMember(f)
	}
	if zk := c.Cluster.ZooKeeper; zk != nil && zk.SessionTimeout == 0 && !f.has("cluster.zookeeper.sessionTimeout") {
		zk.SessionTimeout = Duration(10 * time.Second)
	}
	if sink := c.Sink.HTTP; sink != nil && sink.Format == "" {
		sink.Format = FormatCloudEventsBinary
	}
}

func defaultMember(f *faults) string {
	if pod := os.Getenv("POD_NAME"); pod != "" {
		return pod
	}
	host, err := os.Hostname()
	if err != nil {
		f.add("member", "is not given, and the machine does not tell its name (%v); set it, or $POD_NAME", err)
	}
	return host
}

// settle puts the configuration where it is used: from now on names of files are relative to the working directory, and
// the address to listen at is this worker's.
func (c *Config) settle(f *faults, here surroundings) {
	if zk := c.Cluster.ZooKeeper; zk != nil {
		here.place(&zk.DigestFile)
		here.placeTLS(zk.TLS)
	}
	here.placeTLS(c.Cluster.TLS)
	if sasl := c.Cluster.SASL; sasl != nil {
		here.place(&sasl.UsernameFile)
		here.place(&sasl.PasswordFile)
		here.place(&sasl.TokenFile)
	}
	if here.address != "" {
		c.Listen = withHost(f, c.Listen, here.address)
	}
}

func (s surroundings) placeTLS(files *TLS) {
	if files != nil {
		s.place(&files.CAFile)
		s.place(&files.CertFile)
		s.place(&files.KeyFile)
	}
}

func (s surroundings) place(file *string) {
	if *file != "" && !filepath.IsAbs(*file) {
		*file = filepath.Join(s.directory, *file)
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package clusterconfig

import (
	"time"

	"github.com/samsa-dev/samsa/internal/configfile"
)

// Fill sets the defaults that depend on the rest of the block.
func (c *Cluster) Fill(f *configfile.Faults) {
	if zk := c.ZooKeeper; zk != nil && zk.SessionTimeout == 0 && !f.Has("cluster.zookeeper.sessionTimeout") {
		zk.SessionTimeout = configfile.Duration(10 * time.Second)
	}
}

// Place makes the names of files relative to the working directory.
func (c *Cluster) Place(directory configfile.Directory) {
	if zk := c.ZooKeeper; zk != nil {
		directory.Place(&zk.DigestFile)
		zk.TLS.place(directory)
	}
	c.TLS.place(directory)
	if sasl := c.SASL; sasl != nil {
		directory.Place(&sasl.UsernameFile, &sasl.PasswordFile, &sasl.TokenFile)
	}
}

func (t *TLS) place(directory configfile.Directory) {
	if t != nil {
		directory.Place(&t.CAFile, &t.CertFile, &t.KeyFile)
	}
}

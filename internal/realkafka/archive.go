// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// archive is the file with a release's classes as the virtual machine has them in memory: a broker that maps it takes
// half of the processor to start (Kafka 4.4: 2.4 s instead of 4.5 s). The first broker of the first cluster writes it,
// when it is stopped. Another Java has another file.
func (r Release) archive() string {
	program, err := java()
	if err != nil {
		return ""
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	// The classes of Java itself; they change with every update of it.
	identity := program
	if info, err := os.Stat(filepath.Join(filepath.Dir(program), "..", "lib", "modules")); err == nil {
		identity = fmt.Sprint(program, info.Size(), info.ModTime().UnixNano())
	}
	sum := sha256.Sum256([]byte(identity + stamp()))
	return filepath.Join(cache(), "archives", fmt.Sprintf("%s-%s.jsa", r.Version, hex.EncodeToString(sum[:])[:12]))
}

// sharing are the arguments that use the archive; where there is none, those that have the first broker write one, into
// a file of its own.
func (c *Cluster) sharing(b *Broker) []string {
	archive := c.release.archive()
	if _, err := os.Stat(archive); err == nil {
		return []string{"-XX:SharedArchiveFile=" + archive, "-Xshare:auto"}
	}
	if b.id == 0 && archive != "" {
		return []string{"-XX:ArchiveClassesAtExit=" + b.path(archiveFile), "-Xshare:auto"}
	}
	return []string{"-Xshare:auto"}
}

const archiveFile = "classes.jsa"

// keepArchive ends the first broker in order where it is to write the archive, and puts that into the cache. What goes
// wrong is no matter: the next cluster does it.
func (c *Cluster) keepArchive() {
	archive := c.release.archive()
	if _, err := os.Stat(archive); err == nil || len(c.brokers) == 0 || !c.brokers[0].Running() {
		return
	}
	const patience = 30 * time.Second // it takes 2 s on two idle cores
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	written := c.brokers[0].path(archiveFile)
	if c.brokers[0].Stop(ctx) != nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(archive), 0o700); err != nil {
		return
	}
	_ = os.Rename(written, archive) // on another file system it is not kept
}

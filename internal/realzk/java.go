// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk

import (
	"fmt"
	"os"
	"os/exec"
)

// serverJar names everything the server needs in its manifest, as Debian builds it; only a binding of
// slf4j is left to the one who starts it.
const (
	serverJar = "/usr/share/java/zookeeper.jar"
	loggerJar = "/usr/share/java/slf4j-simple.jar"
)

// Available tells whether a real server can be started here. Where it cannot, reason says what is missing
// and how to get it.
func Available() (reason string, ok bool) {
	if _, err := exec.LookPath("java"); err != nil {
		return "no java on the PATH: install a Java runtime (Debian: apt-get install zookeeper)", false
	}
	for _, jar := range []string{serverJar, loggerJar} {
		if _, err := os.Stat(jar); err != nil {
			return fmt.Sprintf("%s is missing: install ZooKeeper (Debian: apt-get install zookeeper)", jar), false
		}
	}
	return "", true
}

// javaArgs starts quickly and stays small: the suites run for seconds, on machines with two cores.
func javaArgs(confFile string) []string {
	return []string{
		"-Xms32m", "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		// A killed process loses nothing that it wrote: only a crash of the machine would, and then
		// the test is over as well.
		"-Dzookeeper.forceSync=no",
		"-Dzookeeper.extendedTypesEnabled=false",
		"-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
		"-cp", serverJar + ":" + loggerJar,
		"org.apache.zookeeper.server.quorum.QuorumPeerMain", confFile,
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realkafka

import (
	"cmp"
	"crypto/sha256"
	_ "embed" // pom.xml
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// pom is where the releases are pinned: the one place for this package and for hack/kafka.sh.
//
//go:embed pom.xml
var pom []byte

// toolsSuffix ends the names of profiles that hold command line tools alone.
const toolsSuffix = "-tools"

// Release is one release of Kafka that can be run here.
type Release struct {
	// Name is what it is asked for by, as 3.9.
	Name string
	// Version is the whole of it, as 3.9.2.
	Version string
}

// Releases are all that are pinned, the oldest first.
func Releases() []Release {
	var project struct {
		Profiles []struct {
			ID      string `xml:"id"`
			Version string `xml:"properties>kafka.version"`
		} `xml:"profiles>profile"`
	}
	if err := xml.Unmarshal(pom, &project); err != nil {
		panic(fmt.Sprintf("internal/realkafka/pom.xml: %v", err)) // it is linked in, and tested
	}
	var releases []Release
	for _, profile := range project.Profiles {
		if !strings.HasSuffix(profile.ID, toolsSuffix) {
			releases = append(releases, Release{Name: profile.ID, Version: profile.Version})
		}
	}
	return releases
}

// Find gives the release of a name (3.9), of a version (3.9.2), or the newest whose version begins so (4).
func Find(name string) (Release, error) {
	releases := Releases()
	for _, release := range slices.Backward(releases) {
		if name == release.Name || name == release.Version || strings.HasPrefix(release.Version, name+".") {
			return release, nil
		}
	}
	var names []string
	for _, release := range releases {
		names = append(names, release.Name)
	}
	return Release{}, fmt.Errorf("there is no Kafka %q here: give one of %s", name, strings.Join(names, ", "))
}

// Before tells whether the release is older than a version, as 0.10.1.
func (r Release) Before(version string) bool { return compare(r.Version, version) < 0 }

// compare puts versions in order, number by number.
func compare(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		x, _ := strconv.Atoi(a) // what is no number is none that was pinned
		y, _ := strconv.Atoi(b)
		return cmp.Compare(x, y)
	})
}

// RunsWithZooKeeper tells whether its brokers can register in a ZooKeeper: until 4.0 they can.
func (r Release) RunsWithZooKeeper() bool { return r.Before("4.0") }

// RunsWithKRaft tells whether its brokers can do without: since 3.3, where KRaft was called ready.
func (r Release) RunsWithKRaft() bool { return !r.Before("3.3") }

// Available says why a release cannot be run here, and what to do about it; nil if it can. It starts nothing.
func Available(name string) error {
	release, err := Find(name)
	if err != nil {
		return err
	}
	if _, err := java(); err != nil {
		return err
	}
	_, err = release.classPath("")
	return err
}

// ClassPath is that of a release, for java -cp: its brokers, its clients and what they need. Of those until 1.1 that is
// Kafka's old consumer (ZookeeperConsumerConnector) as well.
func ClassPath(name string) (string, error) {
	release, err := Find(name)
	if err != nil {
		return "", err
	}
	return release.classPath("")
}

// classPath is what hack/kafka.sh put into the cache; of a suffix where the release has one of its own for it.
func (r Release) classPath(suffix string) (string, error) {
	directory := filepath.Join(cache(), r.Version+suffix)
	made, err := os.ReadFile(filepath.Join(directory, "stamp"))
	if err != nil || strings.TrimSpace(string(made)) != stamp() {
		return "", fmt.Errorf("the jars of Kafka %s are not in %s: run hack/kafka.sh %s (or make jars)",
			r.Version, directory, r.Name)
	}
	jars, err := filepath.Glob(filepath.Join(directory, "*.jar"))
	if err != nil || len(jars) == 0 {
		return "", fmt.Errorf("there are no jars in %s: remove it and run hack/kafka.sh %s", directory, r.Name)
	}
	// In order, and named one by one: an archive of classes is for exactly one class path.
	return strings.Join(jars, string(os.PathListSeparator)), nil
}

// stamp tells class paths apart that were made from different pins.
func stamp() string {
	sum := sha256.Sum256(pom)
	return hex.EncodeToString(sum[:])[:16]
}

// toolPath is the class path of the release's command line tools.
func (r Release) toolPath() (string, error) {
	if !r.Before("4.4") {
		return r.classPath(toolsSuffix)
	}
	return r.classPath("")
}

// cache is the directory that hack/kafka.sh fills.
func cache() string {
	if directory := os.Getenv("SAMSA_KAFKA_CACHE"); directory != "" {
		return directory
	}
	base, err := os.UserCacheDir() // XDG_CACHE_HOME, or ~/.cache
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "samsa", "kafka")
}

// java is the program: that of JAVA_HOME, or the first one on the PATH.
func java() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		program := filepath.Join(home, "bin", "java")
		if _, err := os.Stat(program); err == nil {
			return program, nil
		}
	}
	program, err := exec.LookPath("java")
	if err != nil {
		return "", errors.New("no java on the PATH: install a Java runtime, 17 or later " +
			"(Debian: apt-get install openjdk-17-jre-headless)")
	}
	return program, nil
}

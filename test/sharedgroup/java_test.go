// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/samsa-dev/samsa/internal/realkafka"
)

// compiled gives the class path with a program of java/ against the jars of a release. It is compiled once, into the
// user's cache.
func compiled(ctx context.Context, program, release string) (string, error) {
	jars, err := realkafka.ClassPath(release)
	if err != nil {
		return "", err
	}
	source := filepath.Join("java", program+".java")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(text, jars...))
	classes := filepath.Join(cache, "samsa", "sharedgroup", hex.EncodeToString(sum[:8]))
	path := classes + string(os.PathListSeparator) + jars
	if _, err := os.Stat(filepath.Join(classes, program+".class")); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(classes, 0o700); err != nil {
		return "", err
	}
	javac := exec.CommandContext(ctx, javaHome("javac"), "-nowarn", "-cp", jars, "-d", classes, source)
	output, err := javac.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("javac %s: %w:\n%s", source, err, output)
	}
	return path, nil
}

// javaHome is a program of the Java that the brokers run on.
func javaHome(program string) string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", program)
	}
	return program
}

// logging sends what a client logs to the standard error.
const logging = `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.Target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
`

// pool keeps virtual machines that have started and are no member yet: a start takes a second of one core, which would
// be in every time that is measured.
type pool struct {
	directory, classPath, program string
	spare                         []*process
	number                        int
}

func newPool(ctx context.Context, directory, program, release string) (*pool, error) {
	classPath, err := compiled(ctx, program, release)
	if err != nil {
		return nil, err
	}
	p := &pool{directory: directory, classPath: classPath, program: program}
	if err := os.WriteFile(filepath.Join(directory, "log4j.properties"), []byte(logging), 0o600); err != nil {
		return nil, err
	}
	err = p.fill()
	return p, err
}

// spares is how many are kept: as many as one step of the schedule takes.
const spares = 2

func (p *pool) fill() error {
	for len(p.spare) < spares {
		p.number++
		name := fmt.Sprintf("jvm-%d", p.number)
		vm, err := launch(name, filepath.Join(p.directory, name+".log"),
			[]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}, javaHome("java"),
			"-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData",
			"-Dlog4j.configuration=file:"+filepath.Join(p.directory, "log4j.properties"),
			"-cp", p.classPath, p.program)
		if err != nil {
			return err
		}
		p.spare = append(p.spare, vm)
	}
	return nil
}

// take gives one of the pool, under a name, and begins to fill up.
func (p *pool) take(name string) (*process, error) {
	vm := p.spare[0]
	p.spare = p.spare[1:]
	vm.name = name + " (" + strings.TrimPrefix(vm.name, "jvm-") + ")"
	return vm, p.fill()
}

func (p *pool) close() {
	for _, vm := range p.spare {
		vm.kill()
	}
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package realkafka

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/internal/local/proc"
)

const (
	log4jFile  = "log4j.properties"
	log4j2File = "log4j2.properties"
)

// logging is for log4j 1 and what took its place (until 3.9), and for log4j 2 (since 4.0).
var logging = map[string]string{
	log4jFile: `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %m (%c)%n
`,
	log4j2File: `appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
`,
}

func writeLogging(dir string) error {
	for name, text := range logging {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("configuration of the brokers' logs: %w", err)
		}
	}
	return nil
}

// brief makes a virtual machine start quickly and stay small, on machines with two cores: the first compiler alone, one
// thread that collects garbage.
func brief(heap string) []string {
	return []string{"-Xmx" + heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"}
}

// brokerHeap holds a broker with a thousand partitions; it takes some 60 MB itself.
const brokerHeap = "256m"

func (c *Cluster) brokerCommand(b *Broker) (proc.Command, error) {
	program, err := java()
	if err != nil {
		return proc.Command{}, err
	}
	path, err := c.release.classPath("")
	if err != nil {
		return proc.Command{}, err
	}
	args := slices.Concat(brief(brokerHeap), c.sharing(b), []string{
		"-Dlog4j.configuration=file:" + filepath.Join(c.dir, log4jFile),
		"-Dlog4j2.configurationFile=" + filepath.Join(c.dir, log4j2File),
	}, c.release.opened(), c.config.JVM, []string{"-cp", path, "kafka.Kafka", b.path(configFile)})
	return proc.Command{
		Name: fmt.Sprintf("kafka %s, broker %d", c.release.Version, b.id),
		Path: program, Args: args, Env: environment(), Dir: b.dir,
	}, nil
}

// opened are the parts of Java that a release reaches into. The snappy library of 0.8.1 (snappy-java 1.0.5) defines a
// class by ClassLoader's own method, which Java has kept to itself since version 16.
func (r Release) opened() []string {
	if r.Before("0.8.2") {
		return []string{"--add-opens=java.base/java.lang=ALL-UNNAMED"}
	}
	return nil
}

// environment is what Java looks at; JAVA_TOOL_OPTIONS and the like of the caller are not passed on.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LANG=C.UTF-8"}
}

// Tool runs one of Kafka's own command line tools, by its class, and gives what it wrote. The error has that too.
func (c *Cluster) Tool(ctx context.Context, class string, args ...string) (string, error) {
	return c.run(ctx, "tools", class, args...)
}

// run runs a class out of the tools' class path, or out of the brokers' own.
func (c *Cluster) run(ctx context.Context, which, class string, args ...string) (string, error) {
	program, err := java()
	if err != nil {
		return "", err
	}
	path, err := c.release.classPath("")
	if which == "tools" {
		path, err = c.release.toolPath()
	}
	if err != nil {
		return "", err
	}
	var output bytes.Buffer
	process, err := proc.Start(proc.Command{
		Name: class, Path: program, Env: environment(), Dir: c.dir, Output: &output,
		Args: slices.Concat(brief("192m"), c.borrowed(which), quietly, []string{"-cp", path, class}, args),
	})
	if err != nil {
		return "", err
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		return "", fmt.Errorf("%s: %w", class, context.Cause(ctx))
	}
	text := strings.TrimSpace(output.String())
	if exit := process.Exit(); exit.Code != 0 {
		return text, fmt.Errorf("%s %s: %s; it wrote:\n%s", class, strings.Join(args, " "), exit, text)
	}
	return text, nil
}

// borrowed is the brokers' archive for what runs out of their class path.
func (c *Cluster) borrowed(which string) []string {
	if archive := c.release.archive(); which != "tools" && archive != "" {
		if _, err := os.Stat(archive); err == nil {
			return []string{"-XX:SharedArchiveFile=" + archive}
		}
	}
	return nil
}

// quietly keeps what a tool logs out of what it answers. Without a configuration log4j 1 says one line on the standard
// error, and nothing after that.
var quietly = []string{"-Dlog4j2.level=OFF"}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command clidoc writes the reference of the client's commands in Markdown, from the commands themselves: what stands
// in it is what --help says.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/samsa-dev/samsa/internal/cli"
)

const preamble = `# samsa on the command line

Made from the commands by ` + "`make docs`" + `; what stands here is what ` + "`samsa COMMAND --help`" + ` says.

The same commands serve every Kafka. With ` + "`--zookeeper`" + ` that is Kafka 0.7 and all later ones that register in
ZooKeeper, groups and offsets being those in ZooKeeper; with ` + "`--bootstrap`" + ` it is Kafka 0.8 and later, groups
and offsets being those of the brokers' coordinator, which there is from 0.9 on. With both, brokers and topics are found
by the addresses, and the ZooKeeper, in which no broker needs to be registered, is for groups and offsets: so those stay
there when the brokers go on to Kafka 4. Which Kafka it is, is never set: the brokers tell.

- **Output**: what was asked for goes to the standard output, errors (one line each), warnings and progress to the
  standard error. A list is a table, or with ` + "`-o json`" + ` one object per line, as jq takes it. The names of its
  fields are stable; what is unknown is null, and ` + "`-`" + ` in a table.
- **Exit codes**: 0 done; 1 it failed; 2 the command line is wrong, and nothing was done; 3 of messages that were
  published it is unknown whether they were written, and it is said of which.
- **Secrets** are never arguments, which other users of the machine can see: the digest for ZooKeeper comes from a file
  or the environment, keys for TLS and credentials for SASL from a directory.
- **Names** are looked up as the machine does it, or, with ` + "`SAMSA_DNS=HOST:PORT`" + ` in the environment of any
  command (manager, worker and gateway included), by asking that DNS server instead of those in /etc/resolv.conf.
`

func main() {
	if _, err := os.Stdout.WriteString(reference(cli.Commands())); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// reaching are the flags that all commands have: how the cluster is reached.
var reaching = []string{"zookeeper", "bootstrap", "timeout", "digest-file", "zookeeper-tls", "broker-tls"}

// reference is all of it.
func reference(commands []*cobra.Command) string {
	var out bytes.Buffer
	out.WriteString(preamble)
	root := &cobra.Command{Use: "samsa"}
	root.AddCommand(commands...)
	fmt.Fprintf(&out, "\n## How the cluster is reached\n\nAll commands have these flags:\n")
	all := commands[0]
	hide(all, true, "output")
	writeFlags(&out, all)
	hide(all, false, "output")
	for _, command := range commands {
		hide(command, true, reaching...)
		describe(&out, command)
	}
	return out.String()
}

// hide leaves flags out, or not.
func hide(command *cobra.Command, hidden bool, names ...string) {
	for _, name := range names {
		command.Flags().Lookup(name).Hidden = hidden
	}
}

func describe(out *bytes.Buffer, command *cobra.Command) {
	fmt.Fprintf(out, "\n## %s\n\n`%s`\n\n%s\n", command.CommandPath(),
		strings.TrimSuffix(command.UseLine(), " [flags]"), paragraphs(command.Long))
	fmt.Fprintf(out, "\n```console\n%s\n```\n", prompted(command.Example))
	writeFlags(out, command)
}

func writeFlags(out *bytes.Buffer, command *cobra.Command) {
	fmt.Fprintf(out, "\n```text\n%s```\n", command.LocalFlags().FlagUsages())
}

// paragraphs keeps a text from being read as Markdown.
func paragraphs(text string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`).Replace(text)
}

// prompted are examples as they are typed.
func prompted(example string) string {
	lines := strings.Split(example, "\n")
	for i, line := range lines {
		lines[i] = "$ " + strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n")
}

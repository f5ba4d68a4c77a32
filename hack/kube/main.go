// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Command kube is the part of Kubernetes that development and tests need, in one binary: called as etcd,
// kube-apiserver, kube-controller-manager or kubectl (through links of these names) it is that program, unchanged.
//
// It is a module of its own, so that Kubernetes' dependencies are not samsa's. One binary instead of four, because they
// share nearly all of their code and linking it takes longest.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of client-go
	_ "k8s.io/component-base/metrics/prometheus/version"  // metric of the build
	kubectl "k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// programs are what this binary can be called as, beside etcd, which is no cobra command.
var programs = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	name := filepath.Base(os.Args[0])
	if name == "etcd" {
		etcdmain.Main(os.Args)
		return
	}
	program, known := programs[name]
	if !known {
		names := []string{"etcd"}
		for name := range programs {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "kube: %q is none of %s; call it through a link of that name\n", name, strings.Join(names, ", "))
		os.Exit(2)
	}
	command := program()
	if name == "kubectl" {
		// As kubectl's own main does: its commands print their errors, with the exit codes that scripts know.
		cmdutil.CheckErr(cli.RunNoErrOutput(command))
		return
	}
	os.Exit(cli.Run(command))
}

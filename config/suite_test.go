// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Package config_test asks a real API server whether what is to be installed can be, and what it lets the manager do.
package config_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/samsa-dev/samsa/internal/kubetest"
)

// api is the API server as an administrator sees it, kubeconfig the file by which kubectl reaches it.
var (
	server     *rest.Config
	api        kubernetes.Interface
	kubeconfig string
)

func TestConfig(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Config")
}

var _ = BeforeSuite(func() {
	Expect(touch("config", "dist")).To(Succeed())
	var (
		stop func() error
		err  error
	)
	server, stop, err = kubetest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(stop()).To(Succeed()) })
	api, err = kubernetes.NewForConfig(server)
	Expect(err).NotTo(HaveOccurred())
	kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(writeKubeconfig(server, kubeconfig)).To(Succeed())
})

// touch reads what kubectl will read, so that go test knows that its last result is not one of these files as they are.
func touch(directories ...string) error {
	for _, directory := range directories {
		root := filepath.Join(kubetest.Root(), directory)
		err := filepath.WalkDir(root, func(path string, file fs.DirEntry, err error) error {
			if err != nil || file.IsDir() {
				return err
			}
			_, err = os.ReadFile(path)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func writeKubeconfig(server *rest.Config, file string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: server.Host, CertificateAuthorityData: server.CAData}
	user := &clientcmdapi.AuthInfo{ClientCertificateData: server.CertData, ClientKeyData: server.KeyData}
	config.AuthInfos["test"] = user
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	return clientcmd.WriteToFile(*config, file)
}

// kubectl runs it in the repository's root and gives what it prints.
func kubectl(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	answer, err := try(ctx, arguments...)
	Expect(err).NotTo(HaveOccurred())
	return answer
}

func try(ctx context.Context, arguments ...string) (string, error) {
	assets, err := kubetest.Assets()
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, filepath.Join(assets, "kubectl"), arguments...)
	command.Dir = kubetest.Root()
	// Nothing of the user's own configuration, and its cache in a place of ours.
	command.Env = []string{"HOME=" + GinkgoT().TempDir(), "KUBECONFIG=" + kubeconfig}
	answer, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("kubectl %v: %w: %s", arguments, err, answer)
	}
	return string(answer), nil
}

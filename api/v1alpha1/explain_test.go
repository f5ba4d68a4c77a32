// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/internal/kubetest"
)

var _ = DescribeTable("kubectl explain tells of every field", func(ctx SpecContext, kind, file string) {
	data, err := os.ReadFile(filepath.Join(kubetest.Root(), "config", "crd", "bases", file))
	Expect(err).NotTo(HaveOccurred())
	var definition apiextensionsv1.CustomResourceDefinition
	Expect(yaml.Unmarshal(data, &definition)).To(Succeed())

	schema := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	for _, field := range []string{"spec", "status"} {
		Expect(undescribed(field, schema.Properties[field])).To(BeEmpty())
	}

	assets, err := kubetest.Assets()
	Expect(err).NotTo(HaveOccurred())
	kubectl, access := filepath.Join(assets, "kubectl"), kubeconfig(server)
	var answer []byte
	// An API server that has just begun describes what it serves a moment after it serves it.
	Eventually(func(g Gomega) {
		explain := exec.CommandContext(ctx, kubectl, "--kubeconfig", access, "explain", kind+".spec")
		// Nothing of the user's own configuration, and its cache in a place of ours.
		explain.Env = []string{"HOME=" + GinkgoT().TempDir()}
		answer, err = explain.CombinedOutput()
		g.Expect(err).NotTo(HaveOccurred(), string(answer))
	}).WithContext(ctx).WithTimeout(20 * time.Second).Should(Succeed())
	for field, property := range schema.Properties["spec"].Properties {
		Expect(string(answer)).To(ContainSubstring("  "+field+"\t<"), "the list of fields")
		Expect(property.Description).To(HavePrefix(field), "a description begins with the field's name")
	}
},
	Entry("of a ConsumerGroup", "consumergroup", "kafka.samsa.dev_consumergroups.yaml"),
	Entry("of a KafkaCluster", "kafkacluster", "kafka.samsa.dev_kafkaclusters.yaml"),
	Entry("of a ProducerBinding", "producerbinding", "kafka.samsa.dev_producerbindings.yaml"),
)

// undescribed are the fields at or below a path that have no description.
func undescribed(path string, schema apiextensionsv1.JSONSchemaProps) []string {
	var found []string
	if schema.Description == "" {
		found = append(found, path)
	}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		found = append(found, undescribed(path+"."+name, schema.Properties[name])...)
	}
	// An element of a list is described by the list; its fields are not.
	if items := schema.Items; items != nil && items.Schema != nil {
		element := *items.Schema
		element.Description = path
		found = append(found, undescribed(path+"[]", element)...)
	}
	return found
}

// kubeconfig writes a file by which kubectl reaches the API server.
func kubeconfig(server *rest.Config) string {
	GinkgoHelper()
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: server.Host, CertificateAuthorityData: server.CAData}
	user := &clientcmdapi.AuthInfo{ClientCertificateData: server.CertData, ClientKeyData: server.KeyData}
	config.AuthInfos["test"] = user
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test", AuthInfo: "test"}
	config.CurrentContext = "test"
	file := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	Expect(clientcmd.WriteToFile(*config, file)).To(Succeed())
	return file
}

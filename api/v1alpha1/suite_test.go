// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"context"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/kubetest"
)

// server is the API server of this suite; api sends to it what kubectl would.
var (
	server *rest.Config
	api    client
)

func TestAPI(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "API")
}

var _ = BeforeSuite(func() {
	var stop func() error
	var err error
	server, stop, err = kubetest.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { Expect(stop()).To(Succeed()) })

	config := rest.CopyConfig(server)
	config.GroupVersion = &v1alpha1.GroupVersion
	config.APIPath = "/apis"
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	// Hundreds of short requests, of which none is for a limit of the client's to slow down.
	config.QPS = -1
	api.rest, err = rest.RESTClientFor(config)
	Expect(err).NotTo(HaveOccurred())
})

// client sends manifests as they are, as text: what a user writes, not what our own types can say.
type client struct{ rest *rest.RESTClient }

// create is kubectl create, and the first kubectl apply.
func (c client) create(ctx context.Context, manifest string, options ...string) (*object, error) {
	request := c.rest.Post().SetHeader("Content-Type", "application/yaml")
	return send(ctx, request.Resource(resource(manifest)), manifest, options)
}

// apply is kubectl apply --server-side.
func (c client) apply(ctx context.Context, manifest string, options ...string) (*object, error) {
	request := c.rest.Patch(types.ApplyYAMLPatchType).Param("fieldManager", "kubectl")
	return send(ctx, request.Resource(resource(manifest)).Name(parse(manifest).GetName()), manifest, options)
}

// replace is kubectl replace: the manifest is all there is to be. Nothing changes.
func (c client) replace(ctx context.Context, manifest string) (*object, error) {
	name := parse(manifest).GetName()
	request := c.rest.Get().Namespace("default").Resource(resource(manifest)).Name(name)
	data, err := request.Do(ctx).Raw()
	if err != nil {
		return nil, decoded(data, err)
	}
	version := "metadata: {resourceVersion: '" + parse(string(data)).GetResourceVersion() + "', "
	manifest = strings.Replace(manifest, "metadata: {", version, 1)
	put := c.rest.Put().SetHeader("Content-Type", "application/yaml")
	return send(ctx, put.Resource(resource(manifest)).Name(name), manifest, []string{dryRun})
}

// dryRun is the option that changes nothing: all that the API server checks it checks then too.
const dryRun = "dryRun=All"

func send(ctx context.Context, request *rest.Request, manifest string, options []string) (*object, error) {
	// kubectl asks for this unless told otherwise.
	request = request.Namespace("default").Param("fieldValidation", "Strict")
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		request = request.Param(name, value)
	}
	data, err := request.Body([]byte(manifest)).Do(ctx).Raw()
	if err != nil {
		return nil, decoded(data, err)
	}
	return parse(string(data)), nil
}

// object is what the API server holds of a manifest.
type object struct{ unstructured.Unstructured }

func parse(text string) *object {
	GinkgoHelper()
	parsed := new(object)
	Expect(yaml.Unmarshal([]byte(text), &parsed.Object)).To(Succeed(), text)
	return parsed
}

// at is what stands at a path such as spec.start; nil if nothing does.
func (o *object) at(path string) any {
	GinkgoHelper()
	value, _, err := unstructured.NestedFieldNoCopy(o.Object, strings.Split(path, ".")...)
	Expect(err).NotTo(HaveOccurred())
	return value
}

func resource(manifest string) string { return strings.ToLower(parse(manifest).GetKind()) + "s" }

// group is the manifest of a ConsumerGroup with some fields of its spec, beside a clusterRef.
func group(spec ...string) string {
	return groupNamed("orders", append([]string{"clusterRef: {name: local}"}, spec...)...)
}

func groupNamed(name string, spec ...string) string { return manifest("ConsumerGroup", name, spec) }

// cluster is the manifest of a KafkaCluster with some fields of spec.zookeeper.
func cluster(zookeeper ...string) string {
	return manifest("KafkaCluster", "local", []string{"zookeeper: {" + strings.Join(zookeeper, ", ") + "}"})
}

func manifest(kind, name string, spec []string) string {
	return "apiVersion: kafka.samsa.dev/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec:\n  " +
		strings.ReplaceAll(strings.Join(spec, "\n"), "\n", "\n  ") + "\n"
}

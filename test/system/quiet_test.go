// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"fmt"
	"slices"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"

	"github.com/samsa-dev/samsa/internal/truth"
)

// quiet is how long nobody may write anything.
const quiet = time.Minute

// versions are the resourceVersions of all objects of the cluster, by kind and name, but Leases: those are how nodes
// and leaders show that they live.
func versions(ctx context.Context) (map[string]string, error) {
	config := system.REST()
	config.QPS = -1
	served, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	lists, err := served.ServerPreferredResources()
	if err != nil {
		return nil, fmt.Errorf("resources: %w", err)
	}
	found := map[string]string{}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("resources: %w", err)
		}
		for i := range list.APIResources {
			resource := &list.APIResources[i]
			if resource.Name == "leases" || !slices.Contains(resource.Verbs, "list") {
				continue
			}
			if err := collect(ctx, client, group.WithResource(resource.Name), found); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func collect(
	ctx context.Context, client metadata.Interface, of schema.GroupVersionResource, into map[string]string,
) error {
	objects, err := client.Resource(of).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list %s: %w", of, err)
	}
	for i := range objects.Items {
		object := &objects.Items[i]
		if object.ResourceVersion != "" { // some are made for whoever asks, and stored nowhere
			into[of.Resource+"."+of.Group+" "+object.Namespace+"/"+object.Name] = object.ResourceVersion
		}
	}
	return nil
}

// changes names what differs.
func changes(before, after map[string]string) (names []string) {
	for name, version := range after {
		if before[name] != version {
			names = append(names, fmt.Sprintf("%s was %q, is %q", name, before[name], version))
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name+" is gone")
		}
	}
	slices.Sort(names)
	return names
}

// staysQuiet expects nothing at all to be written.
func (s *stage) staysQuiet() {
	s.Eventually(s.ctx, func(g Gomega) {
		var namespaces corev1.NamespaceList
		g.Expect(api.List(s.ctx, &namespaces)).To(Succeed())
		g.Expect(namespaces.Items).To(HaveEach(HaveField("DeletionTimestamp", BeNil())))
	}, closing).Should(Succeed(), "namespaces of other plays are to be gone")
	for _, w := range s.witnesses {
		s.Eventually(s.ctx, w.behind, truth.Grace).Should(BeEmpty(), "the status of %s is to say what is true", w.key.Name)
	}
	before, err := versions(s.ctx)
	s.Expect(err).NotTo(HaveOccurred())
	s.Expect(before).To(HaveKey(HavePrefix("consumergroups.kafka.samsa.dev")))
	s.step("%d objects are to stay as they are", len(before))
	s.Consistently(s.ctx, func(g Gomega) {
		after, err := versions(s.ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(changes(before, after)).To(BeEmpty(), "objects that were written though nothing happens")
	}, quiet, quiet/4).Should(Succeed())
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"strconv"
	"strings"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
	"github.com/samsa-dev/samsa/pkg/kafka"
)

// shape is what Kafka 0.7's consumers can tell of a node: no version and no time.
type shape struct {
	Data      string
	Ephemeral bool
}

// shapes are the nodes below a directory, by the rest of their paths, as they are on the server; each is open to all.
func (w *world) shapes(directory string) map[string]shape {
	GinkgoHelper()
	found := map[string]shape{}
	var visit func(path string)
	visit = func(path string) {
		names, _, err := w.admin.Children(w.path(path))
		Expect(err).NotTo(HaveOccurred())
		for _, name := range names {
			child := path + "/" + name
			data, stat, err := w.admin.Get(w.path(child))
			Expect(err).NotTo(HaveOccurred())
			acl, _, err := w.admin.GetACL(w.path(child))
			Expect(err).NotTo(HaveOccurred())
			Expect(acl).To(Equal(zk.WorldACL(zk.PermAll)), child)
			found[strings.TrimPrefix(child, directory)] = shape{Data: string(data), Ephemeral: stat.EphemeralOwner != 0}
			visit(child)
		}
	}
	visit(directory)
	return found
}

// shapes are those that were recorded, where another member's id stands for the only one's.
func (r recording) shapes(directory, member string) map[string]shape {
	recorded := ""
	for id := range r.below(directory+"/ids", 1) {
		recorded = id
	}
	found := map[string]shape{}
	for _, node := range r.Tree {
		path, ok := strings.CutPrefix(node.Path, directory+"/")
		if !ok {
			continue
		}
		as := shape{Ephemeral: node.Ephemeral}
		if node.Data != nil {
			as.Data = *node.Data
		}
		if recorded != "" {
			path = strings.Replace(path, recorded, member, 1)
			as.Data = strings.Replace(as.Data, recorded, member, 1)
		}
		found["/"+path] = as
	}
	return found
}

var _ = onBoth("A member in a registry of Kafka 0.7", func(w *world) {
	It("leaves the nodes that Kafka's own consumer leaves, and one mark", func(ctx SpecContext) {
		const group = "g1"
		here := func() map[string]shape {
			found := w.shapes(layout.Group(group))
			Expect(found).To(HaveKeyWithValue("/samsa", shape{}), "where the group begins is decided")
			delete(found, "/samsa")
			return found
		}
		one := readRecording("testdata/kafka07/02_one_consumer.json")
		none := readRecording("testdata/kafka07/09_group_empty.json")
		s := w.start().session()
		id := layout.MemberID(group, layout.Sticky, "pod-0", births, 7)
		Expect(s.Register(ctx, group, id, layout.Kafka07.EncodeMember([]string{"events"}, births))).To(Succeed())

		var begin []layout.Position
		for path := range one.below(layout.AllOffsets(group), 2) {
			begin = append(begin, layout.Position{Partition: partitionAt(path)})
		}
		_, err := s.Transact(ctx, layout.Begin(group, id, begin))
		Expect(err).NotTo(HaveOccurred())
		commit := func(r recording, version int32) (positions []layout.Position) {
			for path, node := range r.below(layout.AllOffsets(group), 2) {
				offset, err := strconv.ParseInt(*node.Data, 10, 64)
				Expect(err).NotTo(HaveOccurred())
				positions = append(positions, layout.Position{Partition: partitionAt(path), Offset: offset, Version: version})
			}
			return positions
		}
		for _, position := range begin {
			_, err := s.Claim(ctx, group, id, position.Partition, layout.Claim(group, id, position.Partition))
			Expect(err).NotTo(HaveOccurred())
		}
		_, err = s.Transact(ctx, layout.Commit(group, id, commit(one, 0)))
		Expect(err).NotTo(HaveOccurred())
		Expect(here()).To(Equal(one.shapes(layout.Group(group), id)))

		for _, last := range commit(none, 1) {
			_, err = s.Transact(ctx, layout.Release(group, id, last))
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(s.Unregister(ctx, group, id)).To(Succeed())
		Expect(here()).To(Equal(none.shapes(layout.Group(group), id)))
	})

	It("goes on where Kafka's own consumer has been", func(ctx SpecContext) {
		const group = "g1"
		w.load(readRecording("testdata/kafka07/09_group_empty.json"))
		s := w.start().session()
		id := layout.MemberID(group, layout.Sticky, "pod-0", births, 7)
		Expect(s.Register(ctx, group, id, layout.Kafka07.EncodeMember([]string{"events"}, births))).To(Succeed())
		p := kafka.Partition{Topic: "events", ID: "0-1"}
		claimed, err := s.Claim(ctx, group, id, p, layout.Claim(group, id, p))
		Expect(err).NotTo(HaveOccurred())
		Expect(claimed).To(SatisfyAll(
			HaveField("Placed", BeTrue()), HaveField("Offset", int64(89)), HaveField("Outlived", BeFalse())))
	})
})

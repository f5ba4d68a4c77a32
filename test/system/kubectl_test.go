// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/gomega"

	"github.com/samsa-dev/samsa/internal/truth"
)

// manifest is what a user writes.
func (s *stage) manifest(directory string, replicas int) string {
	path := filepath.Join(directory, fmt.Sprintf("%s-%d.yaml", s.name, replicas))
	text := fmt.Sprintf(`apiVersion: kafka.samsa.dev/v1alpha1
kind: KafkaCluster
metadata: {name: %[1]s}
spec:
  zookeeper: {connect: %[2]s, sessionTimeout: 4s}
---
apiVersion: kafka.samsa.dev/v1alpha1
kind: ConsumerGroup
metadata: {name: %[3]s}
spec:
  clusterRef: {name: %[1]s}
  topics: [%[3]s]
  replicas: %[5]d
  drainTimeout: 5s
  sink: {http: {url: "%[4]s"}}
`, clusterName, s.kafka.Connect(), s.name, s.sink.url(), replicas)
	s.Expect(os.WriteFile(path, []byte(text), 0o600)).To(Succeed())
	return path
}

// kubectlKnowsIt uses a ConsumerGroup as any built-in kind.
func kubectlKnowsIt(s *stage) {
	directory, err := os.MkdirTemp("", "samsa-system-")
	s.Expect(err).NotTo(HaveOccurred())
	defer func() { _ = os.RemoveAll(directory) }()
	one := s.manifest(directory, 1)
	s.createTopic()

	s.Expect(s.kubectl("apply", "-f", one)).To(SatisfyAll(
		ContainSubstring("kafkacluster.kafka.samsa.dev/kafka created"),
		ContainSubstring("consumergroup.kafka.samsa.dev/"+s.name+" created")))
	s.witness(s.name, s.name)
	s.Expect(s.kubectl("wait", "--for=condition=Ready", "consumergroup/"+s.name, "kafkacluster/"+clusterName,
		"--timeout=30s")).
		To(ContainSubstring("condition met"))
	s.Expect(s.kubectl("apply", "-f", one)).To(ContainSubstring("consumergroup.kafka.samsa.dev/" + s.name + " unchanged"))
	s.Expect(s.kubectl("diff", "-f", one)).To(BeEmpty())

	header, row := s.table("get", "consumergroups")
	s.Expect(header).To(ContainElements("NAME", "OWNED", "LAG", "STATUS", "AGE"))
	s.Expect(row).To(ContainElements(s.name, "4/4", "Balanced"))
	s.Expect(s.kubectl("get", "cg", s.name, "-o", "name")).To(Equal("consumergroup.kafka.samsa.dev/" + s.name + "\n"))
	s.Expect(s.kubectl("get", "all")).To(SatisfyAll(ContainSubstring("consumergroup.kafka.samsa.dev/"+s.name),
		ContainSubstring("kafkacluster.kafka.samsa.dev/"+clusterName), ContainSubstring("pod/"+s.name+"-0")))
	s.Eventually(s.ctx, func() string { return s.kubectl("describe", "consumergroup", s.name) }).Should(SatisfyAll(
		ContainSubstring("Every partition is owned and delivered"), ContainSubstring("Owned Partitions:"),
		MatchRegexp(`Events:\n(.*\n)+.*Normal +Balanced`)))
	s.Expect(s.kubectl("explain", "consumergroup.spec.sink")).
		To(SatisfyAll(ContainSubstring("exactly one of"), ContainSubstring("http")))

	s.Expect(s.kubectl("scale", "consumergroup/"+s.name, "--replicas=2")).To(ContainSubstring("scaled"))
	s.Expect(s.kubectl("wait", "consumergroup/"+s.name, "--for=jsonpath={.status.readyReplicas}=2", "--timeout=30s")).
		To(ContainSubstring("condition met"))
	s.Expect(s.kubectl("get", "pods", "-l", s.kubectl("get", "consumergroup", s.name, "-o", "jsonpath={.status.selector}"),
		"-o", "name")).To(Equal("pod/" + s.name + "-0\npod/" + s.name + "-1\n"))

	three := s.manifest(directory, 3)
	_, err = s.tryKubectl("apply", "--server-side", "--field-manager=someone", "-f", three)
	s.Expect(err).To(MatchError(SatisfyAll(ContainSubstring("conflict"), ContainSubstring(".spec.replicas"))))
	s.Expect(s.kubectl("apply", "--server-side", "--field-manager=someone", "--force-conflicts", "-f", three)).
		To(ContainSubstring("serverside-applied"))
	s.Expect(s.kubectl("wait", "consumergroup/"+s.name, "--for=jsonpath={.status.readyReplicas}=3", "--timeout=30s")).
		To(ContainSubstring("condition met"))
	s.publish(8)
	s.allArrive(s.name)

	for _, w := range s.witnesses {
		s.Eventually(s.ctx, w.behind, truth.Grace).Should(BeEmpty())
		s.dismiss(w)
	}
	s.Expect(s.kubectl("delete", "-f", one, "--timeout=30s")).To(ContainSubstring(`"` + s.name + `" deleted`))
	_, err = s.tryKubectl("get", "consumergroup", s.name)
	s.Expect(err).To(MatchError(ContainSubstring("NotFound")))
	s.Eventually(s.ctx, func() string {
		return s.kubectl("get", "all,configmaps,poddisruptionbudgets", "-o", "name")
	}, closing).Should(Equal("configmap/kube-root-ca.crt\n"), "what belonged to the group is to go with it")
}

// table is what kubectl prints, as the fields of its first two lines.
func (s *stage) table(args ...string) (header, row []string) {
	lines := strings.Split(s.kubectl(args...), "\n")
	s.Expect(len(lines)).To(BeNumerically(">=", 2), "%v", lines)
	return strings.Fields(lines[0]), strings.Fields(lines[1])
}

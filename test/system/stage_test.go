// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package system

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/samsa-dev/samsa/api/v1alpha1"
	"github.com/samsa-dev/samsa/internal/embedded/world"
	"github.com/samsa-dev/samsa/internal/truth"
)

const (
	// partitions of each topic: more than the most workers of a group, and not a multiple of two or three.
	partitions = 4
	// tick is ZooKeeper's in worlds of a play's own: sessions of the 4 s that all clusters here ask for are within 2 to 20
	// of it.
	tick = 500 * time.Millisecond
	// closing is what ending a namespace may take: workers drain for 5 s at most.
	closing = 30 * time.Second
)

// stage is what one play has for itself. Its expectations fail the play.
type stage struct {
	Gomega
	ctx    context.Context //nolint:containedctx // a stage lives as long as its play
	cancel context.CancelFunc
	name   string // of the namespace, the topic and the group
	// kafka is where the topic is: the suite's, or the play's own.
	kafka    *world.World
	own      bool
	books    *books
	sink     *sink
	producer world.Producer
	begun    time.Time

	witnesses []*witness
	flows     sync.WaitGroup
	stopFlows context.CancelFunc
	// closers are called in the end.
	closers []func()
	// crashes says that worker processes are meant to end.
	crashes bool
	// settles says that the end waits for statuses that are true, however long the play has lasted.
	settles bool

	// mu protects steps.
	mu    sync.Mutex
	steps []string
}

func newStage(ctx context.Context, name string) *stage {
	ctx, cancel := context.WithTimeout(ctx, playTimeout)
	return &stage{
		Gomega: expectations(), ctx: ctx, cancel: cancel, name: name, kafka: system.World(), books: newBooks(),
		begun: time.Now(),
	}
}

// open makes the namespace, and a sink that accepts. There is no topic and no KafkaCluster yet.
func (s *stage) open() {
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}})
	var err error
	s.sink, err = newSink(s.ctx, s.books)
	s.Expect(err).NotTo(HaveOccurred())
	s.Expect(s.sink.open(s.ctx)).To(Succeed())
}

// ownKafka gives the play a ZooKeeper and a Kafka that it may break.
func (s *stage) ownKafka() { s.ownKafkaOf(world.Modern) }

// ownKafkaOf is ownKafka, of an era. A real broker is a process of Java, so of those there is one.
func (s *stage) ownKafkaOf(era world.Era) {
	brokers := 2
	if era.Real() {
		brokers = 1
	}
	var err error
	s.kafka, err = world.Start(s.ctx, world.Config{Era: era, Tick: tick, Brokers: brokers})
	s.Expect(err).NotTo(HaveOccurred())
	s.own = true
}

// step says what is done next, for whoever reads why it failed.
func (s *stage) step(format string, args ...any) {
	s.note(fmt.Sprintf(format, args...))
}

func (s *stage) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, time.Now().Format("15:04:05.0 ")+text)
	GinkgoWriter.Printf("%s %s: %s\n", time.Now().Format("15:04:05.0"), s.name, text)
}

// history is what was done, and what the statuses said meanwhile.
func (s *stage) history() string {
	s.mu.Lock()
	text := "steps:\n  " + strings.Join(s.steps, "\n  ")
	s.mu.Unlock()
	for _, w := range s.witnesses {
		text += fmt.Sprintf("\nstatuses of %s (%d writes):\n  %s", w.key.Name, w.written(), strings.Join(w.heard(), "\n  "))
	}
	return text
}

// longEnough is when a play has lasted so long that its witnesses' own checks have found what there is.
const longEnough = truth.Grace * 3 / 2

// curtain is what holds at the end of each play: statuses say what is true, and never lied; workers did not end by
// themselves; and nobody was busy for nothing.
func (s *stage) curtain() {
	s.step("curtain")
	s.endFlows()
	for _, w := range s.witnesses {
		if s.settles || time.Since(s.begun) < longEnough {
			s.Eventually(s.ctx, w.behind, truth.Grace).Should(BeEmpty(),
				"the status of %s is to say what is true now", w.key.Name)
		}
		s.check(w)
	}
	if !s.crashes {
		for _, p := range s.pods() {
			s.Expect(p.Restarts).To(BeZero(), "restarts of %s", p.Name)
		}
	}
	s.note(fmt.Sprintf("done after %s with %d writes", time.Since(s.begun).Round(time.Second), s.allWrites()))
}

// check is what holds of a witness at any time.
func (s *stage) check(w *witness) {
	s.Expect(w.lies()).To(BeEmpty(), "%s lied", w.key)
	s.Expect(w.written()).To(BeNumerically("<=", s.mostWrites()), "%s is written too often", w.key)
}

// mostWrites is how often a status may be written: some forty times for what a play does, and every 5 s. Numbers that
// messages move are written every 15 s; what spins writes several times a second.
func (s *stage) mostWrites() int { return 40 + int(time.Since(s.begun)/(5*time.Second)) }

func (s *stage) allWrites() (count int) {
	for _, w := range s.witnesses {
		count += w.written()
	}
	return count
}

// close removes everything, whatever became of the play. Its context may have ended.
func (s *stage) close() error {
	s.endFlows()
	s.cancel()
	s.flows.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), closing)
	defer cancel()
	s.ctx = ctx
	for _, w := range s.witnesses {
		w.end()
	}
	err := s.guarded(s.clear)
	for _, end := range s.closers {
		end()
	}
	if s.producer != nil {
		s.producer.Close()
	}
	if s.sink != nil {
		err = errors.Join(err, s.sink.close())
	}
	if s.own {
		err = errors.Join(err, s.kafka.Close())
	}
	return err
}

// clear ends whatever has pods, then the namespace with what else is in it: that takes another moment, which nobody
// waits for.
func (s *stage) clear() {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.name}}
	for _, kind := range []client.Object{
		&v1alpha1.ConsumerGroup{}, &v1alpha1.ProducerBinding{}, &appsv1.Deployment{}, &appsv1.StatefulSet{},
	} {
		err := api.DeleteAllOf(s.ctx, kind, client.InNamespace(s.name))
		s.Expect(client.IgnoreNotFound(err)).To(Succeed())
	}
	s.Eventually(s.ctx, s.pods, closing).Should(BeEmpty(), "pods are to end with what they are for")
	s.Expect(client.IgnoreNotFound(api.Delete(s.ctx, namespace))).To(Succeed())
}

// create makes an object, in the namespace.
func (s *stage) create(object client.Object) {
	if _, ok := object.(*corev1.Namespace); !ok {
		object.SetNamespace(s.name)
	}
	s.Expect(api.Create(s.ctx, object)).To(Succeed())
}

// witness looks at a group from now on, by its name and those that it has in the registry.
func (s *stage) witness(name string, groups ...string) *witness {
	brokers, chroot := s.kafka.Brokers().Addrs(), s.kafka.Path("")
	var reader *truth.Reader
	var err error
	switch {
	case s.kafka.ZooKeeper == nil:
		reader, err = truth.NewCoordinatedReader(brokers, groups[0], s.name)
	case len(groups) == 1:
		reader, err = truth.NewReader(s.kafka.ZooKeeper, chroot, brokers, groups[0], s.name)
	default:
		reader, err = truth.NewReaders(s.kafka.ZooKeeper, chroot, brokers, groups, s.name)
	}
	s.Expect(err).NotTo(HaveOccurred())
	w := witnessed(s.ctx, types.NamespacedName{Namespace: s.name, Name: name}, reader, standsIn(s.books, groups[0]))
	s.witnesses = append(s.witnesses, w)
	return w
}

// dismiss ends a witness before its object goes, after a last look.
func (s *stage) dismiss(w *witness) {
	s.check(w)
	w.end()
	kept := s.witnesses[:0]
	for _, other := range s.witnesses {
		if other != w {
			kept = append(kept, other)
		}
	}
	s.witnesses = kept
}

// kubectl runs kubectl in the namespace, and expects it to succeed.
func (s *stage) kubectl(args ...string) string {
	output, err := s.tryKubectl(args...)
	s.Expect(err).NotTo(HaveOccurred())
	return output
}

func (s *stage) tryKubectl(args ...string) (string, error) {
	return system.Kubectl(s.ctx, append([]string{"--namespace=" + s.name}, args...)...)
}

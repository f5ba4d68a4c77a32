// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package sharedgroup

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// ghost is a member that goes and leaves its claims for a while, as one does that hangs: its registration is deleted
// and its claims are not. Its id is before every other, so that what it held falls to old-1 then.
const ghost = group + "_a-ghost"

// haunt makes the ghost a member that holds what Range gives it; go takes its registration away, rest its claims.
func (s *stage) haunt() (vanish, rest func()) {
	GinkgoHelper()
	const session = 8 * time.Second
	conn, _, err := zk.Connect([]string{s.server.Addr()}, session, zk.WithLogger(silent{}))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(conn.Close)
	create := func(path, data string) error {
		_, err := conn.Create(path, []byte(data), zk.FlagEphemeral, zk.WorldACL(zk.PermAll))
		return err
	}
	registered := s.tree.path("ids", ghost)
	Expect(create(registered, `{"version":1,"subscription":{"even":1},"pattern":"static","timestamp":"1"}`)).To(Succeed())
	var held []string
	for _, id := range []string{"0", "1"} {
		path := s.tree.path("owners", "even", id)
		Eventually(func() error { return create(path, ghost+"-0") }).
			WithTimeout(settling).WithPolling(looking).Should(Succeed())
		held = append(held, path)
	}
	return func() { Expect(conn.Delete(registered, -1)).To(Succeed()) },
		func() {
			for _, path := range held {
				Expect(conn.Delete(path, -1)).To(Succeed())
			}
		}
}

// givenUp tells whether the last that an old consumer says of balancing is that it cannot, and that was a while ago:
// what happened meanwhile makes it try another four times.
func (s *stage) givenUp(name string) func() bool {
	var last string
	var since time.Time
	return func() bool {
		number := s.members[name].name
		number = number[strings.Index(number, "(")+1 : len(number)-1]
		text, err := os.ReadFile(filepath.Join(s.directory, "jvm-"+number+".log"))
		if err != nil {
			return false
		}
		var line string
		for each := range strings.Lines(string(text)) {
			if strings.Contains(each, "rebalanc") {
				line = each
			}
		}
		if line != last {
			last, since = line, time.Now()
		}
		const quiet = 3 * time.Second // it waits 2 s between two tries, and 1 s for what wakes it
		return strings.Contains(last, "can't rebalance after") && time.Since(since) > quiet
	}
}

var _ = Describe("An old consumer that has given up", func() {
	for _, release := range chosen() {
		if newest(release) {
			continue
		}
		It("is brought back by samsa's members: Kafka "+release, func(ctx SpecContext) {
			s := newStage(ctx, release)
			old := s.joinOld()
			s.joinNew()
			s.settle(ctx)
			vanish, rest := s.haunt()
			vanish()
			Eventually(ctx, s.givenUp(old)).WithTimeout(settling).WithPolling(looking).Should(BeTrue())
			rest()
			took := s.settle(ctx)
			v, h := s.finish(ctx)
			say("\nKafka %s: an old consumer that had given up was brought back %s after what it waited for was free\n",
				release, round(took))
			tell(v, h, []time.Duration{took})
			Expect(h.nudges).To(BeNumerically(">=", 1))
			Expect(slices.Concat(v.lost[samsas], v.lost[others])).To(BeEmpty())
		}, SpecTimeout(4*time.Minute))
	}
})

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package pump_test

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/samsa-dev/samsa/internal/embedded/world"
)

// deleteRecords does what retention does: the log of the first partition begins at that offset.
func deleteRecords(ctx context.Context, w *world.World, before int64) {
	GinkgoHelper()
	broker, err := kgo.NewClient(kgo.SeedBrokers(w.Kafka.Addrs()...))
	Expect(err).NotTo(HaveOccurred())
	defer broker.Close()
	var offsets kadm.Offsets
	offsets.AddOffset("orders", 0, before, -1)
	answers, err := kadm.NewClient(broker).DeleteRecords(ctx, offsets)
	Expect(err).NotTo(HaveOccurred())
	Expect(answers.Error()).NotTo(HaveOccurred())
}

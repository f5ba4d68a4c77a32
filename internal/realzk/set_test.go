// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package realzk_test

import (
	"testing"

	embedkafka "github.com/samsa-dev/samsa/internal/embedded/kafka"
	"github.com/samsa-dev/samsa/internal/embedded/zookeeper"
	"github.com/samsa-dev/samsa/internal/realzk"
)

func TestSetChangesANodeBelowAChroot(t *testing.T) {
	server, err := zookeeper.Start(t.Context(), zookeeper.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	kafka, err := embedkafka.Start(t.Context(), embedkafka.Config{ZooKeeper: server.Addr() + "/kafka"})
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	if err := realzk.Set(t.Context(), server.Addr()+"/kafka", "/controller_epoch", []byte("7")); err != nil {
		t.Fatal(err)
	}
	if got, _ := server.Get("/kafka/controller_epoch"); string(got.Data) != "7" {
		t.Errorf("it holds %q", got.Data)
	}
	if err := realzk.Set(t.Context(), server.Addr(), "/nowhere", nil); err == nil {
		t.Error("a node was set that is not there")
	}
}

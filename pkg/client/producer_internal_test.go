// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/samsa-dev/samsa/pkg/kafka"
)

// answers is a transport whose Appends end as they say.
type answers struct {
	kafka.Transport
	errs []error
}

func (a *answers) Append(context.Context, kafka.Partition, []kafka.Message) (int64, error) {
	err := a.errs[0]
	a.errs = a.errs[1:]
	return 7, err
}

// That the messages are too large for the second partition does not say that the first one has none of them.
func TestAnUnknownOutcomeIsNotForgotten(t *testing.T) {
	tooLarge := &kafka.Refused{Err: kafka.ErrTooLarge}
	cluster := &Cluster{directory: newDirectory(nil, nil, Config{})}
	for name, test := range map[string]struct {
		errs    []error
		unknown bool
	}{
		"too large at once":   {errs: []error{tooLarge, nil}},
		"too large elsewhere": {errs: []error{io.ErrUnexpectedEOF, tooLarge, nil}, unknown: true},
	} {
		transport := &answers{errs: test.errs}
		p := producer{brokers: &brokers{Transport: transport, cluster: cluster}}
		_, err := p.publish(t.Context(), named("0", "1", "2"), []kafka.Message{{}})
		if !errors.Is(err, kafka.ErrTooLarge) || errors.Is(err, io.ErrUnexpectedEOF) != test.unknown {
			t.Errorf("%s: got %v", name, err)
		}
		if len(transport.errs) != 1 {
			t.Errorf("%s: it was tried elsewhere", name)
		}
	}
}

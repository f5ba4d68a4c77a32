// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"log/slog"
	"os"
	"time"

	"github.com/samsa-dev/samsa/pkg/client"
	"github.com/samsa-dev/samsa/pkg/sink"
	"github.com/samsa-dev/samsa/pkg/sink/discard"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
	"github.com/samsa-dev/samsa/pkg/sink/logsink"
)

// client is the same in the client's words.
func (c Coordination) client() client.Coordination {
	switch c {
	case CoordinationZooKeeper:
		return client.CoordinationZooKeeper
	case CoordinationKafka:
		return client.CoordinationKafka
	case CoordinationAuto:
	}
	return client.CoordinationAuto
}

// sink makes the one that is chosen.
func (c *Config) sink(logger *slog.Logger) (sink.Sink, error) {
	switch s := &c.Sink; {
	case s.HTTP != nil:
		return httpsink.New(s.HTTP.config(c.Delivery))
	case s.Binding != nil:
		config, err := s.Binding.config(c.GroupName(), c.Delivery, logger)
		if err != nil {
			return nil, err
		}
		return httpsink.New(config)
	case s.Log != nil:
		return logsink.New(os.Stdout), nil
	}
	return discard.New(), nil
}

func (s *HTTPSink) config(delivery Delivery) httpsink.Config {
	config := httpsink.Config{URL: s.URL, Headers: s.Headers, Timeout: time.Duration(delivery.Timeout)}
	if s.Format == FormatCloudEventsBinary {
		config.Format = httpsink.CloudEventsBinary
	}
	return config
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// logger hands franz-go's log to slog, one level lower than franz-go has it: its information is our debugging, and its
// errors are retried or come out of Poll and Append, where somebody who knows what they mean reports them.
type logger struct {
	to *slog.Logger
}

// Level implements kgo.Logger.
func (l logger) Level() kgo.LogLevel {
	ctx := context.Background()
	switch {
	case l.to.Enabled(ctx, slog.LevelDebug):
		return kgo.LogLevelInfo
	case l.to.Enabled(ctx, slog.LevelWarn):
		return kgo.LogLevelError
	default:
		return kgo.LogLevelNone
	}
}

// Log implements kgo.Logger. Its warnings are one for each attempt at a broker that is away, so they are for debugging:
// what they lead to comes out of Poll and of the calls that fail, once.
func (l logger) Log(level kgo.LogLevel, message string, keysAndValues ...any) {
	at := slog.LevelDebug
	if level == kgo.LogLevelError {
		at = slog.LevelWarn
	}
	l.to.Log(context.Background(), at, message, keysAndValues...) //nolint:sloglint // the message is franz-go's
}

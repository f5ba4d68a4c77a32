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
	case l.to.Enabled(ctx, slog.LevelInfo):
		return kgo.LogLevelWarn
	case l.to.Enabled(ctx, slog.LevelWarn):
		return kgo.LogLevelError
	default:
		return kgo.LogLevelNone
	}
}

// Log implements kgo.Logger.
func (l logger) Log(level kgo.LogLevel, message string, keysAndValues ...any) {
	at := slog.LevelDebug
	switch level {
	case kgo.LogLevelError:
		at = slog.LevelWarn
	case kgo.LogLevelWarn:
		at = slog.LevelInfo
	default:
	}
	l.to.Log(context.Background(), at, message, keysAndValues...) //nolint:sloglint // the message is franz-go's
}

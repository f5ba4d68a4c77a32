// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-zookeeper/zk"
)

// digestInterval is between two looks at a digest that may change: a new one is in use within half of the 10 s that
// everything has to heal in, at the price of reading a small file.
const digestInterval = 5 * time.Second

// checkDigest repeats nothing of what it refuses: it is a secret.
func checkDigest(digest string) error {
	if user, _, ok := strings.Cut(digest, ":"); digest != "" && (!ok || user == "") {
		return errors.New("digest: want user:password")
	}
	return nil
}

// currentDigest is what the source says now.
func (s *settings) currentDigest() (string, error) {
	if s.DigestSource == nil {
		return s.Digest, nil
	}
	digest, err := s.DigestSource()
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	return digest, checkDigest(digest)
}

// authenticate sends the credentials that there are now, once: the library repeats them on each new connection. It
// gives what it sent.
func (c *Client) authenticate(ctx context.Context, l *link) (string, error) {
	digest, err := l.currentDigest()
	if err != nil {
		c.fail(Denied, err)
		return "", err
	}
	return digest, c.prove(ctx, l, digest)
}

func (c *Client) prove(ctx context.Context, l *link, digest string) error {
	if digest == "" {
		return nil
	}
	_, err := persist(ctx, l, func(conn *zk.Conn) (struct{}, error) {
		return struct{}{}, conn.AddAuth("digest", []byte(digest))
	})
	if errors.Is(err, zk.ErrAuthFailed) {
		c.fail(Denied, explain(err))
	}
	return err
}

// renew sends the digest of the source whenever it is another, until the session is over. To the server it is an
// identity beside those it was told before, so nothing of the session is lost, however the nodes' ACLs are changed
// meanwhile.
func (c *Client) renew(ctx context.Context, s *Session) {
	sent, told := s.digest, ""
	for s.pause(ctx, digestInterval) == nil && ctx.Err() == nil {
		digest, err := s.currentDigest()
		if err == nil && digest != sent {
			if err = c.prove(ctx, s.link, digest); err == nil {
				sent = digest
				s.Logger.Info("ZooKeeper was told the new digest")
			}
		}
		if now := text(err); now != told && now != "" && ctx.Err() == nil {
			s.Logger.Warn("A new digest cannot be used", slog.Any("reason", fmt.Errorf("the one before stands: %w", err)))
		}
		told = text(err)
	}
}

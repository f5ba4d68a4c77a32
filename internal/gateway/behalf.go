// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/samsa-dev/samsa/pkg/gateway/caller"
	"github.com/samsa-dev/samsa/pkg/gateway/window"
)

const (
	// behalfHeader says for whom a replica sends a request on whose caller showed a certificate: the connection between
	// replicas has none of it. NAME.MILLISECONDS.MAC, where the secret is the private key that all replicas have.
	behalfHeader = "Replica-On-Behalf"
	// behalfValid is how old it may be: clocks of nodes are closer than that, and requests between replicas quicker.
	behalfValid = 30 * time.Second
)

// behalf lets callers with certificates through from one replica to another.
type behalf struct {
	caller.Verifier
	// key is the private key that replicas have in common.
	key func() ([]byte, error)
	now func() time.Time
}

// errOtherKey is no verdict on the caller.
var errOtherKey = &caller.Refusal{
	Cause: caller.ErrUnavailable, Reason: "the replicas do not have the same key yet: their certificate is being replaced",
}

// stays says that a request is refused here: the other replica could only say that it has no certificate.
func (b *behalf) stays(r *http.Request) bool {
	_, err := b.Verify(r.Context(), r)
	return err != nil
}

// prepare says for whom a request is sent on. Where that is nobody the other replica finds out the same.
func (b *behalf) prepare(in, out *http.Request) {
	out.Header.Del(behalfHeader)
	who, err := b.Verifier.Verify(in.Context(), in)
	if err != nil {
		return
	}
	text := url.QueryEscape(who.Name) + "." + strconv.FormatInt(b.now().UnixMilli(), 10)
	if mac, err := b.mac(text, out.Header.Get(window.KeyHeader)); err == nil {
		out.Header.Set(behalfHeader, text+"."+base64.RawURLEncoding.EncodeToString(mac))
	}
}

// Verify implements caller.Verifier.
func (b *behalf) Verify(ctx context.Context, r *http.Request) (caller.Caller, error) {
	if value := r.Header.Get(behalfHeader); value != "" {
		if name, ok := b.read(value, r.Header.Get(window.KeyHeader)); ok {
			return caller.Named(name), nil
		}
		if r.Header.Get(window.ForwardedHeader) != "" {
			// While the key is being replaced, replicas have the one and the other. Who it is is not known, nor that it is
			// nobody: the certificate went to the other replica.
			return caller.Caller{}, errOtherKey
		}
	}
	return b.Verifier.Verify(ctx, r)
}

func (b *behalf) read(value, key string) (name string, ok bool) {
	end := strings.LastIndexByte(value, '.')
	if end < 0 {
		return "", false
	}
	text := value[:end]
	given, err := base64.RawURLEncoding.DecodeString(value[end+1:])
	if err != nil {
		return "", false
	}
	if mac, err := b.mac(text, key); err != nil || !hmac.Equal(mac, given) {
		return "", false
	}
	dot := strings.LastIndexByte(text, '.')
	milliseconds, err := strconv.ParseInt(text[dot+1:], 10, 64)
	if err != nil || b.now().Sub(time.UnixMilli(milliseconds)).Abs() > behalfValid {
		return "", false
	}
	name, err = url.QueryUnescape(text[:max(0, dot)])
	return name, err == nil
}

// mac is made with the private key: who has that may answer for the gateway anyway.
func (b *behalf) mac(text, key string) ([]byte, error) {
	secret, err := b.key()
	if err != nil {
		return nil, err
	}
	derived := sha256.Sum256(append([]byte("samsa gateway, on behalf\n"), secret...))
	mac := hmac.New(sha256.New, derived[:])
	_, _ = mac.Write([]byte(text + "\n" + key)) // a hash takes everything
	return mac.Sum(nil), nil
}

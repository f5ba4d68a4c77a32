// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"runtime"

	"golang.org/x/crypto/bcrypt"
)

const (
	// maxPassword is where bcrypt stops to look: what is behind would not count.
	maxPassword = 72
	// mostWaiting bounds those who wait for a hash, which takes about 70 ms at cost 10 on one core: some seconds' work.
	// Callers whose password is known already never wait.
	mostWaiting = 64
)

// Basic knows callers by name and password ("Authorization: Basic", RFC 7617), which stand in users as bcrypt hashes. A
// password that was right is remembered for as long as its hash stays, keyed and hashed, in bounded memory.
func Basic(users *Users) Verifier {
	b := &basic{
		users: users, known: newRecent[struct{}](mostAccepted), secret: make([]byte, sha256.Size),
		waiting: make(chan struct{}, mostWaiting), hashing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	_, _ = rand.Read(b.secret) // it never fails
	return b
}

type basic struct {
	users  *Users
	known  *recent[struct{}]
	secret []byte
	// Those who wait for a hash, and those who have half of the processors to make one.
	waiting, hashing chan struct{}
}

// Verify implements Verifier.
func (b *basic) Verify(ctx context.Context, r *http.Request) (Caller, error) {
	if _, ok := authorization(r, "Basic"); !ok {
		return Caller{}, wrongPassword("send a name and a password, as `Authorization: Basic ...`")
	}
	name, password, ok := r.BasicAuth()
	if !ok || name == "" || len(password) > maxPassword {
		return Caller{}, wrongPassword("name and password cannot be read, or the password has more than 72 bytes")
	}
	hash, exists := b.users.hash(name)
	key := b.key(name, password, hash)
	if _, known := b.known.get(key); known && exists {
		return Caller{Name: name}, nil
	}
	right, err := b.compare(ctx, hash, password)
	switch {
	case err != nil:
		return Caller{}, err
	case !right || !exists:
		return Caller{}, wrongPassword("the name or the password is wrong")
	}
	b.known.put(key, struct{}{})
	return Caller{Name: name}, nil
}

func wrongPassword(reason string) error {
	return &Refusal{Cause: ErrUnauthenticated, Reason: reason, Challenge: `Basic realm="samsa", charset="UTF-8"`}
}

// key is of a password and of the hash that it was compared with: a new hash is a new question.
func (b *basic) key(name, password string, hash []byte) sum {
	mac := hmac.New(sha256.New, b.secret)
	for _, part := range [][]byte{[]byte(name), hash, []byte(password)} {
		var length [8]byte // no part can run into the next
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		_, _ = mac.Write(length[:]) // a hash takes everything
		_, _ = mac.Write(part)
	}
	return sum(mac.Sum(nil))
}

func (b *basic) compare(ctx context.Context, hash []byte, password string) (bool, error) {
	select {
	case b.waiting <- struct{}{}:
		defer func() { <-b.waiting }()
	default:
		return false, unavailable("too many passwords are being verified; come back in a moment")
	}
	select {
	case b.hashing <- struct{}{}:
		defer func() { <-b.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return bcrypt.CompareHashAndPassword(hash, []byte(password)) == nil, nil
}

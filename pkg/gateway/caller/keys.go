// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// keysFresh is how long keys are used before they are read again: 5 minutes after an issuer has withdrawn one, nobody
	// gets in with it.
	keysFresh = 5 * time.Minute
	// keysUsable is how long they are used if they cannot be read again: an outage of the issuer stops nobody for an
	// hour.
	keysUsable = time.Hour
	// keysAgain is the least time between two readings, whatever keys tokens name: anybody can name one.
	keysAgain = 10 * time.Second
	// keysTimeout bounds a reading: some KiB from next door.
	keysTimeout = 5 * time.Second
	// maxKeySet and mostKeys are far above what issuers have: two or three keys of half a KiB.
	maxKeySet = 256 << 10
	mostKeys  = 64
)

// Fetch reads a JSON Web Key Set.
type Fetch func(ctx context.Context) ([]byte, error)

// FetchURL reads the key set at url.
func FetchURL(client *http.Client, url string) Fetch {
	return func(ctx context.Context) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return nil, fmt.Errorf("key set: %w", err)
		}
		request.Header.Set("Accept", "application/jwk-set+json, application/json")
		response, err := client.Do(request)
		if err != nil {
			return nil, fmt.Errorf("key set: %w", err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("key set: %s answers %s", url, response.Status)
		}
		data, err := io.ReadAll(io.LimitReader(response.Body, maxKeySet+1))
		if err != nil {
			return nil, fmt.Errorf("key set: %w", err)
		}
		if len(data) > maxKeySet {
			return nil, fmt.Errorf("key set: %s sends more than %d bytes", url, maxKeySet)
		}
		return data, nil
	}
}

// Keys are an issuer's keys, read when they are needed: at first, every 5 minutes, and when a token names one that is
// not among them, but never more often than every 10 seconds. While they cannot be read, those of the last hour do.
type Keys struct {
	fetch Fetch
	now   func() time.Time

	// reading is held by who reads.
	reading sync.Mutex

	mu   sync.Mutex
	keys []jose.JSONWebKey
	// read is when keys were; tried is when they were last to be, and failure what came of that.
	read, tried time.Time
	failure     error
}

// NewKeys reads nothing yet.
func NewKeys(fetch Fetch, now func() time.Time) *Keys { return &Keys{fetch: fetch, now: now} }

// find gives the keys that a token may be signed with: those of its key ID, or all if it names none.
func (k *Keys) find(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	found := k.matching(id)
	if len(found) > 0 && !k.due(keysFresh) {
		return found, nil
	}
	if len(found) > 0 {
		// Others go on with what there is, while one of them reads.
		if k.reading.TryLock() {
			defer k.reading.Unlock()
			k.refresh(ctx, keysFresh)
		}
	} else {
		k.reading.Lock()
		defer k.reading.Unlock()
		if found = k.matching(id); len(found) == 0 {
			k.refresh(ctx, 0)
		}
	}
	if found = k.matching(id); len(found) == 0 {
		return nil, k.absent()
	}
	return found, nil
}

// due reports whether keys are older than age, and may be read again already.
func (k *Keys) due(age time.Duration) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	return now.Sub(k.read) >= age && (k.tried.IsZero() || now.Sub(k.tried) >= keysAgain)
}

// refresh reads the keys if they are due. The caller holds reading.
func (k *Keys) refresh(ctx context.Context, age time.Duration) {
	if !k.due(age) {
		return
	}
	// Whoever gives up meanwhile does not make the reading fail for all others.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	data, err := k.fetch(ctx)
	var keys []jose.JSONWebKey
	if err == nil {
		keys, err = parseKeys(data)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.failure = k.now(), err
	if err == nil {
		k.keys, k.read = keys, k.tried
	}
}

func (k *Keys) matching(id string) []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read.IsZero() || k.now().Sub(k.read) >= keysUsable {
		return nil
	}
	if id == "" {
		return k.keys
	}
	var found []jose.JSONWebKey
	for _, key := range k.keys {
		if key.KeyID == id {
			found = append(found, key)
		}
	}
	return found
}

// absent is why no key was found.
func (k *Keys) absent() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failure != nil || k.read.IsZero() {
		return unavailable("the issuer's keys cannot be read")
	}
	return InvalidToken("the token is signed with a key that its issuer does not have")
}

// Failure is why the keys could not be read the last time; nil if they could.
func (k *Keys) Failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failure
}

// parseKeys keeps those keys that signatures can be verified with.
func parseKeys(data []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	if len(set.Keys) > mostKeys {
		return nil, fmt.Errorf("key set: %d keys, at most %d are read", len(set.Keys), mostKeys)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		// A kind of key that nobody knows here yet spoils none of the others.
		if key.UnmarshalJSON(raw) != nil || !key.Valid() || !key.IsPublic() || (key.Use != "" && key.Use != "sig") {
			continue
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("key set: holds no key that verifies signatures")
	}
	return keys, nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package caller

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	// recheck is how long a change of the file may go unnoticed; reading some KiB that often costs nothing.
	recheck = 2 * time.Second
	// maxUsers bounds the file: 10,000 users of 100 bytes.
	maxUsers = 1 << 20
	// maxCost keeps one hash below about a second; htpasswd's own is 5, the usual one 10.
	maxCost = 14
)

// Users are names and bcrypt hashes in a file, as `htpasswd -B` writes it: NAME:HASH, a line each. A change is used
// within seconds, without a restart. One that cannot be used is logged, and the users before it stay.
type Users struct {
	file   string
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	data    []byte
	trouble string
	hashes  map[string][]byte
	// stranger is the hash for names that there are not: it takes as long as one of those that there are.
	stranger []byte
}

// NewUsers reads the file. The error says what is wrong with it, and holds none of it.
func NewUsers(file string, now func() time.Time, logger *slog.Logger) (*Users, error) {
	u := &Users{file: file, now: now, logger: logger, looked: now()}
	if err := u.read(); err != nil {
		return nil, err
	}
	return u, nil
}

// hash gives the user's hash, or that of somebody else, who is not meant.
func (u *Users) hash(name string) (hash []byte, exists bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now := u.now(); now.Sub(u.looked) >= recheck {
		u.looked = now
		u.reread()
	}
	if hash, exists = u.hashes[name]; exists {
		return hash, true
	}
	return u.stranger, false
}

// reread logs trouble once.
func (u *Users) reread() {
	err := u.read()
	switch {
	case err == nil && u.trouble != "":
		u.logger.Info("The users' file can be used again", "file", u.file)
		u.trouble = ""
	case err != nil && u.trouble != err.Error():
		u.logger.Error("The users' file cannot be used; those before it stay", "file", u.file, "error", err)
		u.trouble = err.Error()
	}
}

func (u *Users) read() error {
	file, err := os.ReadFile(u.file)
	if err != nil {
		return err
	}
	if u.hashes != nil && bytes.Equal(file, u.data) {
		return nil
	}
	hashes, stranger, err := parseUsers(file)
	if err != nil {
		return err
	}
	u.data, u.hashes, u.stranger = file, hashes, stranger
	return nil
}

// CheckUsers says what is wrong with what would be the file of Users. The error holds none of it.
func CheckUsers(file []byte) error {
	_, _, err := parseUsers(file)
	return err
}

// parseUsers also gives the hash that costs most.
func parseUsers(file []byte) (hashes map[string][]byte, stranger []byte, err error) {
	if len(file) > maxUsers {
		return nil, nil, fmt.Errorf("has more than %d bytes", maxUsers)
	}
	hashes = make(map[string][]byte)
	most, number := 0, 0
	for line := range strings.Lines(string(file)) {
		number++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, hash, _ := strings.Cut(line, ":")
		cost, err := bcrypt.Cost([]byte(hash))
		if name == "" || err != nil {
			return nil, nil, fmt.Errorf("line %d is not NAME:HASH with a bcrypt hash; make it with htpasswd -B", number)
		}
		if cost > maxCost {
			return nil, nil, fmt.Errorf("line %d: a hash of cost %d takes too long; use at most %d", number, cost, maxCost)
		}
		if _, twice := hashes[name]; twice {
			return nil, nil, fmt.Errorf("line %d: the name was there before; remove one", number)
		}
		hashes[name] = []byte(hash)
		if cost > most {
			most, stranger = cost, []byte(hash)
		}
	}
	if len(hashes) == 0 {
		return nil, nil, errors.New("has no users; add one with htpasswd -B")
	}
	return hashes, stranger, nil
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package secure

import (
	"log/slog"
	"sync"
)

// lasting is what is made of material, and stays what it was while the material of the moment cannot be used. A Secret
// that somebody breaks would else cut off every process that runs, one new connection after the other.
type lasting[T any] struct {
	source Source
	build  func(Material) (T, error)
	faulty func(error)

	// mu protects what follows, and lets one at a time look, so that nobody goes back to what was before.
	mu sync.Mutex
	// good was usable last, made of material; fault is what is wrong with that since, empty if nothing is.
	good     T
	material Material
	fault    string
}

// last fails where there is nothing good yet.
func last[T any](source Source, faulty func(error), build func(Material) (T, error)) (*lasting[T], error) {
	if faulty == nil {
		faulty = func(error) {}
	}
	material, err := source()
	if err != nil {
		return nil, err
	}
	good, err := build(material)
	if err != nil {
		return nil, err
	}
	return &lasting[T]{source: source, build: build, faulty: faulty, good: good, material: material}, nil
}

// current is made of the material of the moment if that can be used, else what was good last.
func (l *lasting[T]) current() T {
	l.mu.Lock()
	defer l.mu.Unlock()
	fault, err := "", l.renew()
	if err != nil {
		fault = err.Error()
	}
	if fault != l.fault {
		l.fault = fault
		l.faulty(err)
	}
	return l.good
}

// renew takes up new material. The caller holds mu.
func (l *lasting[T]) renew() error {
	material, err := l.source()
	if err != nil || material.equal(l.material) {
		return err
	}
	good, err := l.build(material)
	if err != nil {
		return err
	}
	l.good, l.material = good, material
	return nil
}

// Logged tells a log what becomes of certificates that are replaced while they are in use, for what: it is made for
// Server and Config.
func Logged(logger *slog.Logger, what string) func(error) {
	logger = logger.With(slog.String("for", what))
	return func(err error) {
		if err != nil {
			logger.Error("The certificates there are now cannot be used; those before stay in use", slog.Any("error", err))
			return
		}
		logger.Info("The certificates can be used again")
	}
}

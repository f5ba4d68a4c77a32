// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin

package proc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// LogLimit bounds a log file in bytes: 10 MiB, a kubelet's default, some 50,000 lines. With the file before it a log is
// at most 20 MiB.
const LogLimit = 10 << 20

// Older is the name under which the part of a log lies that came before what is in file.
func Older(file string) string { return file + ".old" }

// Log is a file that is written to by a process, and renamed to Older when it is full. Safe for concurrent use.
type Log struct {
	path  string
	limit int64

	// mu protects what follows.
	mu   sync.Mutex
	file *os.File
	size int64
}

// OpenLog appends to a file, which is made if it is not there. limit in bytes; 0 is LogLimit.
func OpenLog(path string, limit int64) (*Log, error) {
	if limit <= 0 {
		limit = LogLimit
	}
	l := &Log{path: path, limit: limit}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Log) open() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return fmt.Errorf("log: %w", err)
	}
	l.file, l.size = file, info.Size()
	return nil
}

// Write implements io.Writer.
func (l *Log) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(text)) > l.limit {
		if err := l.rotate(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(text)
	l.size += int64(n)
	return n, err
}

// rotate begins a new file. Where that cannot be had, what the present one holds makes room.
func (l *Log) rotate() error {
	full := l.file
	err := os.Rename(l.path, Older(l.path))
	if err == nil {
		err = l.open()
	}
	if err == nil {
		return full.Close()
	}
	if failure := full.Truncate(0); failure != nil {
		return fmt.Errorf("rotate the log: %w", errors.Join(err, failure))
	}
	l.size = 0
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// Tail gives the last lines of a log, at most of them and of 8 KiB; what cannot be read is empty.
func Tail(path string, lines int) string {
	const most = 8 << 10
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err == nil && info.Mode()&fs.ModeType == 0 && info.Size() > most {
		_, _ = file.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, most)) // what was read is better than nothing
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package bench_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// connection is one of HTTP/1.1, made by hand: net/http's client costs as much as its server does, and would hide
// half of what is measured.
type connection struct {
	net.Conn

	answers *bufio.Reader
	// took is how long requests took.
	took []time.Duration
}

func dial(address string) (*connection, error) {
	c, err := net.Dial("tcp", address) //nolint:noctx // loopback
	if err != nil {
		return nil, fmt.Errorf("connection: %w", err)
	}
	return &connection{Conn: c, answers: bufio.NewReaderSize(c, 4<<10)}, nil
}

// ask sends a request that is written already, and reads the answer, which has a length.
func (c *connection) ask(request []byte) (status int, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, fmt.Errorf("request: %w", err)
	}
	return c.answer()
}

var contentLength = []byte("Content-Length: ")

func (c *connection) answer() (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := c.answers.ReadSlice('\n')
		if err != nil {
			return 0, fmt.Errorf("answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if len(line) < len("HTTP/1.1 200") {
				return 0, fmt.Errorf("answer: %q", line)
			}
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, fmt.Errorf("answer: %w", err)
			}
		case len(line) == 0:
			_, err := c.answers.Discard(length)
			return status, err
		case bytes.HasPrefix(line, contentLength):
			if length, err = strconv.Atoi(string(line[len(contentLength):])); err != nil {
				return 0, fmt.Errorf("answer: %w", err)
			}
		}
	}
}

var errNotTaken = errors.New("a message of a stream was not taken")

// results reads the answer to a stream, and tells of the messages that were taken as their results come.
func (c *connection) results(taken func(n int)) (all int, err error) {
	answer, err := http.ReadResponse(bufio.NewReaderSize(c, 32<<10), nil)
	if err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	defer answer.Body.Close()
	wanted := []byte(`"status":201,`)
	buffer := make([]byte, 32<<10)
	for kept := 0; ; {
		n, err := answer.Body.Read(buffer[kept:])
		// Whole lines are looked at; what remains of one is kept.
		end := bytes.LastIndexByte(buffer[:kept+n], '\n') + 1
		results := bytes.Count(buffer[:end], []byte{'\n'})
		if bytes.Count(buffer[:end], wanted) != results {
			return all, fmt.Errorf("%w: %.500s", errNotTaken, buffer[:end])
		}
		all += results
		taken(results)
		kept = copy(buffer, buffer[end:kept+n])
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, fmt.Errorf("results: %w", err)
		}
	}
}

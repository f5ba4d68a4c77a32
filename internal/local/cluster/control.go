// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// headerTimeout is for clients that are curl or samsa-local itself.
	headerTimeout = 5 * time.Second
	// mostPartitions keeps a slip of the finger from filling memory: each has a node in ZooKeeper and a log in Kafka.
	mostPartitions = 1000
	// mostComplaint bounds what is read of an answer.
	mostComplaint = 4 << 10
)

// startControl serves what only the process of the world can do, on a socket in its directory, which is its owner's
// alone.
func (c *Cluster) startControl(ctx context.Context) error {
	path := controlSocket(c.config.Directory)
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("control socket: %w (a path of some 100 characters is too long: choose another --dir)", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /topics/{name}", c.createTopic)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	c.closers = append(c.closers, func() error {
		err := server.Close()
		if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	})
	return nil
}

func controlSocket(directory string) string { return filepath.Join(directory, "control.sock") }

func (c *Cluster) createTopic(w http.ResponseWriter, request *http.Request) {
	partitions, err := strconv.ParseInt(request.FormValue("partitions"), 10, 32)
	if err != nil || partitions < 1 || partitions > mostPartitions {
		http.Error(w, fmt.Sprintf("partitions must be a number from 1 to %d", mostPartitions), http.StatusBadRequest)
		return
	}
	err = c.world.Brokers().CreateTopic(request.Context(), request.PathValue("name"), int32(partitions))
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]int64{"partitions": partitions})
}

// CreateTopic creates a topic in the world that runs in a directory.
func CreateTopic(ctx context.Context, directory, name string, partitions int) error {
	if _, err := Read(directory); err != nil {
		return err
	}
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", controlSocket(directory))
		},
	}
	address := fmt.Sprintf("http://samsa-local/topics/%s?partitions=%d", url.PathEscape(name), partitions)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	complaint, err := io.ReadAll(io.LimitReader(answer.Body, mostComplaint))
	if err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	return errors.New(strings.TrimSpace(string(complaint)))
}

// DefaultDirectory is where a world is if nobody says otherwise.
func DefaultDirectory() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place for a world: %w; name a directory with --dir", err)
	}
	return filepath.Join(cache, "samsa-local"), nil
}

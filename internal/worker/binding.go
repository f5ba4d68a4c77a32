// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/samsa-dev/samsa/internal/clusterconfig"
	"github.com/samsa-dev/samsa/internal/configfile"
	"github.com/samsa-dev/samsa/pkg/client/secure"
	"github.com/samsa-dev/samsa/pkg/sink/httpsink"
)

// tokenLife is for how long a token is believed to be what its file holds. The kubelet renews one when a fifth of its
// life is left, which is at least two minutes of ten. Ten seconds of these cost nothing, and with a thousand requests a
// second there is one reading of the file for ten thousand of them.
const tokenLife = 10 * time.Second

// longestScope is how long what tells groups apart may be in a key. Gateways take keys of 512 characters; a topic's
// name has up to 249, and partition, offset and index up to 13, 19 and 10, with 4 signs between.
const longestScope = 512 - 249 - 13 - 19 - 10 - 4

// config has every request be known by group, topic, partition and offset, so that a gateway that has written a message
// does not write it again. Messages get the time at which they are published: a gateway that takes over from another
// looks for what that wrote by time, and would not find what seems to be older.
func (s *BindingSink) config(group string, delivery Delivery, logger *slog.Logger) (httpsink.Config, error) {
	config := httpsink.Config{
		URL: s.URL, Format: httpsink.Raw, Timeout: time.Duration(delivery.Timeout), Proxy: http.ProxyFromEnvironment,
		KeyPrefix: keyPrefix(s.Scope, group), OmitTimestamp: true,
	}
	if s.TokenFile != "" {
		config.Authorization = (&tokenFile{name: s.TokenFile, now: time.Now}).authorization
	}
	target, err := url.Parse(s.URL)
	if err != nil || target.Scheme != "https" {
		return config, err
	}
	secured, err := secure.Config("", secure.Files(s.CAFile, "", ""), secure.Logged(logger, "the sink"))
	if err != nil {
		return httpsink.Config{}, fmt.Errorf("sink.producerBinding.caFile: %w", err)
	}
	config.TLS = secure.Named(secured, target.Hostname())
	return config, nil
}

// keyPrefix is <scope>/<group>/, where both are encoded as a path's elements are; where that is too long for a gateway,
// what stands for it.
func keyPrefix(scope, group string) string {
	prefix := url.PathEscape(scope) + "/" + url.PathEscape(group) + "/"
	if len(prefix) <= longestScope {
		return prefix
	}
	sum := sha256.Sum256([]byte(prefix))
	return hex.EncodeToString(sum[:]) + "/"
}

func (s *BindingSink) check(f *configfile.Faults) {
	const path = "sink.producerBinding."
	if target, err := url.Parse(s.URL); err != nil || target.Host == "" ||
		target.Scheme != "http" && target.Scheme != "https" {
		f.Add(path+"url", "%q is no URL; give the binding's, which is its status.url", s.URL)
	}
	if s.Scope == "" {
		f.Add(path+"scope", "is missing; give the name of the cluster that is consumed from")
	}
	if s.TokenFile != "" {
		if _, err := (&tokenFile{name: s.TokenFile, now: time.Now}).authorization(); err != nil {
			f.Add(path+"tokenFile", "%v", err)
		}
	}
	(&clusterconfig.TLS{CAFile: s.CAFile}).Check(f, "sink.producerBinding")
}

// tokenFile is a token that somebody renews in its file.
type tokenFile struct {
	name string
	now  func() time.Time

	mu    sync.Mutex // guards what follows
	value string
	read  time.Time
}

// authorization is the value of the header. A token that cannot be read any more is used on until a gateway refuses it.
func (t *tokenFile) authorization() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && t.now().Sub(t.read) < tokenLife {
		return t.value, nil
	}
	data, err := os.ReadFile(t.name)
	token := strings.TrimSpace(string(data))
	switch {
	case err == nil && token != "":
		t.value, t.read = "Bearer "+token, t.now()
	case t.value != "":
	case err == nil:
		return "", errors.New("the token's file " + t.name + " is blank")
	default:
		return "", fmt.Errorf("the token: %w", err)
	}
	return t.value, nil
}

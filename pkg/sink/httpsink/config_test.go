// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package httpsink

import (
	"strings"
	"testing"
	"time"
)

func TestNewReportsEverything(t *testing.T) {
	_, err := New(Config{
		URL: "ftp://joe:s3cret@host/", Method: "GET", Format: 9, ContentType: "a\nb", Timeout: -time.Second,
		MaxAnswerBytes: -1, MaxIdleConnections: -1, CloudEvents: CloudEvents{Source: "/a#b", Type: "a\x00"},
		Headers: map[string]string{
			"samsa-topic": "x", "Content-Type": "x", "Host": "x", "bad name": "x", "X-Bad": "a\r\nb", "Ce-Id": "x",
			"X-Long": strings.Repeat("x", maxStaticHeaderBytes),
		},
	})
	if err == nil {
		t.Fatal("nothing is wrong with it")
	}
	for _, want := range []string{
		`http sink: url: scheme "ftp" is not supported: use http or https`,
		`method: "GET" is not supported: use POST, PUT or PATCH`, "format: 9", `contentType: "a\nb"`,
		"timeout: -1s", "maxAnswerBytes: -1", "maxIdleConnections: -1", `cloudEvents.source: "/a#b"`, "cloudEvents.type:",
		"Samsa-Topic is set by the sink: remove it", "Content-Type is a setting of its own: use contentType",
		"Host is set by the sink", `"bad name" is no header name`, "X-Bad has control characters", "Ce-Id is set by the sink",
		"are more than 8192: send fewer",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the password is in:\n%v", err)
	}
}

func TestNewRefusesAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"":                           `http sink: url: scheme "" is not supported: use http or https`,
		"http://":                    "http sink: url: no host: use a URL such as http://host/path",
		"http://:80/":                "http sink: url: no host: use a URL such as http://host/path",
		"http://joe:s3cret@h:port/x": "http sink: url: not a URL: use one such as http://host/path",
	} {
		if _, err := New(Config{URL: address}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", address, err, want)
		}
	}
	token := func() (string, error) { return "Bearer x", nil }
	for _, twice := range []Config{
		{URL: "http://joe:x@h/", Authorization: token},
		{URL: "http://h/", Headers: map[string]string{"authorization": "x"}, Authorization: token},
	} {
		if _, err := New(twice); err == nil || !strings.Contains(err.Error(), "authorization: it is given twice") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := New(Config{URL: "http://h/", KeyPrefix: "a b"}); err == nil ||
		!strings.Contains(err.Error(), "keyPrefix") {
		t.Errorf("got %v", err)
	}
	_, err := New(Config{URL: "http://joe:x@h/", Headers: map[string]string{"authorization": "Bearer x"}})
	if err == nil || !strings.Contains(err.Error(), "Authorization contradicts the user in url") {
		t.Errorf("got %v", err)
	}
}

func TestFormatAsText(t *testing.T) {
	for _, format := range []Format{Raw, CloudEventsBinary} {
		text, err := format.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got := Format(9)
		if err := got.UnmarshalText(text); err != nil || got != format {
			t.Errorf("%s became %s (%v)", format, got, err)
		}
	}
	var format Format
	if err := format.UnmarshalText([]byte("xml")); err == nil {
		t.Error("xml is no format")
	}
}

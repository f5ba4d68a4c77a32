// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/samsa-dev/samsa/pkg/client/registry/layout"
)

// ownTopics is how the names of Kafka's own topics begin: nobody means those by a pattern.
const ownTopics = "__"

// CompilePattern compiles an expression (RE2) that the whole name of a topic has to match. The error says what is wrong
// with it.
func CompilePattern(expression string) (*regexp.Regexp, error) {
	if expression == "" {
		return nil, errors.New("is empty; give an expression, as in orders-.*")
	}
	// By itself first: what is put around it below would make a whole of two halves.
	if _, err := regexp.Compile(expression); err != nil {
		return nil, fmt.Errorf("%q is no regular expression (RE2): %w", expression, reasonOf(err))
	}
	whole, err := regexp.Compile(`\A(?:` + expression + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("%q is no regular expression (RE2): %w", expression, reasonOf(err))
	}
	return whole, nil
}

// reasonOf leaves out what the message has already.
func reasonOf(err error) error {
	if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
		return fmt.Errorf("%s in %q", bad.Code, bad.Expr)
	}
	return err
}

// MatchTopics are those of the topics that a pattern made by CompilePattern matches, sorted. Kafka's own, whose names
// begin with __, never match, and neither do names that no topic of Kafka's can have.
func MatchTopics(pattern *regexp.Regexp, topics []string) []string {
	var matching []string
	for _, topic := range topics {
		if !strings.HasPrefix(topic, ownTopics) && layout.CheckTopic(topic) == nil && pattern.MatchString(topic) {
			matching = append(matching, topic)
		}
	}
	slices.Sort(matching)
	return slices.Compact(matching)
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package publishing_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// block is some lines of the page that a shell can run.
type block struct {
	// title is that of the section.
	title, script string
	// answers are what is printed behind it; none for a block that sets variables.
	answers []answer
	line    int
}

// answer is one of curl's: a status, and JSON, or some lines of it.
type answer struct {
	status string
	lines  []string
}

// readPage takes the blocks out of the page.
func readPage(t *testing.T, path string) (blocks []block) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var title, kind string
	var inside []string
	for i, line := range strings.Split(string(text), "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && kind == "":
			kind, inside = fence, nil
		case isFence:
			switch kind {
			case "sh":
				blocks = append(blocks, block{title: title, script: strings.Join(inside, "\n"), line: i})
			case "text":
				blocks[len(blocks)-1].answers = readAnswers(strings.Join(inside, "\n"))
			}
			kind = ""
		case kind != "":
			inside = append(inside, line)
		case strings.HasPrefix(line, "#"):
			title = strings.TrimLeft(line, "# ")
		case strings.HasPrefix(line, "**"): // as a title of its own
			title, _, _ = strings.Cut(line[2:], "**")
		}
	}
	return blocks
}

var status = regexp.MustCompile(`^\d{3}$`)

// readAnswers reads them as curl gives them, and the page prints them: the body, then the status on a line of its own.
func readAnswers(output string) (answers []answer) {
	var body []string
	for line := range strings.SplitSeq(output, "\n") {
		switch {
		case status.MatchString(line):
			answers = append(answers, answer{status: line, lines: body})
			body = nil
		case line != "":
			body = append(body, line)
		}
	}
	return answers
}

// differs says in what way an answer is another than the one printed. Positions, times and the like are not compared.
func (a answer) differs(printed answer) string {
	// A stream is 200 where all is known when its first line goes out, which on a busy machine may not be so.
	if a.status == "207" && printed.status == "200" && len(printed.lines) > 1 {
		a.status = printed.status
	}
	if a.status != printed.status || len(a.lines) != len(printed.lines) {
		return fmt.Sprintf("%s %s\nthe page has %s %s", a.status, strings.Join(a.lines, "\n"),
			printed.status, strings.Join(printed.lines, "\n"))
	}
	for i := range a.lines {
		var got, want any
		if err := json.Unmarshal([]byte(a.lines[i]), &got); err != nil {
			return fmt.Sprintf("%s: %v", a.lines[i], err)
		}
		if err := json.Unmarshal([]byte(printed.lines[i]), &want); err != nil {
			return fmt.Sprintf("the page: %s: %v", printed.lines[i], err)
		}
		if difference := differ("", got, want); difference != "" {
			return fmt.Sprintf("%s\n%s\nthe page has\n%s", difference, a.lines[i], printed.lines[i])
		}
	}
	return ""
}

// differ compares two values of JSON: of what differs from run to run only the kind.
func differ(name string, got, want any) string {
	switch name {
	case "partition", "offset", "timestamp":
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
			return fmt.Sprintf("%s: %v and %v", name, got, want)
		}
		return ""
	}
	switch want := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok || len(members) != len(want) {
			return fmt.Sprintf("%s: other members", name)
		}
		for member, value := range want {
			given, there := members[member]
			if !there {
				return fmt.Sprintf("%s: no %s", name, member)
			}
			if difference := differ(member, given, value); difference != "" {
				return difference
			}
		}
	case []any:
		items, ok := got.([]any)
		if !ok || len(items) != len(want) {
			return fmt.Sprintf("%s: other items", name)
		}
		for i, value := range want {
			if difference := differ(name, items[i], value); difference != "" {
				return difference
			}
		}
	default:
		if got != want {
			return fmt.Sprintf("%s: %v and %v", name, got, want)
		}
	}
	return ""
}

// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// taken are expressions that have to be translated. What they match is in testdata.
var taken = []string{
	"", "a", "ab", "a|b", "ab|c", "a|", "|a", "a||b", "(a|b)c", "(?:a|ab)(c|bc)", "()a", "(a|)b", "((a)(b)?)+", "(a|b)*",
	".", "..", ".*", ".+", "a.b", `a\.b`, "a.?b", "ev.*", "ev.*|zz.*", "orders.*", "orders[-._].*",
	"(orders|events)(-.*)?",
	"a?", "a??", "a*", "a*?", "a+", "a+?", "x{2}", "x{2,}", "x{2,3}", "x{2,3}?", "x{0}", "x{0,1}", "x{02}", "(ab){2}",
	"(a|b){1,2}", "((a|b)c?){2}", "(?:x{2}){2}", "x{1000}",
	"[abc]", "[a-c]", "[^a-c]", "[^a-c]*", "[a-c]{2,3}", "[-a]", "[a-]", "[^-]", "[a-c_-]+", `[\w.-]+`, `[\w-]+`, `[^\w]`,
	`[^\W]`, `[\d]`, `[^\d]+`, `[\D\d]`, `[a\d]+`, `[^a\d]`, `[\-a]`, `[\]a]`, `[\[a]`, `[\^a]`, "[.]", "[a.b]{3}",
	"[+-.]",
	`[\x61-c]`, `[A-z]+`, `[\p{Alpha}_]+`, `[\P{Alpha}]`, "[(|)*+?{}$a]", "[a-a]", `[\t-~]+`,
	`\d`, `\d+`, `\D+`, `\w+`, `\W`, `\s`, `\S+`, `\p{Lower}+`, `\p{Upper}\p{Lower}*`, `\p{Alpha}+`, `\p{Digit}*`,
	`\p{Alnum}+`, `\p{ASCII}+`, `\p{Punct}`, `\p{Graph}+`, `\p{Print}+`, `\p{Blank}`, `\p{Cntrl}`, `\p{XDigit}+`,
	`\p{Space}`, `\P{Punct}+`,
	`\Qa.b\E`, `\Qa.b`, `\Qab\E+`, `\Qa\E|b`, `x\Q*\E`, `(\Q.\Ea)?.*`, `\\`, `\-`, `\_`, `a\_b`, `\x61`, `\u0061b`, `\t`,
	`\n|a`, `\r`, `\f`, `\a`, `\e`, `\$`, `\{`, `\ `,
	"^a", "a$", "^a$", "^(a|b)$", "^a|b$", "a^b", "a$b", `\Aa\z`, `a\Z`, "(^a)b", "(a$|b)", "$", "^",
	"]", "}", "a}", "-", "_", "a-b", "#a", "a b", "a,b", `"a"`, "'a'", "a&&b", "~", "<a>", "a=b", "a!", "%", "@", ";", ":",
	"(" + strings.Repeat("a|", 100) + "b)", strings.Repeat("(", maxDepth) + "a" + strings.Repeat(")", maxDepth),
	strings.Repeat("a", maxExpression),
}

// reported are expressions that are an error, which names what it is about. Java takes most of them.
var reported = map[string]string{
	"(?=a).*": "look ahead (?=", "(?!a).*": "look ahead (?!", "(?<=a)b": "look behind (?<=", "a(?<!b)": "look behind (?<!",
	"(?>a|ab)c": "atomic", "(?<n>a)": "named group", "(?i)a": "flag", "(?i:a)": "flag", "(?x) a": "flag",
	"(?P<n>a)": "flag",
	`(a)\1`:    `back reference \1`, `(?<n>a)\k<n>`: "named group", `\k<n>`: "back reference", `a\b`: `boundary \b`,
	`\Ba`: `boundary \B`, `\Ga`: `boundary \G`, `\R`: `escape \R`, `\X`: `escape \X`, `\h`: `escape \h`, `\v`: `escape \v`,
	`\H`: `escape \H`, `\N{LATIN SMALL LETTER A}`: `escape \N`, `\ca`: `escape \c`, `\061`: `escape \0`, `\y`: `escape \y`,
	`\E`: `escape \E`, `\Q\Ea`: "quotation", `a\Q\E*`: "quotation", `a\Q`: "quotation", `[\Qa\E]`: `escape \Q`,
	`[\b]`: `boundary \b`, `[\A]`: `escape \A`, `\`: "nothing behind", `a\`: "nothing behind", `[\`: "nothing behind",
	"a++": "possessive", "a*+b": "possessive", "a?+": "possessive", "a{2}+": "possessive", "(a|b)++": "possessive",
	"a**": "repetition of a repetition", "x{2}{3}": "repetition of a repetition", "a+*": "repetition of a repetition",
	"a???": "repetition of a repetition", "*a": "repetition of nothing", "a|*": "repetition of nothing", "(+)": "nothing",
	"(a|^){2}": "looks at where it stands", "^*a": "looks at where it stands", "(a$)?": "looks at where it stands",
	"(a|){2}": "may be nothing", "(a*)*": "may be nothing", "()+": "may be nothing", "((a?)(b?))+": "may be nothing",
	"{": "brace", "{2}": "brace", "a{": "brace", "a{2": "brace", "a{}": "none of", "a{,2}": "none of", "a{2,1}": "none of",
	"a{b}": "none of", "a{1001}": "none of", "a{1,2,3}": "none of", "a{99999999999999999999}": "none of",
	"a{ 1}": "none of",
	"a{+1}": "none of", "a{-1}": "none of", "x{2|3}": "none of", "(a{30}){40}": "repeat", "(a{100}){100}": "8192",
	"((a{99}){99}){99}": "8192", strings.Repeat("a{999}|", 10): "8192",
	"[a-z&&[^b]]": "&", "[a&&b]": "&", "[a&b]": "&", "[a[b]]": "class within a class",
	"[[:alpha:]]": "class within a class",
	"[]":          "unescaped ]", "[]a]": "unescaped ]", "[^]a]": "unescaped ]", "[a^b]": "unescaped ^",
	"[^^a]": "unescaped ^",
	"[a":    "not closed", "[": "not closed", "[^": "not closed", "[a-": "unescaped -", "[--a]": "unescaped -",
	"[a-c-e]": "unescaped -", `[\w-.]`: "begins with a class", `[a-\d]`: "ends with a class", "[z-a]": "before it begins",
	"[a-[b]]": "unescaped [", "[+--]": "unescaped -", "[a-&]": "unescaped &",
	`\p{L}`: "POSIX", `\p{IsLatin}`: "POSIX", `\pL`: "POSIX", `\p{javaLowerCase}`: "POSIX", `\p{InGreek}`: "POSIX",
	`\p{alpha}`: "POSIX", `\p`: "POSIX", `\p{`: "POSIX", `\p{Alpha`: "POSIX", `\x`: "hexadecimal", `\x6`: "hexadecimal",
	`\x{61}`: "hexadecimal", `\xff`: "hexadecimal", `\u00e9`: "hexadecimal", `\u6`: "hexadecimal", `\x+1`: "hexadecimal",
	"(": "not closed", "(a": "not closed", "(?": "flag", "(?:": "not closed", ")": "closing", "a)": "closing",
	"(a))": "closing",
	"é":    "printable ASCII", "a\tb": "printable ASCII", "a\x00": "printable ASCII", "a\x7f": "printable ASCII",
	strings.Repeat("a", maxExpression+1): "4096", strings.Repeat("(", maxDepth+1): "deep",
	strings.Repeat("(", maxExpression): "deep",
}

// javaAnswers gives the answers of Java 17. A new expression in the table gets its answers, where there is a java, by
//
//	SAMSA_ASK_JAVA=1 go test -run TestJavaRegexps ./pkg/client/registry/layout
func javaAnswers(t *testing.T) (names []string, answers map[string]string) {
	t.Helper()
	if os.Getenv("SAMSA_ASK_JAVA") != "" {
		askJava(t)
	}
	read := func(file string) []string {
		data, err := os.ReadFile("testdata/javaregexp/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	}
	answers = map[string]string{}
	for _, line := range read("answers.txt") {
		expression, answer, _ := strings.Cut(line, "\t")
		answers[expression] = answer
	}
	return read("names.txt"), answers
}

func askJava(t *testing.T) {
	t.Helper()
	const directory = "testdata/javaregexp/"
	java := exec.CommandContext(t.Context(), "java", directory+"Matches.java", directory+"names.txt")
	java.Stdin = strings.NewReader(strings.Join(taken, "\n") + "\n")
	answers, err := java.Output()
	if err == nil {
		err = os.WriteFile(directory+"answers.txt", answers, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestJavaRegexpsThatAreTaken(t *testing.T) {
	names, answers := javaAnswers(t)
	for _, expression := range taken {
		whole, err := compileJava(expression)
		if err != nil {
			t.Errorf("%.60q is refused: %v", expression, err)
			continue
		}
		sameAsJava(t, expression, whole, names, answers)
	}
}

func sameAsJava(t *testing.T, expression string, whole *regexp.Regexp, names []string, answers map[string]string) {
	t.Helper()
	answer, known := answers[expression]
	if !known || len(answer) != len(names) {
		t.Errorf("%.60q: no answers of Java's", expression)
		return
	}
	for i, name := range names {
		if got, want := whole.MatchString(name), answer[i] == '1'; got != want {
			t.Errorf("%.60q on %q: %t, and %t in Java", expression, name, got, want)
		}
	}
}

func TestJavaRegexpsThatAreReported(t *testing.T) {
	for expression, want := range reported {
		_, err := compileJava(expression)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
			t.Errorf("%.60q: %v; want an error with %q", expression, err, want)
		}
	}
}

// FuzzJavaRegexp: whatever is written there, the answer is an error or an expression of bounded size, and quick.
func FuzzJavaRegexp(f *testing.F) {
	for _, expression := range taken {
		f.Add(expression)
	}
	for expression := range reported {
		f.Add(expression)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		whole, err := compileJava(expression)
		if err != nil {
			if whole != nil || len(err.Error()) > 400 {
				t.Errorf("%q: %v, and an error of %d bytes", expression, whole, len(err.Error()))
			}
			return
		}
		// A class of one character is the longest for its weight; no more than 66 ranges fit into 128 characters.
		if most := len(expression) * 66 * len(`\x00-\x00`); whole.String() == "" || len(whole.String()) > most+100 {
			t.Errorf("%q: an expression of %d bytes", expression, len(whole.String()))
		}
		whole.MatchString(strings.Repeat("a", maxTopicName))
	})
}

package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/token"
	"pgregory.net/rapid"
)

// malformedYAML is what is refused before any key is looked at.
func malformedYAML() []malformed {
	return []malformed{
		// Documents.
		{"second document", smallConfig + "---\nversion: 1\n", "17:1: a second document starts here", "a config is one document"},
		{"empty second document", smallConfig + "---\n", "17:1: a second document starts here", "a config is one document"},
		{"text behind the end mark", smallConfig + "...\nversion: 1\n", "18:1: a second document starts here", "a config is one document"},
		{"mark in brackets", edit("[no, yes]", "[no,\n---\nyes]"), "6:1: a second document starts here", "a config is one document"},
		{"directive", "%YAML 1.2\n---\n" + smallConfig, `1:1: unquoted text cannot start with '%'`, "put the text in quotes"},

		// Characters.
		{"invalid UTF-8", edit("train: t.csv", "train: \xff.csv"), "3:10: is not valid UTF-8", "save the config as UTF-8"},
		{"UTF-16", "\xff\xfev\x00e\x00", "1:1: is not valid UTF-8", "save the config as UTF-8"},
		{"NUL", edit("train: t.csv", "train: t\x00.csv"), "3:11: control character U+0000", "remove it"},
		{"escape sequence", edit("train: t.csv", "train: '\x1b[31m'"), "3:11: control character U+001B", "remove it"},
		{"carriage return alone", strings.ReplaceAll(smallConfig, "\n", "\r"), "1:11: control character U+000D", "remove it"},
		{"next line", edit("train: t.csv", "train: é\u0085"), "3:11: control character U+0085", "remove it"},
		{"tab in the indentation", edit("  unit: row", "\tunit: row"), "12:2: a tab in the indentation", "indent with spaces"},
		{"tab behind spaces", edit("  unit: row", " \t unit: row"), "12:4: a tab in the indentation", "indent with spaces"},
		{"tab behind a dash", edit("- name: job", "-\tname: job"), "8:7: a tab in the indentation", "indent with spaces"},
		{"tab in text", edit("t.csv", "my\ttable.csv"), "3:10: a tab inside unquoted text", "use spaces"},
		{"tab in double quotes", edit("t.csv", "\"my\ttable.csv\""), "3:10: an escape or tab that text in double quotes cannot hold", "the escapes are JSON's"},

		// Quotes.
		{"open double quotes", edit("t.csv", `"t.csv`), "3:10: text in quotes that does not end on its line", "close the quotes"},
		{"open single quotes", edit("t.csv", `'t.csv`), "3:10: text in quotes that does not end on its line", "close the quotes"},
		{"open quotes at the end", "version: \"", "1:10: text in quotes that does not end on its line", "close the quotes"},
		{"backslash at the end", `version: "\`, "1:10: text in quotes that does not end on its line", "close the quotes"},
		{"quotes over two lines", edit("t.csv", "\"t\n    .csv\""), "3:10: text in quotes that does not end on its line", "close the quotes"},
		{"escape that JSON lacks", edit("t.csv", `"\x41"`), "3:10: an escape or tab that text in double quotes cannot hold", "the escapes are JSON's"},
		{"escape that is none", edit("t.csv", `"C:\tables\q"`), "3:10: an escape or tab that text in double quotes cannot hold", "the escapes are JSON's"},
		{"half a surrogate pair", edit("t.csv", `"\ud800"`), "3:10: an escape or tab that text in double quotes cannot hold", "the escapes are JSON's"},
		{"text behind quotes", edit("t.csv", `"t" .csv`), "3:14: unexpected .csv", "put text in quotes"},
		{"quotes behind quotes", edit("t.csv", `'t' 'u'`), `3:14: unexpected "u"`, "put text in quotes"},
		{"comment at quotes", edit("t.csv", `"t"# the table`), `3:13: unexpected "#"`, "put a space before a comment"},

		// Unquoted text.
		{"anchor", edit("unit: row", "unit: &u row"), "12:9: unquoted text cannot start with '&'", "put the text in quotes; anchors"},
		{"alias", edit("unit: row", "unit: *u"), "12:9: unquoted text cannot start with '*'", "put the text in quotes; anchors"},
		{"tag", edit("steps: 200", "steps: !!int 200"), "16:10: unquoted text cannot start with '!'", "put the text in quotes; anchors"},
		{"tag at the end", "version: !one", "1:10: unquoted text cannot start with '!'", "put the text in quotes; anchors"},
		{"block text", edit("t.csv", "|\n    t.csv"), "3:10: unquoted text cannot start with '|'", "put the text in quotes; anchors"},
		{"folded text", edit("t.csv", ">-\n    t.csv"), "3:10: unquoted text cannot start with '>'", "put the text in quotes; anchors"},
		{"comparison", edit("[no, yes]", "[<=50K, >50K]"), "5:37: unquoted text cannot start with '>'", "put the text in quotes; anchors"},
		{"per cent", edit("t.csv", "%t.csv"), "3:10: unquoted text cannot start with '%'", "put the text in quotes; anchors"},
		{"at sign", edit("t.csv", "@t.csv"), "3:10: unquoted text cannot start with '@'", "put the text in quotes; anchors"},
		{"back quote", edit("t.csv", "`t.csv`"), "3:10: unquoted text cannot start with '`'", "put the text in quotes; anchors"},
		{"complex key", edit("unit: row", "? unit\n  : row"), `12:3: unquoted text cannot start with '?'`, "put the text in quotes"},
		{"comma", edit("train: t.csv", "delimiter: ,"), `3:14: unquoted text cannot start with ','`, "put the text in quotes"},
		{"question mark", edit("train: t.csv", `missing: ["", ?]`), `3:17: unquoted text cannot start with '?'`, "put the text in quotes"},
		{"colon", edit("t.csv", ":t.csv"), `3:10: unquoted text cannot start with ':'`, "put the text in quotes"},
		{"two colons", edit("unit: row", "unit: row: 1"), `12:12: unexpected ":"`, "put text with a colon in quotes"},
		{"two colons in brackets", edit("name: age,", "name: age: 1,"), `7:14: a second colon in unquoted text`, "separate keys by lines, in braces by commas"},
		{"colon at the end of text", edit("name: age,", "name: age: ,"), `7:14: a second colon in unquoted text`, "separate keys"},
		{"two colons behind a key", edit("unit: row", "unit:: row"), `12:3: a second colon in unquoted text`, "separate keys"},
		{"no space at a comma", edit("min: 17", "min:"), `7:37: no space after ":"`, "write key: value"},
		{"no space in brackets", edit("min: 17", "min:17"), `7:37: no space after ":"`, "write key: value"},

		// Lines and indentation.
		{"no space at the colon", edit("  steps: 200", "  steps:200"), "16:3: train is steps:200, want a mapping", "train: "},
		{"line without a colon", edit("  steps: 200", "  momentum: 0\n  steps"), "17:3: steps is not followed by a colon", "write key: value"},
		{"line over two lines", edit("t.csv", "my\n    table.csv"), "3:10: text over several lines", "write it on one line"},
		{"deeper than its siblings", edit("  delta: 1e-5", "   delta: 1e-5"), "13:19: text over several lines", "write it on one line, or mend the indentation of the next"},
		{"deeper after quotes", edit("unit: row\n", "unit: \"row\"\n   "), "13:6: the indentation fits nothing above", "align the line"},
		{"less deep than its siblings", edit("  delta: 1e-5", " delta: 1e-5"), "14:2: the indentation fits nothing above", "align the line"},
		{"section less deep than the first", " version: 1\ndata:\n", "2:1: the indentation fits nothing above", "align the line"},
		{"dash less deep", edit("    - name: job", "   - name: job"), "8:4: the indentation fits nothing above", "align the line"},
		{"dash deeper than its siblings", "- {a: 1}\n  - {a: 2}\n", "2:3: the indentation fits nothing above", "align the line"},
		{"key behind a bracket", "- a: [1,\n] b: 2\n", "2:3: unexpected b", "put text in quotes, or each key"},
		{"dash behind a bracket", "- - [1,\n] - 2\n", `2:3: unexpected "-"`, "put text in quotes, or each key"},
		{"key behind quotes without a space", edit("  unit: row", `  "unit":row`), `12:9: unquoted text cannot start with ':'`, "put the text in quotes"},
		{"key behind a list", edit("      values: [clerk, 39, true]", "    values: [clerk, 39, true]"), "10:5: the indentation fits nothing above", "align the line"},
		{"dash on the line of its key", edit("  features:\n    - {name: age", "  features: - {name: age"), `6:13: unexpected "-"`, "put text in quotes"},
		{"two keys on a line", edit("unit: row", `unit: "row" delta: 1`), "12:15: unexpected delta", "put text in quotes, or each key"},
		{"key in brackets of a list", edit("[no, yes]", "[no: yes]"), `5:32: unexpected ":", want a comma or the end of the "[" of line 5`, "separate values by commas"},

		// Brackets.
		{"open bracket", edit("[no, yes]", "[no, yes"), `5:37: unexpected "}", want a comma or the end of the "[" of line 5`, "separate values by commas"},
		{"open bracket at the end", smallConfig + "model: {hidden: [1, 2", `17:17: "[" is not closed`, "add the closing bracket"},
		{"open brace at the end", smallConfig + "model: {hidden: [1, 2]", `17:8: "{" is not closed`, "add the closing bracket"},
		{"open brace", edit("max: 90}", "max: 90"), `8:5: unexpected "-", want a comma or the end of the "{" of line 7`, "separate values by commas"},
		{"wrong bracket", edit("[no, yes]", "[no, yes}"), `5:37: unexpected "}", want a comma or the end of the "[" of line 5`, "separate values by commas"},
		{"bracket that closes nothing", edit("[no, yes]", "]"), `5:29: unexpected "]"`, "put text in quotes"},
		{"brace that closes nothing", edit("t.csv", "}"), `3:10: unquoted text cannot start with '}'`, "put the text in quotes"},
		{"bracket inside text", edit("max: 90}", "max: 90]}"), `7:48: ']' inside unquoted text`, "close brackets in pairs"},
		{"colon on the next line", edit("max: 90", "max\n: 90"), "7:43: max is not followed by a colon", "write {key: value, key: value}"},
		{"no comma", edit("kind: numeric,", "kind: numeric"), "7:25: a second colon in unquoted text", ""},
		{"two commas", edit("[no, yes]", "[no,, yes]"), `5:33: unexpected ","`, "put text in quotes"},
		{"key without value", edit("kind: numeric,", "kind,"), "7:19: kind is not followed by a colon", "write {key: value, key: value}"},
		{"list as a key", edit("kind: numeric", "[kind]: numeric"), `7:19: unexpected "[", want a key`, "write {key: value, key: value}"},
		{"deep brackets", "version: " + strings.Repeat("[", 100), "1:25: nested more than 16 deep", "a config has no use for that"},
		{"deep dashes", strings.Repeat("- ", 100), "1:33: nested more than 16 deep", "a config has no use for that"},
		{"deep keys", deepKeys(100), "17:17: nested more than 16 deep", "a config has no use for that"},
	}
}

// deepKeys is a mapping in a mapping, n times.
func deepKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%sk:\n", strings.Repeat(" ", i))
	}
	return b.String()
}

// written is a tree in one line: quoted text in quotes, absent values as ~.
func written(n *node) string {
	var parts []string
	switch n.kind {
	case listNode:
		for _, item := range n.items {
			parts = append(parts, written(item))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case mapNode:
		for _, e := range n.entries {
			parts = append(parts, e.name+":"+written(e.value))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	if n.quoted {
		return strconv.Quote(n.text)
	}
	if n.text == "" {
		return "~"
	}
	return n.text
}

func TestParseYAML(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"scalar", "a", "a"},
		{"nothing", "", "~"},
		{"comment", "# a\n", "~"},
		{"mapping", "a: 1\nb: 2\n", "{a:1 b:2}"},
		{"no value", "a:\nb: ~\nc: ''\n", `{a:~ b:~ c:""}`},
		{"no value at the end", "a:", "{a:~}"},
		{"nested", "a:\n  b:\n    c: 1\n  d: 2\ne: 3", "{a:{b:{c:1} d:2} e:3}"},
		{"list below its key", "a:\n- 1\n- 2\nb: 3", "{a:[1 2] b:3}"},
		{"list deeper than its key", "a:\n  - 1\n  -   2\n  -\nb: 3", "{a:[1 2 ~] b:3}"},
		{"mappings in a list", "- a: 1\n  b: 2\n-\n  a: 3\n- {a: 4}\n", "[{a:1 b:2} {a:3} {a:4}]"},
		{"lists in a list", "- - 1\n  - 2\n-\n  - 3\n- [4]\n", "[[1 2] [3] [4]]"},
		{"list in a mapping in a list", "- a:\n  - 1\n  b: 2\n- a:\n    - 3\n", "[{a:[1] b:2} {a:[3]}]"},
		{"brackets", "a: [1, b c, {d: e, f: [], g: {}}, ]\n", "{a:[1 b c {d:e f:[] g:{}}]}"},
		{"no value in braces", `{a: , "b":, c: }`, "{a:~ b:~ c:~}"},
		{"brackets over lines", "a: [1,\n  2, # two\n\n3\n]\nb: {\nc: 4}", "{a:[1 2 3] b:{c:4}}"},
		{"quotes", `a: "x: y # z"` + "\nb: 'it''s'\nc: \"\\\"\\u00e9\\t\\/\\ud83d\\ude00\"\nd: ''", `{a:"x: y # z" b:"it's" c:"\"é\t/😀" d:""}`},
		{"tab in single quotes", "a: '\t'", `{a:"\t"}`},
		{"quoted keys", `"a": 1` + "\n'b' : 2\n{\"c\":3}: 4"[:8], `{a:1 b:2}`},
		{"quoted keys in braces", `{"a":1,"b":[2],"c":"d"}`, `{a:1 b:[2] c:"d"}`},
		{"indicators inside text", "a: x#y\nb: a&b*c!d|e>f%g@h\nc: -1\nd: a:b\ng: -\\n\nh: a, b]\n", `{a:x#y b:a&b*c!d|e>f%g@h c:-1 d:a:b g:-\n h:a, b]}`},
		{"less than", "a: <=50K\nb: [<x, << ]\n<<: c", "{a:<=50K b:[<x <<] <<:c}"},
		{"words and numbers are text", "a: [yes, No, true, null, 010, 1e5, .nan, 2020-01-01, 12:30]", "{a:[yes No true null 010 1e5 .nan 2020-01-01 12:30]}"},
		{"blanks around", "a :  1  \n\n   \nb:\t2\t# c\n\t\n \t# d\nc: 3", "{a:1 b:2 c:3}"},
		{"indented as a whole", "  a: 1\n  b: 2\n", "{a:1 b:2}"},
		{"CRLF", "a: 1\r\nb:\r\n  - 'c'\r\n  - \"d\"\r\n", `{a:1 b:["c" "d"]}`},
		{"marks", "# c\n---\na: 1\n...\n# d\n", "{a:1}"},
		{"value on the line of the mark", "--- {a: 1}\n", "{a:1}"},
		{"non-ASCII", "é: ü # ö\n名: [\u2028x, 😀]\n", "{é:ü 名:[\u2028x 😀]}"},
		{"scalar on its own line", "a:\n  1\nb:\n  [2]\n", "{a:1 b:[2]}"},
	} {
		src := &source{name: "x", text: test.text, file: true}
		n, err := parseYAML(src)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := written(n); got != test.want {
			t.Errorf("%s: parseYAML(%q) = %s, want %s", test.name, test.text, got, test.want)
		}
	}
}

// TestTokensMustStandInTheSource hands over tokens as a lexer would that has lost its place.
func TestTokensMustStandInTheSource(t *testing.T) {
	for _, tk := range []*token.Token{
		token.SequenceStart("[", nil), token.SequenceEnd("]", nil), token.CollectEntry(",", nil), token.MappingValue(nil), token.SequenceEntry("-", nil),
		token.DocumentHeader("---", nil), token.DocumentEnd("...", nil), token.String("b", "b", nil), token.String("ab", "ab", nil), token.String("", "", nil),
		token.DoubleQuote("a", `"a"`, nil), token.SingleQuote("a", "'a'", nil), token.Comment("a", "#a", nil), token.Invalid("", "a", nil),
	} {
		s := &scanner{src: &source{name: "x", text: "a"}, masked: "a", line: 1, column: 1, first: true}
		if err := s.take(tk); err == nil {
			t.Errorf("take(%s %q) of %q: no error", tk.Type, tk.Value, s.masked)
		}
	}
}

func TestByteOrderMarkIsSkipped(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "c.yaml", "\uFEFF"+smallConfig)
	if _, err := loadConfig(configFlags{File: "c.yaml"}, noEnv); err != nil {
		t.Error(err)
	}
}

// A layout writes trees in one of the many ways that YAML has, and remembers where each scalar was put.
type layout struct {
	t      *rapid.T
	b      strings.Builder
	places []string // line:column text, in order
}

func (l *layout) pick(n int) int { return rapid.IntRange(0, n-1).Draw(l.t, "pick") }

func (l *layout) column() int {
	text := l.b.String()
	return len([]rune(text[strings.LastIndexByte(text, '\n')+1:]))
}

// indent goes to the column on a new line, past some lines without content.
func (l *layout) indent(column int) {
	for range l.pick(3) {
		l.b.WriteString([]string{"\n", "\n  # note: [", "\n      ", "\n# '"}[l.pick(4)])
	}
	l.b.WriteString("\n" + strings.Repeat(" ", column))
}

func (l *layout) scalar(n *node) {
	line := strings.Count(l.b.String(), "\n") + 1
	l.places = append(l.places, fmt.Sprintf("%d:%d %s", line, l.column()+1, n.text))
	switch {
	case n.quoted && l.pick(2) == 0:
		l.b.WriteString("'" + strings.ReplaceAll(n.text, "'", "''") + "'")
	case n.quoted:
		l.b.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`).Replace(n.text) + `"`)
	default:
		l.b.WriteString(n.text)
	}
}

// flow writes n in brackets, or a scalar.
func (l *layout) flow(n *node) {
	blank := func() { l.b.WriteString([]string{"", " ", "  ", " # x\n ", "\n \t"}[l.pick(5)]) }
	switch n.kind {
	case listNode:
		l.b.WriteString("[")
		for i, item := range n.items {
			if i > 0 {
				l.b.WriteString(",")
			}
			blank()
			l.flow(item)
			blank()
		}
		l.b.WriteString("]")
	case mapNode:
		l.b.WriteString("{")
		for i, e := range n.entries {
			if i > 0 {
				l.b.WriteString(",")
			}
			blank()
			l.scalar(&node{text: e.name})
			l.b.WriteString(": ")
			l.flow(e.value)
			blank()
		}
		l.b.WriteString("}")
	default:
		l.scalar(n)
	}
}

// block writes n from the current column on, which is that of the lines below.
func (l *layout) block(n *node, column int) {
	switch {
	case n.kind == listNode && len(n.items) > 0 && l.pick(3) > 0:
		for i, item := range n.items {
			if i > 0 {
				l.indent(column)
			}
			l.b.WriteString("-")
			switch l.pick(2) {
			case 0:
				l.b.WriteString("  ")
				l.block(item, column+3)
			default:
				l.indent(column + 2)
				l.block(item, column+2)
			}
		}
	case n.kind == mapNode && len(n.entries) > 0 && l.pick(3) > 0:
		for i, e := range n.entries {
			if i > 0 {
				l.indent(column)
			}
			l.scalar(&node{text: e.name})
			l.b.WriteString(":")
			if e.value.kind == scalarNode && l.pick(2) == 0 {
				l.b.WriteString(" ")
				l.scalar(e.value)
				continue
			}
			l.indent(column + 1)
			l.block(e.value, column+1)
		}
	default:
		l.flow(n)
	}
}

// drawTree draws a tree of that depth at most.
func drawTree(t *rapid.T, depth int) *node {
	kind := scalarNode
	if depth > 0 {
		kind = nodeKind(rapid.IntRange(0, 2).Draw(t, "kind"))
	}
	n := &node{kind: kind}
	switch kind {
	case listNode:
		for range rapid.IntRange(0, 3).Draw(t, "items") {
			n.items = append(n.items, drawTree(t, depth-1))
		}
	case mapNode:
		for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
			n.entries = append(n.entries, entry{name: fmt.Sprintf("k%d", i), value: drawTree(t, depth-1)})
		}
	case scalarNode:
		n.quoted = rapid.Bool().Draw(t, "quoted")
		if n.quoted {
			n.text = rapid.StringOfN(rapid.RuneFrom([]rune("ab'\"\\ \t#:,[]{}é😀-<>|&*!%@?")), 0, 8, -1).Draw(t, "text")
		} else {
			n.text = rapid.StringMatching(`[a-z0-9<é][a-z0-9<.é#_-]{0,5}[a-z0-9<]( [a-z0-9<é.][a-z]?)?`).Draw(t, "text")
		}
	}
	return n
}

// TestAnyLayoutParsesBack writes random trees in random layouts and reads tree and positions back.
func TestAnyLayoutParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := drawTree(t, 4)
		l := &layout{t: t}
		l.block(tree, 0)
		n, err := parseYAML(&source{name: "x", text: l.b.String(), file: true})
		if err != nil {
			t.Fatalf("parseYAML(%q): %v", l.b.String(), err)
		}
		if got, want := written(n), written(tree); got != want {
			t.Fatalf("parseYAML(%q) = %s, want %s", l.b.String(), got, want)
		}
		var places []string
		var walk func(*node)
		walk = func(n *node) {
			if n.kind == scalarNode {
				places = append(places, fmt.Sprintf("%d:%d %s", n.line, n.column, n.text))
			}
			for _, item := range n.items {
				walk(item)
			}
			for _, e := range n.entries {
				places = append(places, fmt.Sprintf("%d:%d %s", e.line, e.column, e.name))
				walk(e.value)
			}
		}
		walk(n)
		if got, want := fmt.Sprintf("%q", places), fmt.Sprintf("%q", l.places); got != want {
			t.Fatalf("parseYAML(%q): places %s, want %s", l.b.String(), got, want)
		}
	})
}

// TestHostileTextIsBounded reads texts that are made to be slow or deep. What takes quadratic time takes minutes at the
// size of these; each took less than 0.5 s where this was written.
func TestHostileTextIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	const size, most = maxConfigBytes / 4, 10 * time.Second
	for _, test := range []struct{ prefix, unit string }{
		{"", "["}, {"", "{a: "}, {"", "- "}, {"", "k: ["}, {"", "? "}, {"", "&a "}, {"a: ", "!x "}, {"a: [", ","}, {"a: [", "[],"},
		{"", "<"}, {"a: [", "<<"}, {"", "\t"}, {"a: \"", "\t"}, {"a: '", "\t"}, {"", "x: \"\t"}, {"", "'"}, {"a: \"", "\\"}, {"", "\"\\q"},
		{"", "|\n"}, {"a: |\n", " x\n"}, {"a: >\n", " x\n\n"}, {"", "@"}, {"", "a"}, {"", "é: "}, {"", "#\n"}, {"a: x", "\n"}, {"a: '", " \n"},
		{"", "---\n"}, {"", "a: 1\n"}, {"a", "\n - x"}, {"a:\n x", "\n x: "}, {"", "..."}, {"data: {label: {classes: [", "a, "},
	} {
		text := test.prefix + strings.Repeat(test.unit, size/len(test.unit))
		start := time.Now()
		_, err := parseConfig(text, configFlags{})
		if took := time.Since(start); took > most {
			t.Errorf("%q and then %q again and again took %v, want at most %v", test.prefix, test.unit, took, most)
		}
		if err == nil {
			t.Errorf("%q and then %q again and again: no error", test.prefix, test.unit)
		} else if len(err.Error()) > 300 {
			t.Errorf("%q and then %q again and again: an error of %d bytes, want at most 300", test.prefix, test.unit, len(err.Error()))
		}
	}
}

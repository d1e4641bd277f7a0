package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// A nodeKind is the shape of a node.
type nodeKind int

const (
	scalarNode nodeKind = iota
	listNode
	mapNode
)

// A node is one value of a config, as it is written: no type is read into a scalar.
type node struct {
	kind    nodeKind
	text    string  // of a scalar; empty and unquoted where no value is written
	quoted  bool    // a scalar in quotes
	items   []*node // of a list
	entries []entry // of a map, in the order of the file; no name comes twice

	line, column int // of its first character, or of the key where no value is written
}

// An entry is a key and its value.
type entry struct {
	name         string
	line, column int // of the key
	value        *node
}

// child returns the entry of that name, or nil.
func (n *node) child(name string) *entry {
	for i := range n.entries {
		if n.entries[i].name == name {
			return &n.entries[i]
		}
	}
	return nil
}

// isNull reports whether n is an absent value: nothing, ~ or null.
func (n *node) isNull() bool {
	if n.kind != scalarNode || n.quoted {
		return false
	}
	switch n.text {
	case "", "~", "null", "Null", "NULL":
		return true
	}
	return false
}

// blanks are the values within n that are not written: nothing after a key or a dash. A section without keys is none.
func (n *node) blanks() []*node { return n.blanksBelow(0) }

func (n *node) blanksBelow(depth int) []*node {
	if n.kind == scalarNode && n.text == "" && !n.quoted && depth > 1 {
		return []*node{n}
	}
	var all []*node
	for _, item := range n.items {
		all = append(all, item.blanksBelow(depth+1)...)
	}
	for i := range n.entries {
		all = append(all, n.entries[i].value.blanksBelow(depth+1)...)
	}
	return all
}

// shown is the node as a message quotes it.
func (n *node) shown() string {
	switch {
	case n.kind == listNode:
		return "a list"
	case n.kind == mapNode:
		return "a mapping"
	case n.text == "" && !n.quoted:
		return "empty"
	}
	return shown(n.text, n.quoted)
}

// parseYAML reads the one value of a source: the part of YAML that JSON and people need, see [lexemes]. Names that come
// twice in a mapping are refused, and so is nesting beyond maxDepth. A source without a value is an empty scalar.
func parseYAML(src *source) (*node, error) {
	tokens, broken := lexemes(src)
	p := &parser{src: src, tokens: tokens}
	root, err := p.document()
	if broken != nil && (err == nil || len(p.tokens) == 0) {
		return nil, broken // the parser found no fault before it
	}
	return root, err
}

// maxDepth bounds nesting; the deepest key of a config is at 6.
const maxDepth = 16

// A parser makes nodes of lexemes by recursive descent.
type parser struct {
	src    *source
	tokens []lexeme // what is left
	depth  int
}

// peek returns the next token, or nil at the end.
func (p *parser) peek() *lexeme {
	if len(p.tokens) == 0 {
		return nil
	}
	return &p.tokens[0]
}

// take returns the next token and moves over it.
func (p *parser) take() *lexeme {
	t := &p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// sees reports whether a token of that kind is next.
func (p *parser) sees(kind token.Type) bool {
	return len(p.tokens) > 0 && p.tokens[0].kind == kind
}

// startsMap reports whether a key and its colon are next.
func (p *parser) startsMap() bool {
	return len(p.tokens) > 1 && p.tokens[0].kind == token.StringType &&
		p.tokens[1].kind == token.MappingValueType && p.tokens[0].line == p.tokens[1].line
}

func (p *parser) errorAt(t *lexeme, msg, hint string) error {
	return p.src.errorAt(t.line, t.column, msg, hint)
}

// misplaced refuses a token that nothing is waiting for.
func (p *parser) misplaced(t *lexeme) error {
	if t.first && t.kind == token.StringType && !p.startsMap() {
		return p.errorAt(t, tokenText(t)+" is not followed by a colon", "write key: value")
	}
	if t.first {
		return p.errorAt(t, "the indentation fits nothing above", "align the line with its siblings; values stand deeper than their key")
	}
	if t.kind == token.MappingValueType {
		return p.errorAt(t, `unexpected ":"`, "put text with a colon in quotes, or each key on a line of its own")
	}
	return p.errorAt(t, "unexpected "+tokenText(t), "put text in quotes, or each key and each item on a line of its own")
}

// tokenText is a token as a message quotes it.
func tokenText(t *lexeme) string {
	switch t.kind {
	case token.SequenceEntryType:
		return `"-"`
	case token.CollectEntryType:
		return `","`
	case token.MappingValueType:
		return `":"`
	case token.SequenceStartType:
		return `"["`
	case token.SequenceEndType:
		return `"]"`
	case token.MappingStartType:
		return `"{"`
	case token.MappingEndType:
		return `"}"`
	}
	return shown(t.text, t.quoted)
}

// document reads all there is.
func (p *parser) document() (*node, error) {
	if p.peek() == nil {
		return &node{line: 1, column: 1}, nil
	}
	root, err := p.block()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t != nil {
		return nil, p.misplaced(t)
	}
	return root, nil
}

// enter counts a level of nesting that starts at t; the caller leaves it by p.depth--.
func (p *parser) enter(t *lexeme) error {
	if p.depth++; p.depth > maxDepth {
		return p.errorAt(t, fmt.Sprintf("nested more than %d deep", maxDepth), "a config has no use for that: mend the brackets")
	}
	return nil
}

// block reads the value that starts at the next token, of which there is one: a list of dashes, a mapping on lines of
// its own, or what stands on a line.
func (p *parser) block() (*node, error) {
	switch {
	case p.sees(token.SequenceEntryType):
		return p.blockList()
	case p.startsMap():
		return p.blockMap()
	}
	return p.inline()
}

// blockList reads the items whose dashes stand below each other.
func (p *parser) blockList() (*node, error) {
	dash := p.peek()
	n := &node{kind: listNode, line: dash.line, column: dash.column}
	if err := p.enter(dash); err != nil {
		return nil, err
	}
	for first := true; p.sees(token.SequenceEntryType) && p.peek().column == n.column && (first || p.peek().first); first = false {
		item, err := p.blockValue(p.take(), n.column, false)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	p.depth--
	return n, nil
}

// blockMap reads the entries whose keys stand below each other.
func (p *parser) blockMap() (*node, error) {
	key := p.peek()
	n := &node{kind: mapNode, line: key.line, column: key.column}
	if err := p.enter(key); err != nil {
		return nil, err
	}
	lines := make(map[string]int) // of the keys
	for first := true; p.startsMap() && p.peek().column == n.column && (first || p.peek().first); first = false {
		key := p.take()
		if err := p.checkTwice(key, lines); err != nil {
			return nil, err
		}
		p.take() // the colon
		value, err := p.blockValue(key, n.column, true)
		if err != nil {
			return nil, err
		}
		n.entries = append(n.entries, entry{name: key.text, line: key.line, column: key.column, value: value})
	}
	p.depth--
	return n, nil
}

// blockValue reads what belongs to a key or dash of a block at a column: on its line, or deeper on the lines below it.
// The dashes of a key's list may stand below the key.
func (p *parser) blockValue(owner *lexeme, column int, key bool) (*node, error) {
	switch t := p.peek(); {
	case t == nil, t.first && t.column < column, t.first && t.column == column && !(key && t.kind == token.SequenceEntryType):
		return &node{line: owner.line, column: owner.column}, nil
	case t.first, !key:
		return p.block()
	}
	return p.inline()
}

// inline reads a scalar, or a list or mapping in brackets.
func (p *parser) inline() (*node, error) {
	switch t := p.peek(); t.kind {
	case token.StringType:
		p.take()
		return &node{text: t.text, quoted: t.quoted, line: t.line, column: t.column}, nil
	case token.SequenceStartType:
		return p.flowList()
	case token.MappingStartType:
		return p.flowMap()
	default:
		return nil, p.misplaced(t)
	}
}

// flowList reads [a, b].
func (p *parser) flowList() (*node, error) {
	open := p.take()
	n := &node{kind: listNode, line: open.line, column: open.column}
	if err := p.enter(open); err != nil {
		return nil, err
	}
	for !p.sees(token.SequenceEndType) {
		item, err := p.flowValue(open)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
		if err := p.separator(open, token.SequenceEndType); err != nil {
			return nil, err
		}
	}
	p.take()
	p.depth--
	return n, nil
}

// flowMap reads {a: b, c: d}.
func (p *parser) flowMap() (*node, error) {
	open := p.take()
	n := &node{kind: mapNode, line: open.line, column: open.column}
	if err := p.enter(open); err != nil {
		return nil, err
	}
	lines := make(map[string]int) // of the keys
	for !p.sees(token.MappingEndType) {
		switch t := p.peek(); {
		case t == nil:
			return nil, p.unclosed(open)
		case t.kind != token.StringType:
			return nil, p.errorAt(t, fmt.Sprintf("unexpected %s, want a key", tokenText(t)), "write {key: value, key: value}")
		}
		key := p.take()
		if err := p.checkTwice(key, lines); err != nil {
			return nil, err
		}
		if !p.sees(token.MappingValueType) || p.peek().line != key.line {
			return nil, p.errorAt(key, fmt.Sprintf("%s is not followed by a colon", tokenText(key)), "write {key: value, key: value}")
		}
		p.take()
		value := &node{line: key.line, column: key.column}
		if !p.sees(token.CollectEntryType) && !p.sees(token.MappingEndType) {
			var err error
			if value, err = p.flowValue(open); err != nil {
				return nil, err
			}
		}
		n.entries = append(n.entries, entry{name: key.text, line: key.line, column: key.column, value: value})
		if err := p.separator(open, token.MappingEndType); err != nil {
			return nil, err
		}
	}
	p.take()
	p.depth--
	return n, nil
}

// flowValue reads a value inside brackets.
func (p *parser) flowValue(open *lexeme) (*node, error) {
	if p.peek() == nil {
		return nil, p.unclosed(open)
	}
	return p.inline()
}

// separator moves over the comma behind a value inside brackets; the closing one may stand in its place.
func (p *parser) separator(open *lexeme, end token.Type) error {
	switch t := p.peek(); {
	case t == nil:
		return p.unclosed(open)
	case t.kind == token.CollectEntryType:
		p.take()
	case t.kind != end:
		return p.errorAt(t, fmt.Sprintf(`unexpected %s, want a comma or the end of the %s of line %d`, tokenText(t), tokenText(open), open.line),
			"separate values by commas, close brackets, and put text with a colon in quotes")
	}
	return nil
}

func (p *parser) unclosed(open *lexeme) error {
	return p.errorAt(open, tokenText(open)+" is not closed", "add the closing bracket")
}

// checkTwice refuses a key that its mapping has already; lines holds where.
func (p *parser) checkTwice(key *lexeme, lines map[string]int) error {
	if line, ok := lines[key.text]; ok {
		return p.errorAt(key, fmt.Sprintf("key %s comes twice, first on line %d", shownKey(key.text), line), "remove one of the two")
	}
	lines[key.text] = key.line
	return nil
}

// value is the node as encoding/json takes it: unquoted decimals are numbers, other scalars texts.
func (n *node) value() any {
	switch n.kind {
	case listNode:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.value()
		}
		return list
	case mapNode:
		fields := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			fields[e.name] = e.value.value()
		}
		return fields
	default:
	}
	if !n.quoted && isDecimal(n.text, true) {
		return json.Number(strings.TrimLeft(n.text, "+"))
	}
	if x, err := strconv.ParseFloat(n.text, 64); err == nil && !n.quoted && isDecimal(n.text, false) {
		return x
	}
	return n.text
}

package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A checker reads typed values out of nodes: the strict pass. Nothing is converted: text is taken as it is written, and
// only a decimal number is a number.
type checker struct {
	keys keys
	src  *source
}

// file checks a whole config and returns what its keys hold, as a mapping of mappings.
func (c *checker) file(root *node) (map[string]any, error) {
	switch {
	case root.isNull():
		return nil, c.errorAt(root, "the config is empty", "the README's section on the config shows every key")
	case root.kind != mapNode:
		return nil, c.errorAt(root, fmt.Sprintf("the config is %s, want a mapping", root.shown()), "start with version: 1")
	}
	sections, err := c.mapping("", "", root)
	if err != nil {
		return nil, withBlanks(err, root)
	}
	return sections, c.exclusive(root)
}

// withBlanks adds to an error about a blank where the others are, so that a config to be filled in takes one round.
func withBlanks(err error, root *node) error {
	var e *configError
	if !errors.As(err, &e) {
		return err
	}
	var others []int
	here := false
	for _, n := range root.blanks() {
		if n.line == e.Line && n.column == e.Column {
			here = true
		} else {
			others = append(others, n.line)
		}
	}
	switch {
	case here && len(others) == 1:
		e.hint += "; also blank: line " + lineRanges(others)
	case here && len(others) > 1:
		e.hint += "; also blank: lines " + lineRanges(others)
	}
	return err
}

// lineRanges shows increasing line numbers, runs of them as 3-7.
func lineRanges(lines []int) string {
	var parts []string
	for i := 0; i < len(lines); {
		first, last := lines[i], lines[i]
		for ; i < len(lines) && lines[i] <= last+1; i++ {
			last = lines[i]
		}
		part := strconv.Itoa(first)
		if last > first {
			part += "-" + strconv.Itoa(last)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// exclusive refuses a file that states both of two keys that exclude each other, at the second.
func (c *checker) exclusive(root *node) error {
	for _, k := range c.keys {
		if k.instead == "" {
			continue
		}
		this, other := followPath(root, k.path), followPath(root, k.instead)
		if !this.exact || !other.exact {
			continue
		}
		e, first := this.entry, other.entry
		if e.line > first.line || e.line == first.line && e.column > first.column {
			return c.src.errorAt(e.line, e.column, fmt.Sprintf("%s is stated beside %s", k.path, first.name), "state one of the two")
		}
	}
	return nil
}

// value reads what n holds for k. Path is k's, with the positions in lists filled in. The result is a map[string]any
// (mapping), []any of these (mappings), string, []string, int, []int, float64, []float64 or bool.
func (c *checker) value(path string, k *key, n *node) (any, error) {
	switch k.kind {
	case kindMapping:
		if n.kind == mapNode && len(n.entries) == 0 && !c.keys.requires(k) && !k.isSection() {
			return nil, c.errorAt(n, path+" is empty", k.hint()) // which would pass for leaving it out
		}
		if n.kind == mapNode {
			return c.mapping(path, k.path, n)
		}
		if n.isNull() && n.text == "" && k.isSection() {
			return map[string]any{}, nil // all of its keys may be left out, or commented out
		}
	case kindMappings:
		if n.kind == listNode {
			return c.mappings(path, k, n)
		}
	case kindText, kindCell, kindChoice:
		return c.text(path, k, n)
	case kindTexts:
		if n.kind == listNode && len(n.items) > 0 {
			return readList(c, path, k, n, kindText, c.text)
		}
		text, err := c.text(path, k, n)
		return []string{text}, err
	case kindBool:
		if n.kind == scalarNode && !n.quoted && (n.text == "true" || n.text == "false") {
			return n.text == "true", nil
		}
	case kindInteger:
		return c.integer(path, k, n)
	case kindNumber:
		return c.number(path, k, n)
	case kindNumberOrWord:
		if n.kind == scalarNode && n.text == k.words[0] {
			return n.text, nil
		}
		return c.number(path, k, n)
	case kindNumbersOrWord:
		if n.kind == scalarNode && n.text == k.words[0] {
			return n.text, nil
		}
		return readList(c, path, k, n, kindNumber, c.number)
	case kindCells:
		return readList(c, path, k, n, kindCell, c.text)
	case kindIntegers:
		return readList(c, path, k, n, kindInteger, c.integer)
	case kindNumbers:
		return readList(c, path, k, n, kindNumber, c.number)
	case kindInterval:
		if n.kind == listNode && len(n.items) != 2 {
			return nil, c.errorAt(n, fmt.Sprintf("%s has %d numbers, want two", path, len(n.items)), k.hint())
		}
		return readList(c, path, k, n, kindNumber, c.number)
	}
	return nil, c.wrong(path, k, n)
}

// readList reads the items of n, each as a value of a kind by the function item.
func readList[T any](c *checker, path string, k *key, n *node, kind valueKind,
	item func(path string, k *key, n *node) (T, error)) ([]T, error) {
	if n.kind != listNode {
		return nil, c.wrong(path, k, n)
	}
	element := *k
	element.kind = kind
	values := make([]T, 0, len(n.items))
	for i, node := range n.items {
		v, err := item(fmt.Sprintf("%s[%d]", path, i), &element, node)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// mapping reads the keys of n, which is a mapping, as those that the table has under keyPath.
func (c *checker) mapping(path, keyPath string, n *node) (map[string]any, error) {
	values := make(map[string]any, len(n.entries))
	for _, e := range n.entries {
		k := c.keys.at(joinPath(keyPath, e.name))
		if k == nil || strings.ContainsAny(e.name, ".[]") {
			return nil, c.src.errorAt(e.line, e.column, unknownKey(e.name, path), c.keys.suggest(keyPath, e.name))
		}
		v, err := c.value(joinPath(path, e.name), k, e.value)
		if err != nil {
			return nil, err
		}
		values[e.name] = v
	}
	return values, nil
}

// mappings reads a list of mappings, each with the keys that k's elements require.
func (c *checker) mappings(path string, k *key, n *node) ([]any, error) {
	values := make([]any, 0, len(n.items))
	for i, item := range n.items {
		path := fmt.Sprintf("%s[%d]", path, i)
		if item.kind != mapNode {
			return nil, c.errorAt(item, fmt.Sprintf("%s is %s, want a mapping", path, item.shown()), k.hint())
		}
		v, err := c.mapping(path, k.path+"[]", item)
		if err != nil {
			return nil, err
		}
		if err := c.required(path, k.path+"[]", item); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// required refuses an element of a list that lacks a key, or has a mapping that lacks one.
func (c *checker) required(path, keyPath string, n *node) error {
	for _, k := range c.keys.under(keyPath) {
		e := n.child(k.name())
		switch {
		case e == nil && k.required:
			return c.errorAt(n, fmt.Sprintf("%s has no %s", path, k.name()), k.hint())
		case e != nil && k.kind == kindMapping:
			if err := c.required(joinPath(path, k.name()), k.path, e.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// text reads a scalar that is not null, as it is written: 39, yes and true are text too.
func (c *checker) text(path string, k *key, n *node) (string, error) {
	word := n.kind == scalarNode && slices.Contains(k.words, n.text) // which null may be
	if n.kind != scalarNode || n.isNull() && !word || n.text == "" && k.kind != kindCell {
		return "", c.wrong(path, k, n)
	}
	if k.kind != kindChoice {
		return n.text, nil
	}
	if word {
		return n.text, nil
	}
	hint := k.hint()
	if near := nearest(n.text, k.words); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	return "", c.errorAt(n, fmt.Sprintf("%s is %s, want %s", path, n.shown(), k.want()), hint)
}

// integer reads an int in decimal digits.
func (c *checker) integer(path string, k *key, n *node) (int, error) {
	if n.kind != scalarNode || n.quoted || !isDecimal(n.text, true) {
		return 0, c.wrong(path, k, n)
	}
	v, err := strconv.Atoi(n.text)
	if err != nil || k.positive && v <= 0 {
		return 0, c.wrong(path, k, n)
	}
	return v, nil
}

// number reads a decimal number that a float64 can hold.
func (c *checker) number(path string, k *key, n *node) (float64, error) {
	if n.kind != scalarNode || n.quoted || !isDecimal(n.text, false) {
		return 0, c.wrong(path, k, n)
	}
	v, err := strconv.ParseFloat(n.text, 64)
	if err != nil || k.positive && v <= 0 {
		return 0, c.wrong(path, k, n)
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(n.text), "e")
	if v == 0 && strings.ContainsAny(mantissa, "123456789") {
		return 0, c.errorAt(n, fmt.Sprintf("%s is %s, which is too close to 0 for a float64", path, n.shown()), "write a number that can be told from 0")
	}
	return v, nil
}

// isDecimal reports whether text is an integer in decimal digits or, unless whole is set, a fraction or power of ten.
// A leading zero is refused, since some readers take it for octal.
func isDecimal(text string, whole bool) bool {
	letters := "0123456789+-"
	if !whole {
		letters += ".eE"
	}
	digits := strings.TrimLeft(text, "+-")
	octal := len(digits) > 1 && digits[0] == '0' && '0' <= digits[1] && digits[1] <= '9'
	_, err := strconv.ParseFloat(text, 64)
	return strings.Trim(text, letters) == "" && !octal && !errors.Is(err, strconv.ErrSyntax)
}

// wrong refuses a value that is not what k takes.
func (c *checker) wrong(path string, k *key, n *node) error {
	hint := k.hint()
	switch k.kind {
	case kindInteger, kindNumber, kindNumberOrWord:
		hint = numberHint(k, n)
	case kindText, kindTexts, kindCell:
		if n.isNull() && n.text != "" {
			hint = "put it in quotes if the text itself is meant"
		}
	default:
	}
	return c.errorAt(n, fmt.Sprintf("%s is %s, want %s", path, n.shown(), k.want()), hint)
}

// numberHint says how a value that is not a number that k takes is written as one.
func numberHint(k *key, n *node) string {
	if n.kind != scalarNode || n.text == "" {
		return k.hint()
	}
	digits := strings.TrimLeft(strings.ToLower(n.text), "+-")
	switch {
	case n.quoted && isDecimal(n.text, k.kind == kindInteger):
		return "remove the quotes"
	case k.kind == kindInteger && isDecimal(n.text, true) && !isInt(n.text):
		return fmt.Sprintf("integers go up to %d", math.MaxInt)
	case k.kind == kindInteger && isDecimal(n.text, false) && !isDecimal(n.text, true):
		return "write a whole number in digits, without point or exponent"
	case isDecimal(n.text, false) && k.kind != kindInteger && !k.positive:
		return "numbers go up to 1.7e308"
	case strings.Contains(n.text, "_") && isDecimal(strings.ReplaceAll(n.text, "_", ""), false):
		return "write the digits without underscores"
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0o"), strings.HasPrefix(digits, "0b"):
		return "write it in decimal digits"
	case strings.HasPrefix(digits, "0") && isDecimal(strings.TrimLeft(digits, "0"), false) && !isDecimal(n.text, false):
		return "write it without leading zeros, which some readers take for octal"
	case strings.HasSuffix(digits, "inf"), strings.HasSuffix(digits, "nan"):
		return "write a finite number"
	}
	return k.hint()
}

// isInt reports whether the decimal digits of text fit an int.
func isInt(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// unknownKey is the message for a name that the mapping at path does not have.
func unknownKey(name, path string) string {
	if path == "" {
		return "unknown key " + shownKey(name)
	}
	return fmt.Sprintf("unknown key %s in %s", shownKey(name), path)
}

func (c *checker) errorAt(n *node, msg, hint string) error {
	return c.src.errorAt(n.line, n.column, msg, hint)
}

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"dptrain/internal/data"
)

// locate gives a *data.SpecError its place: what set the key where that is not the file, else its line and column, or
// those of the nearest key around it that the file has. Any other error comes back as it is.
func (c *config) locate(err error) error {
	var spec *data.SpecError
	if !errors.As(err, &spec) {
		return err
	}
	hint := spec.Suggestion
	for path := spec.Key; path != ""; path = parentPath(path) {
		if hint == "" {
			if k := keys(keyTable()).at(withoutIndices(path)); k != nil {
				hint = k.hint()
			}
		}
		if source, ok := c.set[path]; ok {
			return &configError{File: source, msg: spec.Error(), hint: hint, err: err}
		}
	}
	line, column := followPath(c.root, spec.Key).position()
	e := c.src.errorAt(line, column, spec.Error(), hint)
	e.err = err
	return e
}

// place says where a path is set: by what, where that is not the file, else its line and column in it.
func (c *config) place(path string) string {
	for at := path; at != ""; at = parentPath(at) {
		if source, ok := c.set[at]; ok {
			return source
		}
	}
	line, column := followPath(c.root, path).position()
	return fmt.Sprintf("%s:%d:%d", c.Path, line, column)
}

// parentPath is the path around a path: without its last key or position in a list.
func parentPath(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// withoutIndices is the path that the table of keys has for a path: features[3].min is features[].min there.
func withoutIndices(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, "[") {
		if i > 0 {
			b.WriteByte('[')
			part = part[max(0, strings.IndexByte(part, ']')):]
		}
		b.WriteString(part)
	}
	return b.String()
}

// A spot is where a path leads in a tree.
type spot struct {
	entry *entry // the last key of the path that is there, or nil
	node  *node  // the last value
	exact bool   // all of the path is there
}

// followPath follows a path such as data.features[3].min as far as it leads.
func followPath(root *node, path string) spot {
	at := spot{node: root}
	for part := range strings.SplitSeq(path, ".") {
		name, rest, indexed := strings.Cut(part, "[")
		e := at.node.child(name)
		if e == nil {
			return at
		}
		at.entry, at.node = e, e.value
		for indexed {
			var index string
			index, rest, indexed = strings.Cut(rest, "[")
			i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if err != nil || i < 0 || i >= len(at.node.items) {
				return at
			}
			at.node = at.node.items[i]
		}
	}
	at.exact = true
	return at
}

// position is the line and column of a value that stands on a line, of an item, or else of the key.
func (s spot) position() (line, column int) {
	if e := s.entry; e != nil && s.node == e.value && (s.node.kind != scalarNode || !s.exact) {
		return e.line, e.column
	}
	return s.node.line, s.node.column
}

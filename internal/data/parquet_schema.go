package data

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/format"
)

// A parquetNode is a column of a file, or a group of columns.
type parquetNode struct {
	*format.SchemaElement
	children []*parquetNode
	fields   map[string]*parquetNode // of the children, the first of each name
	twice    bool                    // another has its name
	leaf     int                     // its number among the leaves; -1 of a group
	// The highest levels (Dremel's; Melnik et al. 2010) of a value below: how many of the nodes down to this one repeat, and
	// how many may be absent.
	repetition, definition int
	// present is the least definition level of an element of the outermost list around; one below it the list is empty, and
	// less there is none.
	present int
}

// maxLeaves bounds the columns of a file.
const maxLeaves = 1<<15 - 1

// newParquetTree makes the tree of a schema's elements, which stand in depth-first order. It is nil where they are not one
// tree, or one too deep.
func newParquetTree(elements []format.SchemaElement) *parquetNode {
	leaves := 0
	var grow func(above *parquetNode, depth int) *parquetNode
	grow = func(above *parquetNode, depth int) *parquetNode {
		if len(elements) == 0 || depth > maxSchema {
			return nil
		}
		n := &parquetNode{SchemaElement: &elements[0], leaf: -1, repetition: above.repetition, definition: above.definition, present: above.present}
		elements = elements[1:]
		if depth > 0 && n.RepetitionType.V != format.Required {
			n.definition++
			if n.RepetitionType.V == format.Repeated {
				if n.repetition++; n.repetition == 1 {
					n.present = n.definition
				}
			}
		}
		children := n.NumChildren.V
		switch {
		case n.Type.Valid:
			n.leaf = leaves
			if leaves++; leaves > maxLeaves || children != 0 || depth == 0 {
				return nil
			}
		case !n.NumChildren.Valid || children < 0:
			return nil
		}
		if !n.isLeaf() {
			n.fields = make(map[string]*parquetNode)
		}
		for range children {
			child := grow(n, depth+1)
			if child == nil {
				return nil
			}
			n.children = append(n.children, child)
			if first := n.fields[child.Name]; first != nil {
				first.twice = true
				continue
			}
			n.fields[child.Name] = child
		}
		return n
	}
	root := grow(new(parquetNode), 0)
	if len(elements) > 0 {
		return nil
	}
	return root
}

func (n *parquetNode) isLeaf() bool { return n.leaf >= 0 }

// find finds a column by its whole name or, failing that, by its path.
func (n *parquetNode) find(name string) (*parquetNode, error) {
	c, err := n.field(name, name)
	if c == nil && err == nil {
		c, err = n.follow(name)
	}
	if c == nil && err == nil {
		err = &Error{msg: fmt.Sprintf("the file has no column %q", name), hint: "names are compared exactly; those of nested fields are joined by dots"}
	}
	return c, err
}

// follow follows a name's parts.
func (n *parquetNode) follow(name string) (*parquetNode, error) {
	for part := range strings.SplitSeq(name, ".") {
		next, err := n.field(part, name)
		if next == nil || err != nil {
			return nil, err
		}
		n = next
	}
	return n, nil
}

// field is the field of a group, nil where there is none. name is the declared one, for errors.
func (n *parquetNode) field(field, name string) (*parquetNode, error) {
	found := n.fields[field]
	if found != nil && found.twice {
		return nil, &Error{msg: fmt.Sprintf("column %q is in the file twice", name)}
	}
	return found, nil
}

// element follows a list to the column of its elements; what is no list stays.
func (n *parquetNode) element() *parquetNode {
	for !n.isLeaf() && len(n.children) == 1 {
		n = n.children[0]
	}
	return n
}

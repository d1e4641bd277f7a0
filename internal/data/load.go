package data

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// A LabelUse says what becomes of the label column.
type LabelUse int

// The uses of labels.
const (
	LabelsRequired LabelUse = iota // each row has one of the declared classes: fit and eval
	LabelsIgnored                  // the column need not be there and is not read: predict
)

// LoadOptions says what to read of a table beside its features. The zero value reads labels and any number of rows.
type LoadOptions struct {
	Labels LabelUse
	// Group names a CSV column or JSON path whose texts split the rows into groups; empty: none.
	Group string
	// MaxRows is the declared number of rows that the table may have at most; 0: any number. It is also how many rows
	// memory is set aside for.
	MaxRows int
	// AllowEmpty accepts a table without rows: where the number of rows is private, none is a number like any other.
	AllowEmpty bool
	// Stdin is what the path "-" reads from.
	Stdin io.Reader
}

// Load reads and encodes the table at path, "-" being o.Stdin. The format is that of the schema, else that of the
// path's extension; .gz and .zst files are decompressed on the way.
//
// The first thing that is not as declared ends it: with an [*Error] that says where, or a [*SpecError] where the schema
// has no columns for the format found. Other errors are those of the operating system and of ctx.
func Load(ctx context.Context, path string, s *Schema, o LoadOptions) (*Dataset, error) {
	inputs := s.inputs(o)
	t, err := openTable(path, s, inputs, o.Stdin)
	if err != nil {
		return nil, err
	}
	defer t.close()
	l := newLoader(s, o, inputs)
	for {
		if l.out.data.Rows%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := t.rows.next(l.cells)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, t.fail(err)
		}
		if o.MaxRows > 0 && l.out.data.Rows == o.MaxRows {
			return nil, t.fail(&Error{msg: fmt.Sprintf("has more rows than the declared %d", o.MaxRows)})
		}
		if bad := l.add(); bad != nil {
			name, line, column := t.rows.where(bad.cell)
			return nil, t.fail(&Error{Line: line, Column: column, msg: fmt.Sprintf("column %q %s", name, bad.msg), hint: bad.hint})
		}
	}
	if l.out.data.Rows == 0 && !o.AllowEmpty {
		return nil, t.fail(&Error{msg: "has no rows"})
	}
	return l.dataset(), nil
}

// A source reads the rows of a table. Each format has one. Its errors are those of its reader, or an *Error without a file.
type source interface {
	// next reads a row's cells, in the order of the inputs it was made for. It returns io.EOF after the last row.
	next(cells []cell) error
	// where is the declared name and the place, from 1, of cell i of the row read last.
	where(i int) (name string, line, column int)
}

// A loader adds one row after another to a dataset.
type loader struct {
	schema *Schema
	out    *builder
	cells  []cell // of one row: features, label, group
	label  int    // index of the label's cell; -1 for none
	group  int    // index of the group's cell; -1 for none

	groupOf map[string]int32
}

func newLoader(s *Schema, o LoadOptions, inputs []input) *loader {
	l := &loader{schema: s, out: newBuilder(s.dense, s.sparse), label: -1, group: -1}
	total := 0
	for _, in := range inputs {
		total += in.size
	}
	l.cells = make([]cell, total)
	l.out.reserve(o.MaxRows)
	last := total - 1
	if o.Group != "" {
		l.group, last = last, last-1
		l.groupOf = make(map[string]int32)
		l.out.data.Groups = &Groups{}
	}
	if o.Labels == LabelsRequired {
		l.label = last
	}
	return l
}

// add encodes the row in l.cells.
func (l *loader) add() *fault {
	if l.label >= 0 {
		class, bad := l.schema.class(l.cells[l.label])
		if bad != nil {
			bad.cell = l.label
			return bad
		}
		l.out.data.Labels = append(l.out.data.Labels, class)
	}
	if l.group >= 0 {
		g := l.out.data.Groups
		text := l.cells[l.group].text
		group, ok := l.groupOf[string(text)]
		if !ok {
			group = int32(len(g.Names))
			g.Names = append(g.Names, string(text))
			l.groupOf[string(text)] = group
		}
		g.Of = append(g.Of, group)
	}
	return l.schema.encode(l.out, l.cells)
}

func (l *loader) dataset() *Dataset {
	if l.out.data.Groups != nil {
		l.out.data.Groups.sort()
	}
	return l.out.data
}

package data

import (
	"errors"
	"io"
)

// readParquet takes the columns from the schema, which is no record, and looks at the first peek rows.
func (o *Outline) readParquet(t *table, peek int) (err error) {
	defer refusePanic(&err)
	if t.size < 0 {
		return notSeekable()
	}
	file, err := openParquetFile(t.file, t.size)
	if err != nil {
		return err
	}
	var singles []parquetField
	lists := outlineFields(file.root, "", &singles)
	names := make([]string, len(singles))
	for i, f := range singles {
		names[i] = f.name
	}
	if err := checkHeader(names); err != nil {
		return &Error{msg: "has a column without a name that can be one", hint: "names are text of one line, each once"}
	}
	looks := make([]look, len(singles))
	if peek > 0 && len(singles) > 0 {
		if err := o.peekParquet(t, singles, looks, peek); err != nil {
			return err
		}
	}
	o.addColumns(names, func(i int) Kind {
		if kind := looks[i].kind(o.Rows); kind != "" {
			return kind
		}
		return singles[i].kind
	})
	for _, name := range lists {
		if !isName(name) {
			continue
		}
		o.Columns = append(o.Columns, OutlineColumn{Name: name, Kind: Vector})
	}
	return nil
}

// A parquetField is a column of single values; kind is what its type tells, or empty.
type parquetField struct {
	name string
	kind Kind
}

// outlineFields appends the columns below a group, and returns its lists.
func outlineFields(group *parquetNode, path string, singles *[]parquetField) (lists []string) {
	for _, c := range group.children {
		name := path + c.Name
		switch leaf := c.element(); {
		case c.isLeaf() && c.repetition == 0:
			form := formOf(c, input{})
			if form == nil {
				continue
			}
			f := parquetField{name: name}
			if form.number {
				f.kind = Numeric
			}
			*singles = append(*singles, f)
		case leaf.isLeaf() && leaf.repetition == 1:
			if form := formOf(leaf, input{}); form != nil && form.number {
				lists = append(lists, name)
			}
		case !c.isLeaf() && c.repetition == 0:
			lists = append(lists, outlineFields(c, name+".", singles)...)
		}
	}
	return lists
}

// peekParquet looks at the first rows.
func (o *Outline) peekParquet(t *table, singles []parquetField, looks []look, peek int) error {
	var inputs []input
	for _, f := range singles {
		inputs = append(inputs, input{name: f.name, size: 1, numeric: f.kind == Numeric})
	}
	s, err := newParquetSource(t.file, t.size, &counter{}, partBytes, inputs)
	if err != nil {
		return err
	}
	defer s.pages.close()
	rows, p, cells := s.reader(), new(part), make([]cell, len(singles))
	for o.Rows < peek {
		if err := s.next(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		for rows.reset(p); o.Rows < peek; o.Rows++ {
			err := rows.next(cells)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				continue // which load will complain about
			}
			for i, c := range cells {
				looks[i].see(string(c.text))
			}
		}
	}
	if o.Rows == 0 {
		return &Error{msg: "has no rows"}
	}
	return nil
}

package data

// A cell is one field of a row. Its text is valid until the next row is read.
type cell struct {
	text   []byte  // the CSV field, the unquoted JSON string, or the literal of a JSON number or boolean; valid UTF-8
	number float64 // that text is, where numeric is set
	// numeric says that the reader came by the number. It sets it for inputs that are numbers alone.
	numeric bool
	null    bool // a JSON null or an absent key; text is empty
	invalid bool // a value of Parquet that its type does not have; text is empty
}

// A missing lists the texts that stand for an absent value.
type missing []string

func (m missing) has(c cell) bool {
	if c.null {
		return true
	}
	for _, text := range m {
		if text == string(c.text) {
			return true
		}
	}
	return false
}

// anyNumber reports whether a number may stand for an absent value.
func (m missing) anyNumber() bool {
	for _, text := range m {
		if _, problem := parseNumber([]byte(text)); problem == "" {
			return true
		}
	}
	return false
}

// A column encodes one feature. It is immutable: one column serves any number of builders at a time.
type column interface {
	// width is the number of dense and of sparse columns that encode fills.
	width() (dense, sparse int)
	// encode adds the feature's columns to the row in b: all of its dense ones, and those of its sparse ones that are 1,
	// in ascending order, counted from base. cells are the cells of the feature's input.
	encode(b *builder, base uint32, cells []cell) *fault
}

// newColumn returns the column of a checked feature. moments is what was learned of it; nil: nothing.
func newColumn(f Feature, m missing, moments *Moments) column {
	switch f.Kind {
	case Numeric:
		if len(f.Edges) > 0 {
			return &binnedColumn{cells: numbers{m, f.Impute}, edges: f.Edges}
		}
		return &scaledColumn{cells: numbers{m, f.Impute}, scale: newScale(f), moments: moments}
	case Categorical:
		return newCategoricalColumn(f, m)
	case Hashed:
		return &hashedColumn{missing: m, buckets: f.Buckets, seed: bucketSeed(f.Name)}
	case Text:
		return newTextColumn(f, m)
	case Vector:
		return newVectorColumn(f, numbers{m, f.Impute})
	}
	panic("data: unchecked kind of feature")
}

// categoricalColumn is one of the declared values, or other, or missing: one sparse column each.
type categoricalColumn struct {
	missing missing
	values  map[string]uint32 // of values and aliases
	other   uint32            // the number of values
}

func newCategoricalColumn(f Feature, m missing) *categoricalColumn {
	c := &categoricalColumn{missing: m, values: make(map[string]uint32), other: uint32(len(f.Values))}
	for i, value := range f.Values {
		c.values[value] = uint32(i)
	}
	for _, alias := range f.Aliases {
		c.values[alias.From] = c.values[alias.To]
	}
	return c
}

func (c *categoricalColumn) width() (dense, sparse int) { return 0, int(c.other) + 2 }

func (c *categoricalColumn) encode(b *builder, base uint32, cells []cell) *fault {
	value, declared := c.values[string(cells[0].text)]
	switch {
	case declared && !cells[0].null:
		b.sparse(base + value)
	case c.missing.has(cells[0]):
		b.sparse(base + c.other + 1)
	default:
		b.sparse(base + c.other)
	}
	return nil
}

// hashedColumn is one of an open set of values, by its bucket, or missing.
type hashedColumn struct {
	missing missing
	buckets int
	seed    uint64
}

func (c *hashedColumn) width() (dense, sparse int) { return 0, c.buckets + 1 }

func (c *hashedColumn) encode(b *builder, base uint32, cells []cell) *fault {
	if c.missing.has(cells[0]) {
		b.sparse(base + uint32(c.buckets))
		return nil
	}
	b.sparse(base + bucketOf(hashBytes(c.seed, cells[0].text), c.buckets))
	return nil
}

package data

import (
	"fmt"
	"strconv"
)

// maxColumns bounds the dense and the sparse width each: no sensible model is wider, and column numbers must fit uint32.
const maxColumns = 1 << 26

// A Schema is a checked [Spec]: it knows how a row becomes numbers. It is immutable and safe for concurrent use.
type Schema struct {
	spec     Spec
	features []feature        // in declared order
	classes  map[string]int32 // of class names and aliases
	dense    int
	sparse   int

	standardized []standardized // features that state so, in their order
}

// standardized is where a feature's dense column stands, and what was learned of it.
type standardized struct {
	at      int
	moments *Moments // nil before anything was
}

// To is the interval onto which [-1, 1] is shifted and scaled.
func (m *Moments) To() [2]float64 {
	return [2]float64{(-1 - m.Mean) / m.Deviation, (1 - m.Mean) / m.Deviation}
}

// apply shifts and scales a number on the scale of [-1, 1]. It starts from what a table without moments holds, so that one
// can be standardized after it was loaded.
func (m *Moments) apply(z float32) float32 { return float32((float64(z) - m.Mean) / m.Deviation) }

// A feature is a column of the encoding and where it stands in it.
type feature struct {
	column column
	input  input
	base   uint32 // its first sparse column
}

// An input is what a feature, the label or the group reads of a row.
type input struct {
	key     string     // of its declaration, for errors
	name    string     // CSV column or JSON path
	numeric bool       // its cells are numbers
	number  bool       // each cell that is a number counts as that, whatever its text
	vector  bool       // size cells: a JSON array, or the run of CSV columns
	size    int        // number of cells
	run     *ColumnRun // nil where no run is declared
}

// NewSchema checks everything that can be checked of a declaration before a record is read; the error is a [*SpecError].
// The schema shares memory with spec, which must not be modified any more.
func NewSchema(spec Spec) (*Schema, error) {
	if err := checkTable(&spec); err != nil {
		return nil, err
	}
	s := &Schema{spec: spec, classes: make(map[string]int32)}
	for i, class := range spec.Label.Classes {
		s.classes[class] = int32(i)
	}
	for _, alias := range spec.Label.Aliases {
		s.classes[alias.From] = s.classes[alias.To]
	}
	for i, f := range spec.Features {
		key := fmt.Sprintf("data.features[%d]", i)
		if err := checkFeature(key, &f, &spec); err != nil {
			return nil, err
		}
		var moments *Moments
		if f.Standardize != "" {
			if at := len(s.standardized); len(spec.Moments) > 0 {
				moments = &spec.Moments[at]
			}
			s.standardized = append(s.standardized, standardized{at: s.dense, moments: moments})
		}
		c := newColumn(f, spec.Missing, moments)
		dense, sparse := c.width()
		if dense > maxColumns-s.dense || sparse > maxColumns-s.sparse {
			return nil, specError(key, fmt.Sprintf("makes the table wider than %d columns", maxColumns), "fewer buckets, values or elements")
		}
		in := input{key: key, name: f.Name, size: 1, numeric: f.Kind == Numeric || f.Kind == Vector}
		in.number = in.numeric && !missing(spec.Missing).anyNumber()
		if f.Kind == Vector {
			in.vector, in.size, in.run = true, dense, f.Columns
		}
		s.features = append(s.features, feature{column: c, input: in, base: uint32(s.sparse)})
		s.dense += dense
		s.sparse += sparse
	}
	return s, nil
}

// DenseWidth is the number of columns of the dense block.
func (s *Schema) DenseWidth() int { return s.dense }

// SparseWidth is the number of columns of the sparse block.
func (s *Schema) SparseWidth() int { return s.sparse }

// Classes lists the names of the classes in their order. Callers must not modify it.
func (s *Schema) Classes() []string { return s.spec.Label.Classes }

// Standardized lists the columns of the dense block that hold features to standardize, in their order.
func (s *Schema) Standardized() []int {
	var columns []int
	for _, c := range s.standardized {
		columns = append(columns, c.at)
	}
	return columns
}

// Spec is the declaration that the schema was made from. Callers must not modify what it refers to.
func (s *Schema) Spec() Spec { return s.spec }

// inputs lists what is read of each row: the features in order, then the label, the group and the split where they are
// wanted.
func (s *Schema) inputs(o LoadOptions) []input {
	var list []input
	for _, f := range s.features {
		list = append(list, f.input)
	}
	if o.Labels == LabelsRequired {
		list = append(list, input{key: "data.label", name: s.spec.Label.Name, size: 1})
	}
	if o.Group != "" {
		list = append(list, input{name: o.Group, size: 1})
	}
	if s.splits(o) {
		list = append(list, input{key: "data.split.by", name: s.spec.Split.By, size: 1})
	}
	return list
}

// splits reports whether one side of the table is wanted.
func (s *Schema) splits(o LoadOptions) bool { return s.spec.Split != nil && o.Side != AllRows }

// encode adds a row to b. cells are those of the features' inputs, one after the other.
func (s *Schema) encode(b *builder, cells []cell) *fault {
	first := 0
	for i := range s.features {
		f := &s.features[i]
		end := first + f.input.size
		if bad := f.column.encode(b, f.base, cells[first:end]); bad != nil {
			bad.cell += first
			return bad
		}
		first = end
	}
	b.endRow(s.rowNorm())
	return nil
}

// rowNorm is the norm that rows are scaled down to as they are loaded: none, while there is something to learn of them first.
func (s *Schema) rowNorm() float64 {
	if len(s.standardized) > 0 && len(s.spec.Moments) == 0 {
		return 0
	}
	return s.spec.RowNorm
}

// class is the class of a label cell.
func (s *Schema) class(c cell) (int32, *fault) {
	if class, ok := s.classes[string(c.text)]; ok && !c.null {
		return class, nil
	}
	if missing(s.spec.Missing).has(c) {
		return 0, &fault{msg: noValue, hint: "each row needs a label: drop the rows without one"}
	}
	return 0, &fault{unknownLabel: true, msg: "is not one of the declared classes",
		hint: "add the class to data.label.classes, or map it onto one under data.label.aliases"}
}

// vectorSize is the number of elements of a vector.
func (f *Feature) vectorSize() int {
	if f.Columns != nil {
		return f.Columns.Last - f.Columns.First + 1
	}
	return f.Size
}

// name is the name of column i of the run, counted from 0.
func (r *ColumnRun) name(i int) string { return r.Prefix + strconv.Itoa(r.First+i) }

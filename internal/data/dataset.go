package data

import (
	"math"
	"slices"
)

// A Dataset is an encoded table: a dense block and a sparse block in compressed sparse row form, one row each a record.
type Dataset struct {
	Rows        int
	DenseWidth  int // D, of the schema
	SparseWidth int // S, of the schema

	Dense []float32 // [Rows×D] row-major

	Indptr  []int     // [Rows+1]: the sparse part of row i is Indices and Values at Indptr[i] up to Indptr[i+1]
	Indices []uint32  // columns in [0, S), strictly ascending within a row
	Values  []float32 // of the columns in Indices

	Labels []int32 // [Rows]: the class of each row; nil where labels were not read
	// Null are the rows of the table that are not as declared, or on the other side of a split, by their number from 0 among all rows, ascending; Rows, the
	// blocks and Labels leave them out.
	Null   []int32
	Groups *Groups // nil where none were asked for

	unmap func() error // of the blocks' memory; nil where it is the program's own
}

// Close gives back the memory of the blocks, which must not be used any more, where they are a mapped file.
func (d *Dataset) Close() error {
	if d.unmap == nil {
		return nil
	}
	return d.unmap()
}

// Places is the number of the table's rows, null ones included.
func (d *Dataset) Places() int { return d.Rows + len(d.Null) }

// Standardized is the table as a schema with moments encodes it, for a table that was loaded by the same schema without
// them, whose rows are therefore as long as they come: bit for bit what loading it anew would give. It shares with d what
// does not change.
func (d *Dataset) Standardized(s *Schema) *Dataset {
	with := *d
	with.Dense, with.Values = slices.Clone(d.Dense), slices.Clone(d.Values)
	for row := range d.Rows {
		dense := with.Dense[row*d.DenseWidth : (row+1)*d.DenseWidth]
		for _, c := range s.standardized {
			dense[c.at] = c.moments.apply(dense[c.at])
		}
		shorten(dense, with.Values[d.Indptr[row]:d.Indptr[row+1]], s.spec.RowNorm)
	}
	return &with
}

// Groups says which group each row belongs to, for evaluation by group. The names are cells of the table.
type Groups struct {
	Names []string // distinct, ascending; a missing JSON value is the empty name
	Of    []int32  // [Rows]: index into Names
}

// number is the number of the group called name, which it adds where it is not yet in of.
func (g *Groups) number(of map[string]int32, name string) int32 {
	i, known := of[name]
	if !known {
		i = int32(len(g.Names))
		g.Names = append(g.Names, name)
		of[name] = i
	}
	return i
}

// sort puts the names, first seen first, into ascending order.
func (g *Groups) sort() {
	names := slices.Clone(g.Names)
	slices.Sort(names)
	renumbered := make([]int32, len(names))
	for i, name := range g.Names {
		at, _ := slices.BinarySearch(names, name)
		renumbered[i] = int32(at)
	}
	for row, group := range g.Of {
		g.Of[row] = renumbered[group]
	}
	g.Names = names
}

// A builder appends encoded rows to a dataset. Columns write to the row being built; endRow completes it.
type builder struct {
	data *Dataset

	// Scratch space of text columns.
	words   []byte
	ends    []int
	buckets []uint32
}

func newBuilder(dense, sparse int) *builder {
	return &builder{data: &Dataset{DenseWidth: dense, SparseWidth: sparse, Indptr: []int{0}}}
}

// reset drops all rows and keeps their memory.
func (b *builder) reset() {
	d := b.data
	d.Rows = 0
	d.Dense, d.Indptr, d.Indices, d.Values = d.Dense[:0], d.Indptr[:1], d.Indices[:0], d.Values[:0]
	d.Labels, d.Null = d.Labels[:0], d.Null[:0]
	if d.Groups != nil {
		d.Groups.Names, d.Groups.Of = d.Groups.Names[:0], d.Groups.Of[:0]
	}
}

// dense adds the next dense column.
func (b *builder) dense(x float32) { b.data.Dense = append(b.data.Dense, x) }

// sparse sets a sparse column, greater than those before it, to 1.
func (b *builder) sparse(column uint32) {
	b.data.Indices = append(b.data.Indices, column)
	b.data.Values = append(b.data.Values, 1)
}

// endRow scales the row down to the L2 norm rowNorm where it is longer and rowNorm is not 0. The norm is that of both
// parts together, computed in float64; rounding the scaled row to float32 leaves its norm within a relative 2^-23 of it.
func (b *builder) endRow(rowNorm float64) {
	d := b.data
	dense, sparse := d.Dense[d.Rows*d.DenseWidth:], d.Values[d.Indptr[d.Rows]:]
	d.Rows++
	d.Indptr = append(d.Indptr, len(d.Indices))
	shorten(dense, sparse, rowNorm)
}

// shorten scales a row down to the L2 norm rowNorm where it is longer and rowNorm is not 0.
func shorten(dense, sparse []float32, rowNorm float64) {
	if rowNorm == 0 {
		return
	}
	norm := math.Sqrt(sumSquares(dense) + sumSquares(sparse))
	if norm > rowNorm {
		scaleBy(dense, rowNorm/norm)
		scaleBy(sparse, rowNorm/norm)
	}
}

// nullRow takes the row being built for a null one.
func (b *builder) nullRow() {
	d := b.data
	d.Dense, d.Indices, d.Values = d.Dense[:d.Rows*d.DenseWidth], d.Indices[:d.Indptr[d.Rows]], d.Values[:d.Indptr[d.Rows]]
	d.Labels = d.Labels[:min(d.Rows, len(d.Labels))]
	if d.Groups != nil {
		d.Groups.Of = d.Groups.Of[:d.Rows]
	}
	d.Null = append(d.Null, int32(d.Places()))
}

// dropRow takes the row that was ended last for a null one.
func (b *builder) dropRow() {
	d := b.data
	d.Rows--
	d.Indptr = d.Indptr[:d.Rows+1]
	b.nullRow()
}

func sumSquares(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}

func scaleBy(x []float32, factor float64) {
	for i, v := range x {
		x[i] = float32(float64(v) * factor)
	}
}

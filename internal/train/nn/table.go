package nn

import (
	"fmt"
	"math"
)

// A Table is encoded rows: a dense block and a CSR block side by side, and the class of each row.
type Table struct {
	Rows   int
	Dense  []float32 // [Rows×Shape.Dense] row-major
	Indptr []int     // [Rows+1]: row i's entries are Indices and Values [Indptr[i]:Indptr[i+1]]; unused where Shape.Sparse is 0
	// Indices are columns of the sparse block, strictly ascending within a row: a repeated column would make the
	// row's norm, and with it the gradient's, smaller than it is.
	Indices []uint32
	Values  []float32
	Labels  []int32 // [Rows], in [0, Classes); nil where only predictions are asked for
}

// Check errs where the table does not have the shape, or holds what would break norms.
func (t *Table) Check(s Shape) error {
	if len(t.Dense) != t.Rows*s.Dense {
		return fmt.Errorf("the dense block has %d values, want %d rows of %d", len(t.Dense), t.Rows, s.Dense)
	}
	if s.Sparse > 0 && len(t.Indptr) != t.Rows+1 {
		return fmt.Errorf("the sparse block has %d row bounds, want %d", len(t.Indptr), t.Rows+1)
	}
	for i := range t.Rows {
		var sum float64
		for _, v := range t.Dense[i*s.Dense : (i+1)*s.Dense] {
			sum += float64(v) * float64(v)
		}
		columns, values := t.sparseRow(i)
		for j, v := range values {
			if int(columns[j]) >= s.Sparse || j > 0 && columns[j] <= columns[j-1] {
				return fmt.Errorf("row %d of the sparse block is not strictly ascending below %d", i, s.Sparse)
			}
			sum += float64(v) * float64(v)
		}
		if math.IsInf(sum, 0) || math.IsNaN(sum) {
			return fmt.Errorf("row %d is not finite", i) // 0 × Inf is NaN: a null row would not be null
		}
	}
	return nil
}

// sparseRow returns the columns and values of row i of the sparse block.
func (t *Table) sparseRow(i int) ([]uint32, []float32) {
	if len(t.Indptr) == 0 {
		return nil, nil
	}
	from, to := t.Indptr[i], t.Indptr[i+1]
	return t.Indices[from:to], t.Values[from:to]
}

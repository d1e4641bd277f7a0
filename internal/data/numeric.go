package data

import (
	"math"
	"slices"
)

// scaledColumn is a number mapped onto [-1, 1]: one dense column, 0 where the cell is missing; and one sparse column
// that says so, unless a missing cell takes a declared value.
type scaledColumn struct {
	cells   numbers
	scale   scale
	moments *Moments // by which the number on [-1, 1] is then shifted and scaled; nil: it is not
}

func (c *scaledColumn) width() (dense, sparse int) {
	if c.cells.impute != nil {
		return 1, 0
	}
	return 1, 1
}

func (c *scaledColumn) encode(b *builder, base uint32, cells []cell) *fault {
	x, absent, f := c.cells.read(cells, 0)
	switch {
	case f != nil:
		return f
	case absent:
		b.dense(0)
		b.sparse(base)
	default:
		z := c.scale.apply(x)
		if c.moments != nil {
			z = c.moments.apply(z)
		}
		b.dense(z)
	}
	return nil
}

// binnedColumn is a number cut at edges: one sparse column a bin, and one for missing unless that takes a declared value.
type binnedColumn struct {
	cells numbers
	edges []float64
}

func (c *binnedColumn) width() (dense, sparse int) {
	if c.cells.impute != nil {
		return 0, len(c.edges) + 1
	}
	return 0, len(c.edges) + 2
}

func (c *binnedColumn) encode(b *builder, base uint32, cells []cell) *fault {
	x, absent, f := c.cells.read(cells, 0)
	if f != nil {
		return f
	}
	bin, onEdge := slices.BinarySearch(c.edges, x)
	switch {
	case absent:
		bin = len(c.edges) + 1
	case onEdge: // an edge belongs to the bin above it
		bin++
	}
	b.sparse(base + uint32(bin))
	return nil
}

// vectorColumn is a fixed number of numbers, each a dense column.
type vectorColumn struct {
	cells numbers
	size  int
	scale *scale // nil where the elements are taken as they are
}

func newVectorColumn(f Feature, cells numbers) *vectorColumn {
	c := &vectorColumn{cells: cells, size: f.vectorSize()}
	if f.Min != nil {
		s := newScale(f)
		c.scale = &s
	}
	return c
}

func (c *vectorColumn) width() (dense, sparse int) { return c.size, 0 }

func (c *vectorColumn) encode(b *builder, _ uint32, cells []cell) *fault {
	for i := range cells {
		x, absent, f := c.cells.read(cells, i)
		switch {
		case f != nil:
			return f
		case absent:
			return &fault{cell: i, msg: noValue, hint: "declare impute for the vector, or drop the row"}
		case c.scale != nil:
			b.dense(c.scale.apply(x))
		case math.Abs(x) > math.MaxFloat32:
			return &fault{cell: i, msg: outOfRange, hint: "declare min and max for the vector: elements outside are clamped"}
		default:
			b.dense(float32(x))
		}
	}
	return nil
}

// numbers says how the cells of a numeric feature are read.
type numbers struct {
	missing missing
	impute  *float64 // what a missing cell stands for; nil where nothing is declared
}

// read is the number in cells[i]. absent: it is missing, and nothing is declared in its place.
func (n *numbers) read(cells []cell, i int) (x float64, absent bool, f *fault) {
	if cells[i].numeric {
		return cells[i].number, false, nil
	}
	if n.missing.has(cells[i]) {
		if n.impute == nil {
			return 0, true, nil
		}
		return *n.impute, false, nil
	}
	x, problem := parseNumber(cells[i].text)
	switch problem {
	case notNumber:
		return 0, false, &fault{cell: i, msg: problem, hint: "list what stands for an absent value under data.missing, or mend the row"}
	case outOfRange:
		return 0, false, &fault{cell: i, msg: problem}
	}
	return x, false, nil
}

// A scale clamps a number to [min, max] and maps that onto to: linearly, or linearly in log(1+x) where log is set.
type scale struct {
	min, max float64
	log      bool
	lo, span float64 // what min is before the linear map, and how far max is from it
	to       [2]float64
}

func newScale(f Feature) scale {
	s := scale{min: *f.Min, max: *f.Max, log: f.Transform == transformLog1p, to: [2]float64{-1, 1}}
	if f.To != nil {
		s.to = *f.To
	}
	s.lo, s.span = s.min, s.max-s.min
	if s.log {
		s.lo = math.Log1p(s.min)
		s.span = math.Log1p(s.max) - s.lo
	}
	return s
}

func (s *scale) apply(x float64) float32 {
	if x < s.min {
		x = s.min
	} else if x > s.max {
		x = s.max
	}
	if s.log {
		x = math.Log1p(x)
	}
	return float32(s.to[0] + (s.to[1]-s.to[0])*((x-s.lo)/s.span))
}

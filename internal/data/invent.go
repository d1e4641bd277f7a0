package data

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
)

// Invent writes rows of a table as the spec declares it, as JSON lines: for tests of what is done with tables, which then
// need no real one. Every row can be loaded; many are unlikely:  values, numbers at the ends of float64 or of their
// bounds, undeclared categories, empty and endless texts, and rows that repeat the one before. draw returns a uniform
// integer below its argument; the same draws give the same rows.
func Invent(spec Spec, rows int, draw func(n uint64) uint64) ([]byte, error) {
	v := inventor{spec: spec, draw: draw}
	var out bytes.Buffer
	var last []byte
	for i := range rows {
		if i == 0 || v.pick(12) > 0 {
			line, err := json.Marshal(v.row())
			if err != nil {
				return nil, err
			}
			last = append(line, '\n')
		}
		out.Write(last)
	}
	return out.Bytes(), nil
}

type inventor struct {
	spec Spec
	draw func(n uint64) uint64
}

func (v *inventor) pick(n int) int { return int(v.draw(uint64(n))) }

// unit is uniform on [0, 1).
func (v *inventor) unit() float64 { return float64(v.draw(1<<53)) * 0x1p-53 }

// A mood is what a row's values have in common.
type mood int

const (
	ordinary mood = iota
	lacking       // absent wherever a value may be
	extreme       // at the ends and beyond
	bare          // nothing in texts, zero in numbers
	endless       // long texts; otherwise ordinary
	moods
)

// row is one row by column. Where a column serves several features, the one that takes the fewest values decides.
func (v *inventor) row() map[string]any {
	m := mood(v.pick(2 * int(moods)))
	if m >= moods {
		m = ordinary
	}
	row := map[string]any{}
	for _, kind := range []Kind{Text, Hashed, Categorical, Numeric, Vector} {
		for i := range v.spec.Features {
			if f := &v.spec.Features[i]; f.Kind == kind {
				row[f.Name] = v.value(f, m)
			}
		}
	}
	row[v.spec.Label.Name] = v.spec.Label.Classes[v.pick(len(v.spec.Label.Classes))]
	return row
}

// value is a value of a feature.
func (v *inventor) value(f *Feature, m mood) any {
	switch f.Kind {
	case Vector:
		elements := make([]float64, f.vectorSize())
		for i := range elements {
			elements[i] = v.number(f, m)
		}
		return elements
	case Numeric:
		if m == lacking {
			return nil
		}
		return v.number(f, m)
	case Categorical:
		if n := v.pick(len(f.Values) + 1); m == ordinary && n < len(f.Values) {
			return f.Values[n]
		}
	default: // texts
	}
	switch m {
	case lacking:
		return nil
	case bare:
		return ""
	case endless:
		return strings.Repeat(v.text()+" ", 200)
	default:
		return v.text()
	}
}

// number is a number that the feature takes: anything finite where it has bounds, else what float32 holds.
func (v *inventor) number(f *Feature, m mood) float64 {
	low, high, largest := -1.0, 1.0, float64(math.MaxFloat32)
	if f.Min != nil {
		low, high, largest = *f.Min, *f.Max, math.MaxFloat64
	}
	switch {
	case m == bare:
		return 0
	case m == extreme:
		return []float64{largest, -largest, 1e38, math.SmallestNonzeroFloat64, low, high}[v.pick(6)]
	case len(f.Edges) > 0 && v.pick(3) == 0:
		return f.Edges[v.pick(len(f.Edges))]
	}
	return low + (high-low)*v.unit()
}

// text is a few words of a language with few of them.
func (v *inventor) text() string {
	var words []string
	for range 1 + v.pick(8) {
		word := []byte("w0")
		for n := v.pick(500); n > 0; n /= 26 {
			word = append(word, byte('a'+n%26))
		}
		words = append(words, string(word))
	}
	return strings.Join(words, []string{" ", ", ", "\n", " 漢字 ", " \"§\" "}[v.pick(5)])
}

// Pick returns the rows of d whose numbers are given, in that order; one may be given several times. Groups stay behind.
func (d *Dataset) Pick(rows []int) *Dataset {
	b := newBuilder(d.DenseWidth, d.SparseWidth)
	p := b.data
	for _, row := range rows {
		p.Dense = append(p.Dense, d.Dense[row*d.DenseWidth:(row+1)*d.DenseWidth]...)
		p.Indices = append(p.Indices, d.Indices[d.Indptr[row]:d.Indptr[row+1]]...)
		p.Values = append(p.Values, d.Values[d.Indptr[row]:d.Indptr[row+1]]...)
		if d.Labels != nil {
			p.Labels = append(p.Labels, d.Labels[row])
		}
		b.endRow(0)
	}
	return p
}

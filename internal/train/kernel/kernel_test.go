package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// atEveryLevel runs a test at each level that this machine supports.
func atEveryLevel(t *testing.T, test func(t *testing.T)) {
	best := active
	t.Cleanup(func() { active = best })
	for l := generic; l <= best; l++ {
		active = l
		t.Run(l.String(), test)
	}
}

// shapes are the dimensions (m, k, n) under test: each runs through 0..257 while the others are small, then cuts of
// tiles and blocks in several dimensions at once.
func shapes() [][3]int {
	var s [][3]int
	for l := range 258 {
		s = append(s, [3]int{l, 3, 5}, [3]int{5, l, 3}, [3]int{3, 5, l})
	}
	// Every remainder of a tile's rows beside whole, split and single vectors of columns; AddOuter's rows are n.
	for l := range 26 {
		for _, cols := range []int{32, 60, 75} {
			s = append(s, [3]int{l, 9, cols}, [3]int{9, cols, l})
		}
	}
	return append(s, [3]int{13, 37, 33}, [3]int{31, 70, 47}, [3]int{12, 16, 64}, [3]int{25, 300, 97}, [3]int{270, 40, 70}, [3]int{600, 33, 17})
}

func TestAssemblyLevelsAgree(t *testing.T) {
	best := active
	t.Cleanup(func() { active = best })
	for _, s := range specs() {
		rng := rand.New(rand.NewPCG(13, 14))
		for _, shape := range append(pureShapes(), [3]int{300, 40, 33}, [3]int{3, 20, 150}) {
			m, k, n := shape[0], shape[1], shape[2]
			start, in := random(s, m, k, n, rng)
			var first []float32 // at the lower level
			for l := avx2; l <= best; l++ {
				active = l
				got := slices.Clone(start)
				s.run(got, in, m, k, n)
				if l > avx2 {
					if i := firstDifference(got, first, 0); i >= 0 {
						t.Errorf("%s m=%d k=%d n=%d: element %d = %x at %v, %x at %v", s.name, m, k, n, i, got[i], l, first[i], avx2)
					}
				}
				first = got
			}
		}
	}
}

// A fence is a region of memory in which slices are laid against one end; the other neighbour is a run of NaN.
type fence struct {
	region []float32
	used   []float32
}

const sentinel = 0x7fc0dead // a NaN

func (f *fence) slice(n int, atEnd bool) []float32 {
	const margin = 64
	r := f.region
	if atEnd {
		r = r[len(r)-n-margin:]
		f.used = r[margin:]
		r = r[:margin]
	} else {
		f.used = r[:n]
		r = r[n : n+margin]
	}
	for i := range r {
		r[i] = math.Float32frombits(sentinel)
	}
	return f.used[:n:n]
}

// broken reports whether a NaN beside the slice was written to.
func (f *fence) broken(atEnd bool) bool {
	const margin = 64
	r := f.region[len(f.used):][:margin]
	if atEnd {
		r = f.region[len(f.region)-len(f.used)-margin:][:margin]
	}
	return slices.ContainsFunc(r, func(v float32) bool { return math.Float32bits(v) != sentinel })
}

func TestKernelsFollowTheirLoops(t *testing.T) {
	const largest = 600 * 300
	var fences [5]fence
	for i := range fences {
		fences[i].region = newRegion(t, largest)
	}
	atEveryLevel(t, func(t *testing.T) {
		for _, s := range specs() {
			t.Run(s.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				for i, shape := range shapes() {
					compareWithLoop(t, s, &fences, shape, i%2 == 0, rng)
					if t.Failed() {
						return
					}
				}
			})
		}
	})
}

// compareWithLoop runs a kernel between fences and compares its result with the documented loop's.
func compareWithLoop(t *testing.T, s spec, fences *[5]fence, shape [3]int, atEnd bool, rng *rand.Rand) {
	m, k, n := shape[0], shape[1], shape[2]
	out := fences[0].slice(s.out(m, k, n), atEnd)
	fillSum(rng, out)
	want := slices.Clone(out)
	var in, before [][]float32
	for i, size := range s.in(m, k, n) {
		in = append(in, fences[i+1].slice(size, atEnd))
		fill(rng, in[i])
	}
	if s.prepare != nil {
		s.prepare(in, m, k, n)
	}
	for _, operand := range in {
		before = append(before, slices.Clone(operand))
	}
	s.run(out, in, m, k, n)
	s.loop(want, before, m, k, n)
	if i := firstDifference(out, want, s.inexact); i >= 0 {
		t.Errorf("m=%d k=%d n=%d: element %d = %x, want %x", m, k, n, i, out[i], want[i])
	}
	for i, operand := range in {
		if firstDifference(operand, before[i], 0) >= 0 {
			t.Errorf("m=%d k=%d n=%d: argument %d was modified", m, k, n, i)
		}
	}
	for i := range len(in) + 1 {
		if fences[i].broken(atEnd) {
			t.Errorf("m=%d k=%d n=%d: wrote outside operand %d", m, k, n, i)
		}
	}
}

// firstDifference returns the first index at which got is more than ulps from want, or −1. With ulps = 0 the bits
// must be the same, but for the payload of a NaN.
func firstDifference(got, want []float32, ulps float64) int {
	for i := range want {
		g, w := got[i], want[i]
		switch {
		case g != g && w != w, math.Float32bits(g) == math.Float32bits(w):
			continue
		case ulps == 0 || g != g || w != w:
			return i
		}
		ulp := math.Abs(float64(math.Nextafter32(w, 2*w) - w))
		if math.Abs(float64(g)-float64(w)) > ulps*ulp+1e-35 {
			return i
		}
	}
	return -1
}

// rowsOf returns rows [from, to) of a matrix of m rows.
func rowsOf(a []float32, m, from, to int) []float32 {
	width := len(a) / m
	return a[from*width : to*width]
}

// cut returns the operands with the listed ones reduced to rows [from, to) of m.
func cut(in [][]float32, listed []int, m, from, to int) [][]float32 {
	part := slices.Clone(in)
	for _, i := range listed {
		part[i] = rowsOf(in[i], m, from, to)
	}
	return part
}

// random returns operands of a spec.
func random(s spec, m, k, n int, rng *rand.Rand) (out []float32, in [][]float32) {
	out = make([]float32, s.out(m, k, n))
	fillSum(rng, out)
	for _, size := range s.in(m, k, n) {
		operand := make([]float32, size+size%2)[:size] // whole float64s, for SquaredNorms
		fill(rng, operand)
		in = append(in, operand)
	}
	if s.prepare != nil {
		s.prepare(in, m, k, n)
	}
	return out, in
}

// pureShapes are batches for the tests of rows: m crosses the tiles, k and n leave remainders.
func pureShapes() [][3]int {
	return [][3]int{{1, 17, 9}, {29, 45, 35}, {29, 16, 32}, {61, 100, 10}, {40, 7, 1}, {40, 300, 2}, {17, 128, 65}}
}

func TestRowsArePure(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, s := range specs() {
			if s.rows == nil {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				for _, shape := range pureShapes() {
					m, k, n := shape[0], shape[1], shape[2]
					out, in := random(s, m, k, n, rng)
					s.run(out, in, m, k, n)
					for size := 1; size < m; size++ {
						got := make([]float32, len(out))
						for from := 0; from < m; from += size {
							to := min(from+size, m)
							s.run(rowsOf(got, m, from, to), cut(in, s.rows, m, from, to), to-from, k, n)
						}
						if i := firstDifference(got, out, 0); i >= 0 {
							t.Fatalf("m=%d k=%d n=%d: in batches of %d element %d = %x, want %x", m, k, n, size, i, got[i], out[i])
						}
					}
				}
			})
		}
	})
}

// Whatever one row holds, the others keep their bits.
func TestRowsDoNotTouchTheirNeighbours(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, s := range specs() {
			if s.rows == nil || s.name == "Gather" { // whose rows are numbers
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(5, 6))
				for _, shape := range pureShapes() {
					m, k, n := shape[0], shape[1], shape[2]
					want, in := random(s, m, k, n, rng)
					s.run(want, in, m, k, n)
					for bad := range m {
						for _, v := range []float64{math.NaN(), math.Inf(1), math.MaxFloat32, 0} {
							poisoned := slices.Clone(in)
							poisoned[s.rows[0]] = slices.Clone(in[s.rows[0]])
							for i := range rowsOf(poisoned[s.rows[0]], m, bad, bad+1) {
								rowsOf(poisoned[s.rows[0]], m, bad, bad+1)[i] = float32(v)
							}
							got := make([]float32, len(want))
							s.run(got, poisoned, m, k, n)
							copy(rowsOf(got, m, bad, bad+1), rowsOf(want, m, bad, bad+1))
							if i := firstDifference(got, want, 0); i >= 0 {
								t.Fatalf("m=%d k=%d n=%d: row %d of %v changed element %d", m, k, n, bad, v, i)
							}
						}
					}
				}
			})
		}
	})
}

// Cutting the rows of a sum into calls changes no bit.
func TestChainsContinueThroughMemory(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		for _, s := range specs() {
			if s.chain == nil {
				continue
			}
			t.Run(s.name, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				for _, shape := range append(pureShapes(), [3]int{300, 70, 20}, [3]int{300, 70, 70}) {
					m, k, n := shape[0], shape[1], shape[2]
					start, in := random(s, m, k, n, rng)
					want := slices.Clone(start)
					s.run(want, in, m, k, n)
					for size := 1; size < m; size += 1 + size/8 {
						got := slices.Clone(start)
						for from := 0; from < m; from += size {
							to := min(from+size, m)
							s.run(got, cut(in, s.chain, m, from, to), to-from, k, n)
						}
						if i := firstDifference(got, want, 0); i >= 0 {
							t.Fatalf("m=%d k=%d n=%d: in batches of %d element %d = %x, want %x", m, k, n, size, i, got[i], want[i])
						}
					}
				}
			})
		}
	})
}

// A row drawn but null and a row not drawn give the same bits, wherever it stands and whatever its x.
func TestNullRowsChangeNoBit(t *testing.T) {
	const p = 45
	atEveryLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 2, 3, 10, 12, 13, 70} {
			rng := rand.New(rand.NewPCG(9, uint64(n)))
			for trial := range 20 {
				m := 1 + rng.IntN(40)
				start, d, x := make([]float32, n*p), make([]float32, m*n), make([]float32, m*p)
				if trial%2 == 0 {
					fillSum(rng, start)
				}
				fill(rng, d)
				fill(rng, x)
				null := rng.IntN(m)
				clear(rowsOf(d, m, null, null+1))
				for i := range rowsOf(x, m, null, null+1) {
					rowsOf(x, m, null, null+1)[i] = []float32{-1, -math.MaxFloat32, math.MaxFloat32, -0x1p-149, 0x1p-149}[rng.IntN(5)]
				}
				with, without := slices.Clone(start), slices.Clone(start)
				AddOuter(with, d, x, m, n, p, n, p)
				dLess := slices.Delete(slices.Clone(d), null*n, (null+1)*n)
				AddOuter(without, dLess, slices.Delete(slices.Clone(x), null*p, (null+1)*p), m-1, n, p, n, p)
				if i := firstDifference(with, without, 0); i >= 0 {
					t.Fatalf("AddOuter n=%d: null row %d of %d: element %d = %x, want %x", n, null, m, i, with[i], without[i])
				}

				with, without = slices.Clone(start[:n]), slices.Clone(start[:n])
				AddRows(with, d, m, n)
				AddRows(without, dLess, m-1, n)
				if i := firstDifference(with, without, 0); i >= 0 {
					t.Fatalf("AddRows n=%d: null row %d of %d: element %d = %x, want %x", n, null, m, i, with[i], without[i])
				}

				idx := []uint32{0, p - 1}
				SparseAddOuter(start, idx, []float32{0x1p-80, 0x1p-80}, slices.Repeat([]float32{-0x1p-80}, n), n) // underflows
				got := slices.Clone(start)
				SparseAddOuter(got, idx, []float32{-math.MaxFloat32, 0x1p-149}, make([]float32, n), n)
				if i := firstDifference(got, start, 0); i >= 0 {
					t.Fatalf("SparseAddOuter n=%d: null row: element %d = %x, want %x", n, i, got[i], start[i])
				}
			}
		}
	})
}

// A product with zero counts like any other: 0 · Inf and 0 · NaN are NaN.
func TestNothingIsSkipped(t *testing.T) {
	zeros, infs, n := make([]float32, 40), slices.Repeat([]float32{float32(math.Inf(1))}, 40), 40
	atEveryLevel(t, func(t *testing.T) {
		for name, call := range map[string]func(out []float32){
			"Product":        func(out []float32) { Product(out, zeros, infs, nil, 1, 1, n) },
			"Dots":           func(out []float32) { Dots(out, zeros, infs, nil, 1, 1, n) },
			"AddOuter":       func(out []float32) { AddOuter(out, zeros, infs, 1, 1, n, 1, n) },
			"SparseProduct":  func(out []float32) { SparseProduct(out, []uint32{0}, zeros, infs, n) },
			"SparseAddOuter": func(out []float32) { SparseAddOuter(out, []uint32{0}, zeros, infs, n) },
		} {
			out := make([]float32, n)
			call(out)
			for i, v := range out {
				if v == v {
					t.Errorf("%s of 0 and Inf: element %d = %v, want NaN", name, i, v)
				}
			}
		}
	})
}

func TestScaleRowsFlushes(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	atEveryLevel(t, func(t *testing.T) {
		for _, test := range []struct{ a, s, want float32 }{
			{nan, 0, 0}, {inf, 0, 0}, {-1, 0, 0}, {nan, 1, nan}, {inf, 0.5, inf},
			{0x1p-126, 1, 0x1p-126}, {-0x1p-126, 1, -0x1p-126}, {-0x1p-126, 0.5, 0}, {0x1.fffffcp-127, 1, 0},
			{-0x1p-149, 1, 0}, {0x1p-100, 0x1p-100, 0}, {-2, 0.25, -0.5}, {float32(math.Copysign(0, -1)), 1, 0},
		} {
			for _, k := range []int{1, 8, 16, 33} {
				a := slices.Repeat([]float32{test.a}, k)
				ScaleRows(a, []float32{test.s}, 1, k)
				if i := firstDifference(a, slices.Repeat([]float32{test.want}, k), 0); i >= 0 {
					t.Errorf("ScaleRows(%x, %x)[%d of %d] = %x, want %x", test.a, test.s, i, k, a[i], test.want)
				}
			}
		}
	})
}

// In float64, products of 7 with 1/7 and with 1/49, twice, round to 1; fused with the −1 that they meet, or in another order, they
// leave another number than 0.
func TestAdamRoundsEveryOperation(t *testing.T) {
	step := AdamStep{Keep: 1, Take: -1. / 7, KeepSquare: 1, TakeSquare: -1. / 49, Correct: 1, CorrectSquare: 1, Tiny: 1, Rate: 0x1p60, Decay: 1. / 7}
	atEveryLevel(t, func(t *testing.T) {
		// At even places the two means meet the gradient, at odd ones the move meets the decay.
		params, mean := slices.Repeat([]float32{0, 7}, 5), slices.Repeat([]float32{1, -1}, 5)
		square, gradient := slices.Repeat([]float32{1, 0}, 5), slices.Repeat([]float32{7, 0}, 5)
		Adam(params, mean, square, gradient, step)
		for name, operand := range map[string]struct{ got, want []float32 }{
			"params": {params, []float32{0, 7}}, "mean": {mean, []float32{0, -1}}, "square": {square, []float32{0, 0}},
		} {
			if want := slices.Repeat(operand.want, 5); !slices.Equal(operand.got, want) {
				t.Errorf("%s = %v, want %v", name, operand.got, want)
			}
		}
	})
}

func TestIndicesAreChecked(t *testing.T) {
	for name, call := range map[string]func(){
		"SparseProduct":  func() { SparseProduct(make([]float32, 3), []uint32{2}, []float32{1}, make([]float32, 8), 3) },
		"SparseAddOuter": func() { SparseAddOuter(make([]float32, 8), []uint32{2}, []float32{1}, make([]float32, 3), 3) },
		"SoftmaxDelta":   func() { SoftmaxDelta(make([]float32, 3), make([]float32, 3), []int32{3}, 1, 3) },
		"negative label": func() { SoftmaxDelta(make([]float32, 3), make([]float32, 3), []int32{-1}, 1, 3) },
		"Gather":         func() { Gather(make([]float32, 3), make([]float32, 8), []int32{2}, 3, 3) },
		"negative row":   func() { Gather(make([]float32, 3), make([]float32, 8), []int32{-1}, 3, 3) },
		"short a":        func() { Product(make([]float32, 4), make([]float32, 3, 4), make([]float32, 4), nil, 2, 2, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		})
	}
}

func TestKernelsDoNotAllocate(t *testing.T) {
	const m, k, n = 70, 50, 40
	a, w, z, bias := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n), make([]float32, n)
	var packed, scratch Packed
	packed.PackTransposed(w, n, k)
	scratch.Resize(k, panelWidth)
	atEveryLevel(t, func(t *testing.T) {
		for name, call := range map[string]func(){
			"Product":           func() { Product(z, a, w, bias, m, k, n) },
			"ProductPacked":     func() { ProductPacked(z, a, &packed, bias, m, k) },
			"ProductTransposed": func() { ProductTransposed(z, a, w, bias, &scratch, m, k, n, k) },
			"PackTransposed":    func() { packed.PackTransposed(w, n, k) },
			"Dots":              func() { Dots(z, a, w, bias, m, k, n) },
			"AddOuter":          func() { AddOuter(w, z, a, m, n, k, n, k) },
		} {
			if got := testing.AllocsPerRun(5, call); got != 0 {
				t.Errorf("%s allocates %v times, want 0", name, got)
			}
		}
	})
}

// TestStridesSkipWhatIsBetween compares rows that stand apart with rows that do not, at every level; what is between is NaN.
func TestStridesSkipWhatIsBetween(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	atEveryLevel(t, func(t *testing.T) {
		for range 200 {
			m, k, n, gap := rng.IntN(30), 1+rng.IntN(70), 1+rng.IntN(70), rng.IntN(20)
			src, w := make([]float32, 40*k), make([]float32, n*k)
			fill(rng, src)
			fill(rng, w)
			rows := make([]int32, m)
			for i := range rows {
				rows[i] = int32(rng.IntN(40))
			}
			near, far := make([]float32, m*k), slices.Repeat([]float32{float32(math.NaN())}, m*(k+gap))
			Gather(near, src, rows, k, k)
			Gather(far, src, rows, k, k+gap)
			for i := range rows {
				if row := far[i*(k+gap) : i*(k+gap)+k]; firstDifference(row, near[i*k:(i+1)*k], 0) >= 0 {
					t.Fatalf("Gather k=%d gap=%d: row %d is %v, want %v", k, gap, i, row, near[i*k:(i+1)*k])
				}
				for _, v := range far[i*(k+gap)+k : (i+1)*(k+gap)] {
					if v == v {
						t.Fatalf("Gather k=%d gap=%d writes between the rows", k, gap)
					}
				}
			}
			var p, scratch Packed
			p.PackTransposed(w, n, k)
			got, want := make([]float32, m*n), make([]float32, m*n)
			ProductPacked(want, near, &p, nil, m, k)
			for name, product := range map[string]func(){
				"ProductPacked":     func() { ProductPacked(got, far, &p, nil, m, k+gap) },
				"ProductTransposed": func() { ProductTransposed(got, far, w, nil, &scratch, m, k, n, k+gap) },
			} {
				clear(got)
				product()
				if i := firstDifference(got, want, 0); i >= 0 {
					t.Fatalf("%s m=%d k=%d n=%d gap=%d: element %d = %v, want %v", name, m, k, n, gap, i, got[i], want[i])
				}
			}
		}
	})
}

func ExampleDots() {
	z := make([]float32, 2)
	Dots(z, []float32{1, 2, 3, 4}, []float32{10, 1}, []float32{0.5}, 2, 2, 1)
	fmt.Println(z)
	// Output: [12.5 34.5]
}

package lattice

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// all is what p holds, in lattice steps, which it no longer does.
func (p *Products) all() []int64 {
	dst := make([]int64, len(p.sum))
	p.CollectTo(dst, 0, len(p.taken))
	return dst
}

// TestProductsRoundToNearestEven holds each addition against exact arithmetic: of the product rounded to float32, as that is what
// claim 2 takes for the row's contribution.
func TestProductsRoundToNearestEven(t *testing.T) { atEveryLevel(t, testProducts) }

func testProducts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, width := range []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 77, 127, 128, 129, 300} {
		const columns, h = 13, 0x1p-20
		l := Lattice{Step: 0x1p-35, ProductStep: h}
		p := NewProducts(l, columns, width)
		want := make([]int64, columns*width)
		for row := range 40 {
			var at []uint32
			var values []float32
			for c := range uint32(columns) {
				if random.IntN(3) == 0 {
					at, values = append(at, c), append(values, float32(math.Ldexp(random.NormFloat64(), random.IntN(30)-20)))
				}
			}
			d := make([]float32, width)
			for j := range d {
				// Halves of a step and what is around them, zeros of both signs, subnormals, and numbers of every size.
				switch random.IntN(5) {
				case 0:
					d[j] = (float32(random.IntN(9)) - 4.5) * h
				case 1:
					d[j] = math.Nextafter32((float32(random.IntN(9))-4.5)*h, 1)
				case 2:
					d[j] = float32(math.Copysign(0, float64(random.IntN(3)-1)))
				case 3:
					d[j] = math.Float32frombits(random.Uint32N(1 << 24))
				default:
					d[j] = float32(math.Ldexp(random.NormFloat64(), random.IntN(20)-22))
				}
			}
			if row%4 == 0 {
				for i := range values {
					values[i] = 1 // halves stay halves
				}
			}
			for i := range values { // at most 2²⁴ steps
				for j := range d {
					if math.Abs(float64(values[i])*float64(d[j])) > 16 {
						d[j] = 0
					}
				}
			}
			p.Add(at, values, d)
			for i, c := range at {
				for j, x := range d {
					want[int(c)*width+j] += nearestEven(values[i]*x, 20) << 15
				}
			}
		}
		if got := p.all(); !slices.Equal(got, want) {
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("width %d: coordinate %d is %d, want %d", width, i, got[i], want[i])
				}
			}
		}
		if slices.ContainsFunc(p.all(), func(v int64) bool { return v != 0 }) {
			t.Fatalf("width %d: carrying leaves something", width)
		}
	}
}

// TestProductsNeverOverflow adds the largest products there are, of either sign, and others, to four of five columns: more than an int32
// holds, and each column at other times.
func TestProductsNeverOverflow(t *testing.T) { atEveryLevel(t, testFullColumns) }

func testFullColumns(t *testing.T) {
	const rows, columns, width = 3000, 5, 20
	p := NewProducts(Lattice{Step: 0x1p-38, ProductStep: 0x1p-24}, columns, width)
	ones := slices.Repeat([]float32{1}, width)
	for step := range 3 {
		var want [columns]int64
		for row := range rows - step {
			at, values := []uint32{0, 1}, []float32{1, float32(row%4)*0.3 - 0.5} // the latter leaves a rest
			if row%2 == 0 {
				at, values = append(at, 2), append(values, -1)
			}
			if row%5 > 0 {
				at, values = append(at, 3), append(values, 1)
			}
			p.Add(at, values, ones)
			for i, c := range at {
				want[c] += int64(math.RoundToEven(float64(values[i])*0x1p24)) << 14
			}
		}
		for j, v := range p.all() {
			if v != want[j/width] {
				t.Fatalf("step %d: coordinate %d is %d, want %d", step, j, v, want[j/width])
			}
		}
	}
}

// TestProductsDoNotDependOnTheirOrder adds rows in two orders, collected at other times.
func TestProductsDoNotDependOnTheirOrder(t *testing.T) { atEveryLevel(t, testOrder) }

func testOrder(t *testing.T) {
	const rows, columns, width = 1000, 4, 33
	random := rand.New(rand.NewPCG(7, 8))
	d := make([][]float32, rows)
	for i := range d {
		d[i] = make([]float32, width)
		for j := range d[i] {
			d[i][j] = float32(random.NormFloat64() * 0.2)
		}
	}
	l := Lattice{Step: 0x1p-30, ProductStep: 0x1p-24}
	one := NewProducts(l, columns, width)
	other := NewProducts(l, columns, width)
	carried := make([]int64, columns*width)
	for i := range d {
		one.Add([]uint32{0, 3}, []float32{1, 0.5}, d[i])
		other.Add([]uint32{0, 3}, []float32{1, 0.5}, d[rows-1-i])
		if i%100 == 7 {
			other.CollectTo(carried, 0, columns)
		}
	}
	for i, v := range other.all() {
		carried[i] += v
	}
	if !slices.Equal(one.all(), carried) {
		t.Error("another order gives another sum")
	}
}

// TestWidenIsItsLoopAtEveryLevel takes every length, and sees that what is around stays.
func TestWidenIsItsLoopAtEveryLevel(t *testing.T) { atEveryLevel(t, testWiden) }

func testWiden(t *testing.T) {
	const fence = 16
	random := rand.New(rand.NewPCG(9, 10))
	for n := range 258 {
		for _, shift := range []int{0, 1, 31, 55} {
			dst, src := awkwardIntegers(n+2*fence, random), make([]int32, n+2*fence)
			for j := range src {
				src[j] = int32(random.Uint32())
			}
			wantDst, wantSrc := slices.Clone(dst), slices.Clone(src)
			for j := fence; j < n+fence; j++ {
				wantDst[j] += int64(wantSrc[j]) << shift
				wantSrc[j] = 0
			}
			addWide(dst[fence:][:n], src[fence:][:n], shift)
			if !slices.Equal(dst, wantDst) || !slices.Equal(src, wantSrc) {
				t.Fatalf("length %d, shift %d: adds up to %d, leaves %d, want %d, %d", n, shift, dst, src, wantDst, wantSrc)
			}
		}
	}
}

// TestRoundedProductsAreNoLongerThanClaimed is what claim 2 says of a row: the integers of a product of norm C are at most
// C + √S·h/2 long, for the worst coordinates, which all round up.
func TestRoundedProductsAreNoLongerThanClaimed(t *testing.T) {
	const width = 4000
	l, err := Choose(Demand{Params: width, Products: width, Slots: 1000, MaxDrawn: 1, Bound: 1, NoiseMultiplier: 1})
	if err != nil {
		t.Fatal(err)
	}
	// 3999 coordinates just above half a step, and one that makes the norm C.
	half := math.Nextafter32(float32(l.ProductStep/2), 1)
	d := slices.Repeat([]float32{half}, width)
	d[0] = float32(math.Sqrt(1-float64(width-1)*float64(half)*float64(half))) * (1 - 0x1p-23)
	p := NewProducts(l, 1, width)
	p.Add([]uint32{0}, []float32{1}, d)
	square := new(big.Int)
	for _, v := range p.all() {
		x := big.NewInt(v)
		square.Add(square, x.Mul(x, x))
	}
	root := new(big.Float).SetPrec(200).SetInt(square)
	norm, _ := root.Sqrt(root).Float64()
	if norm *= l.Step; norm > 1+l.Eta || norm <= 1-0x1p-22 {
		t.Errorf("norm is %v, want at most %v and about 1", norm, 1+l.Eta)
	}
}

func TestProductsPanic(t *testing.T) {
	for name, call := range map[string]func(p *Products){
		"values":            func(p *Products) { p.Add([]uint32{1, 2}, []float32{1}, make([]float32, 3)) },
		"width":             func(p *Products) { p.Add([]uint32{1}, []float32{1}, make([]float32, 4)) },
		"a column twice":    func(p *Products) { p.Add([]uint32{1, 1}, []float32{1, 1}, make([]float32, 3)) },
		"out of order":      func(p *Products) { p.Add([]uint32{2, 1}, []float32{1, 1}, make([]float32, 3)) },
		"a column too many": func(p *Products) { p.Add([]uint32{5}, []float32{1}, make([]float32, 3)) },
		"collected too far": func(p *Products) { p.CollectTo(make([]int64, 6), 4, 6) },
		"no whole columns":  func(p *Products) { p.CollectTo(make([]int64, 4), 0, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			p := NewProducts(Lattice{Step: 1, ProductStep: 1}, 5, 3)
			call(p)
		}()
	}
}

// BenchmarkProducts adds rows of 12 of 4096 columns.
func BenchmarkProducts(b *testing.B) {
	const columns, nonzeros = 4096, 12
	for _, width := range []int{1, 10, 77} {
		random := rand.New(rand.NewPCG(1, 2))
		p := NewProducts(Lattice{Step: 0x1p-38, ProductStep: 0x1p-24}, columns, width)
		at, values, d := make([]uint32, nonzeros<<12), slices.Repeat([]float32{0.3}, nonzeros), slices.Repeat([]float32{0.01}, width)
		for i := range at {
			at[i] = uint32(i%nonzeros*(columns/nonzeros) + random.IntN(columns/nonzeros))
		}
		b.Run("width="+big.NewInt(int64(width)).String(), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i = (i + 1) % (1 << 12) {
				p.Add(at[i*nonzeros:(i+1)*nonzeros], values, d)
			}
		})
	}
}

package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"unsafe"
)

// multiplyAdd is x·y + c as the active level rounds it.
func multiplyAdd(x, y, c float32) float32 {
	if active == generic {
		return float32(x*y) + c
	}
	return fma(x, y, c)
}

// fma rounds x·y + c once. The product is exact in float64; the sum is rounded to odd there, which makes the second rounding
// harmless (Boldo and Melquiond 2008, "Emulation of a FMA and correctly rounded sums", theorem 1).
func fma(x, y, c float32) float32 {
	p, q := float64(x)*float64(y), float64(c)
	s := p + q
	if math.IsInf(s, 0) || math.IsNaN(s) {
		return float32(s)
	}
	v := s - p
	rest := (p - (s - v)) + (q - v)
	if rest != 0 && math.Float64bits(s)&1 == 0 {
		s = math.Nextafter(s, math.Inf(int(math.Copysign(1, rest))))
	}
	return float32(s)
}

// closed ends a chain as the active level does.
func closed(sum float32) float32 {
	if active == generic {
		return sum
	}
	return sum + 0
}

// A spec is a kernel under test: the sizes of its operands for dimensions m, k, n, the call, and its documented loop.
type spec struct {
	name string
	out  func(m, k, n int) int
	in   func(m, k, n int) []int
	run  func(out []float32, in [][]float32, m, k, n int)
	loop func(out []float32, in [][]float32, m, k, n int)
	// prepare turns random inputs into valid ones; may be nil.
	prepare func(in [][]float32, m, k, n int)
	// rows lists the inputs that have m rows, for a kernel whose output has m rows that depend on theirs alone.
	rows []int
	// chain lists the inputs that have m rows, for a kernel that sums over them into its output.
	chain []int
	// inexact allows the result to differ from the loop by this many float32 ulp, plus 1e-35; 0 asks for the same bits.
	inexact float64
}

// as views float32 memory as another 4- or 8-byte type.
func as[T int32 | uint32 | float64](s []float32) []T {
	var zero T
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&s[0])), len(s)*4/int(unsafe.Sizeof(zero)))
}

func specs() []spec {
	return slices.Concat(productSpecs(), sumSpecs(), rowSpecs(), optimizerSpecs())
}

func productSpecs() []spec {
	out := func(m, k, n int) int { return m * n }
	in := func(m, k, n int) []int { return []int{m * k, k * n, n} }
	loop := func(out []float32, in [][]float32, m, k, n int) { productLoop(out, in[0], in[1], in[2], m, k, n) }
	return []spec{{
		name: "Product", out: out, in: in, rows: []int{0}, loop: loop,
		run: func(out []float32, in [][]float32, m, k, n int) { Product(out, in[0], in[1], in[2], m, k, n) },
	}, {
		name: "Product without bias", out: out, in: in, rows: []int{0},
		run: func(out []float32, in [][]float32, m, k, n int) { Product(out, in[0], in[1], nil, m, k, n) },
		loop: func(out []float32, in [][]float32, m, k, n int) {
			productLoop(out, in[0], in[1], make([]float32, n), m, k, n)
		},
	}, {
		name: "ProductPacked", out: out, in: in, rows: []int{0},
		run: func(out []float32, in [][]float32, m, k, n int) {
			var p Packed
			p.PackTransposed(in[1], n, k)
			ProductPacked(out, in[0], &p, in[2], m, k)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			b := make([]float32, k*n)
			transposeLoop(b, in[1], n, k)
			productLoop(out, in[0], b, in[2], m, k, n)
		},
	}, {
		name: "ProductTransposed", out: out, in: in, rows: []int{0},
		run: func(out []float32, in [][]float32, m, k, n int) {
			var p Packed
			ProductTransposed(out, in[0], in[1], in[2], &p, m, k, n, k)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			b := make([]float32, k*n)
			transposeLoop(b, in[1], n, k)
			productLoop(out, in[0], b, in[2], m, k, n)
		},
	}, {
		name: "Dots", out: out, in: in, rows: []int{0},
		run: func(out []float32, in [][]float32, m, k, n int) { Dots(out, in[0], in[1], in[2], m, k, n) },
		loop: func(out []float32, in [][]float32, m, k, n int) {
			dotsLoop(out, in[0], in[1], in[2], m, k, n)
		},
	}, {
		name: "Dots without bias", out: out, in: in, rows: []int{0},
		run: func(out []float32, in [][]float32, m, k, n int) { Dots(out, in[0], in[1], nil, m, k, n) },
		loop: func(out []float32, in [][]float32, m, k, n int) {
			dotsLoop(out, in[0], in[1], make([]float32, n), m, k, n)
		},
	}}
}

func productLoop(dst, a, b, bias []float32, m, k, n int) {
	for i := range m {
		for j := range n {
			sum := bias[j]
			for t := range k {
				sum = multiplyAdd(a[i*k+t], b[t*n+j], sum)
			}
			dst[i*n+j] = closed(sum)
		}
	}
}

func dotsLoop(dst, a, w, bias []float32, m, k, n int) {
	for i := range m {
		for j := range n {
			var lane [16]float32
			for t := range k {
				lane[t%16] = multiplyAdd(a[i*k+t], w[j*k+t], lane[t%16])
			}
			for h := 8; h > 0; h /= 2 {
				for l := range h {
					lane[l] += lane[l+h]
				}
			}
			dst[i*n+j] = (lane[0] + 0) + bias[j]
		}
	}
}

func transposeLoop(dst, src []float32, rows, cols int) {
	for i := range rows {
		for j := range cols {
			dst[j*rows+i] = src[i*cols+j]
		}
	}
}

// outerLoop is the loop of AddOuter.
func outerLoop(out []float32, in [][]float32, m, k, n, dRow, xRow int) {
	for j := range n {
		for t := range k {
			for i := range m {
				out[j*k+t] = multiplyAdd(in[0][i*dRow+j], in[1][i*xRow+t], out[j*k+t])
			}
			if m > 0 {
				out[j*k+t] = closed(out[j*k+t])
			}
		}
	}
}

// sumSpecs are the kernels that add to what they find. In theirs, m counts rows or nonzeros.
func sumSpecs() []spec {
	const columns = 7 // of the sparse matrix
	nonzeros := func(in [][]float32, m, k, n int) {
		for t, v := range as[uint32](in[0]) {
			as[uint32](in[0])[t] = v % columns
		}
	}
	return []spec{{
		name: "AddOuter", chain: []int{0, 1},
		out:  func(m, k, n int) int { return n * k },
		in:   func(m, k, n int) []int { return []int{m * n, m * k} },
		run:  func(out []float32, in [][]float32, m, k, n int) { AddOuter(out, in[0], in[1], m, n, k, n, k) },
		loop: func(out []float32, in [][]float32, m, k, n int) { outerLoop(out, in, m, k, n, n, k) },
	}, {
		name: "AddOuter of wider rows",
		out:  func(m, k, n int) int { return n * k },
		in:   func(m, k, n int) []int { return []int{max(0, (m-1)*(n+3)+n), max(0, (m-1)*(k+5)+k)} },
		run:  func(out []float32, in [][]float32, m, k, n int) { AddOuter(out, in[0], in[1], m, n, k, n+3, k+5) },
		loop: func(out []float32, in [][]float32, m, k, n int) { outerLoop(out, in, m, k, n, n+3, k+5) },
	}, {
		name: "AddRows", chain: []int{0},
		out: func(m, k, n int) int { return n },
		in:  func(m, k, n int) []int { return []int{m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) { AddRows(out, in[0], m, n) },
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i := range m {
				for j := range n {
					out[j] += in[0][i*n+j]
				}
			}
		},
	}, {
		name: "SparseProduct", chain: []int{0, 1}, prepare: nonzeros,
		out: func(m, k, n int) int { return n },
		in:  func(m, k, n int) []int { return []int{m, m, columns * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			SparseProduct(out, as[uint32](in[0]), in[1], in[2], n)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for j := range n {
				for t, row := range as[uint32](in[0]) {
					out[j] = multiplyAdd(in[1][t], in[2][int(row)*n+j], out[j])
				}
				if m > 0 {
					out[j] = closed(out[j])
				}
			}
		},
	}, {
		name: "SparseAddOuter", chain: []int{0, 1}, prepare: nonzeros,
		out: func(m, k, n int) int { return columns * n },
		in:  func(m, k, n int) []int { return []int{m, m, n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			SparseAddOuter(out, as[uint32](in[0]), in[1], in[2], n)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for t, row := range as[uint32](in[0]) {
				for j := range n {
					out[int(row)*n+j] = closed(multiplyAdd(in[1][t], in[2][j], out[int(row)*n+j]))
				}
			}
		},
	}}
}

// rowSpecs are the kernels without products of matrices.
func rowSpecs() []spec {
	const gain = 0.75
	matrix := func(m, k, n int) int { return m * n }
	labels := func(in [][]float32, m, k, n int) {
		for i, v := range as[uint32](in[1]) {
			as[uint32](in[1])[i] = v % uint32(max(n, 1))
		}
	}
	return []spec{{
		name: "SquaredNorms", rows: []int{0},
		out: func(m, k, n int) int { return 2 * m },
		in:  func(m, k, n int) []int { return []int{m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) { SquaredNorms(as[float64](out), in[0], m, n) },
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i := range m {
				var lane [16]float64
				for t, v := range in[0][i*n : (i+1)*n] {
					lane[t%16] += float64(v) * float64(v)
				}
				for h := 8; h > 0; h /= 2 {
					for l := range h {
						lane[l] += lane[l+h]
					}
				}
				as[float64](out)[i] = lane[0]
			}
		},
	}, {
		name: "ScaleRows", rows: []int{0, 1}, out: matrix,
		in: func(m, k, n int) []int { return []int{m, m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			copy(out, in[1])
			ScaleRows(out, in[0], m, n)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i := range out {
				s := in[0][i/n]
				out[i] = in[1][i] * s
				if s == 0 || math.Abs(float64(out[i])) < 0x1p-126 {
					out[i] = 0
				}
			}
		},
	}, {
		name: "Gather", rows: []int{0}, out: matrix,
		in: func(m, k, n int) []int { return []int{m, 5 * n} },
		prepare: func(in [][]float32, m, k, n int) {
			for i, v := range as[uint32](in[0]) {
				as[uint32](in[0])[i] = v % 5
			}
		},
		run: func(out []float32, in [][]float32, m, k, n int) {
			rows := make([]int32, m)
			for i, v := range as[uint32](in[0]) {
				rows[i] = int32(v)
			}
			Gather(out, in[1], rows, n, n)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i := range out {
				out[i] = in[1][int(as[uint32](in[0])[i/n])*n+i%n]
			}
		},
	}, {
		name: "transpose", out: matrix,
		in:   func(m, k, n int) []int { return []int{m * n} },
		run:  func(out []float32, in [][]float32, m, k, n int) { transpose(out, in[0], m, n, m) },
		loop: func(out []float32, in [][]float32, m, k, n int) { transposeLoop(out, in[0], m, n) },
	}, {
		name: "Tanh", rows: []int{0}, out: matrix, inexact: 2.5,
		in: func(m, k, n int) []int { return []int{m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			copy(out, in[0])
			Tanh(out, gain)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i, v := range in[0] {
				out[i] = float32(gain * math.Tanh(float64(v)))
			}
		},
	}, {
		name: "TanhBackward", rows: []int{0, 1}, out: matrix,
		in: func(m, k, n int) []int { return []int{m * n, m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			copy(out, in[0])
			TanhBackward(out, in[1], gain)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i, d := range in[0] {
				t := float32(in[1][i] * (1 / float32(gain)))
				out[i] = d * (gain * ((1 - t) * (1 + t)))
			}
		},
	}, {
		name: "Relu", rows: []int{0}, out: matrix,
		in: func(m, k, n int) []int { return []int{m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			copy(out, in[0])
			Relu(out, gain)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i, v := range in[0] {
				if v < 0 {
					v = 0
				}
				out[i] = v * gain
			}
		},
	}, {
		name: "ReluBackward", rows: []int{0, 1}, out: matrix,
		in: func(m, k, n int) []int { return []int{m * n, m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			copy(out, in[0])
			ReluBackward(out, in[1], gain)
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i, d := range in[0] {
				out[i] = d * gain
				if in[1][i] <= 0 {
					out[i] = 0
				}
			}
		},
	}, {
		name: "SoftmaxDelta", rows: []int{0, 1}, out: matrix, prepare: labels, inexact: 91, // 4 + 87: see TestSoftmaxDeltaIsAccurate
		in: func(m, k, n int) []int { return []int{m * n, m} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			if n > 0 {
				SoftmaxDelta(out, in[0], as[int32](in[1]), m, n)
			}
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i := range out {
				row, label := in[0][i/n*n:(i/n+1)*n], int(as[int32](in[1])[i/n])
				top := float64(slices.Max(row))
				var all, rest float64
				for j, v := range row {
					e := math.Exp(float64(v) - top)
					all += e
					if j != label {
						rest += e
					}
				}
				out[i] = float32(math.Exp(float64(row[i%n])-top) / all)
				if i%n == label {
					out[i] = float32(-rest / all)
				}
			}
		},
	}, {
		name: "SigmoidDelta", rows: []int{0, 1}, out: matrix, inexact: 4,
		prepare: func(in [][]float32, m, k, n int) { labels(in, m, k, 2) },
		in:      func(m, k, n int) []int { return []int{m * n, m * n} },
		run: func(out []float32, in [][]float32, m, k, n int) {
			SigmoidDelta(out, in[0], as[int32](in[1]))
		},
		loop: func(out []float32, in [][]float32, m, k, n int) {
			for i, z := range in[0] {
				if as[int32](in[1])[i] == 0 {
					out[i] = float32(1 / (1 + math.Exp(-float64(z))))
				} else {
					out[i] = float32(-1 / (1 + math.Exp(float64(z))))
				}
			}
		},
	}}
}

// optimizerSpecs are the kernels that move several operands at once: a spec for each operand that they move.
func optimizerSpecs() []spec {
	const keep, take, rate, decay, share = 0.9, 0.1, 0.3, 0.01, 0.3
	step := AdamStep{Keep: 0.9, Take: 0.1, KeepSquare: 0.999, TakeSquare: 0.001, Correct: 0.3, CorrectSquare: 0.003, Tiny: 1e-8, Rate: 0.2, Decay: 0.01}
	square := func(in [][]float32, m, k, n int) {
		for i, v := range in[2] {
			in[2][i] = v * v
		}
	}
	var all []spec
	for _, o := range []struct {
		name      string
		moved     []string // operands, the first
		operands  int
		prepare   func(in [][]float32, m, k, n int)
		run, loop func(operands [][]float32)
	}{{
		name: "HeavyBall", moved: []string{"params", "velocity"}, operands: 3,
		run: func(o [][]float32) { HeavyBall(o[0], o[1], o[2], keep, take, rate, decay) },
		loop: func(o [][]float32) {
			for i, g := range o[2] {
				o[1][i] = float32(keep*o[1][i]) + float32(take*g)
				o[0][i] -= float32(rate*o[1][i]) + float32(decay*o[0][i])
			}
		},
	}, {
		name: "Adam", moved: []string{"params", "mean", "square"}, operands: 4, prepare: square,
		run: func(o [][]float32) { Adam(o[0], o[1], o[2], o[3], step) },
		loop: func(o [][]float32) {
			for i := range o[0] {
				w, m, v, g := float64(o[0][i]), float64(o[1][i]), float64(o[2][i]), float64(o[3][i])
				m = float64(step.Keep*m) + float64(step.Take*g)
				v = float64(step.KeepSquare*v) + float64(step.TakeSquare*g*g)
				move := m/step.Correct/(math.Sqrt(v/step.CorrectSquare)+step.Tiny) + float64(step.Decay*w)
				o[0][i], o[1][i], o[2][i] = o[0][i]-float32(step.Rate*move), float32(m), float32(v)
			}
		},
	}, {
		name: "RunningMean", moved: []string{"mean"}, operands: 2,
		run: func(o [][]float32) { RunningMean(o[0], o[1], share) },
		loop: func(o [][]float32) {
			for i, x := range o[1] {
				o[0][i] += float32((x - o[0][i]) * share)
			}
		},
	}} {
		rows := []int{0, 1, 2, 3}[:o.operands]
		for moved, name := range o.moved {
			// on runs f on copies of what it moves, but on out for the operand that is looked at.
			on := func(f func(operands [][]float32)) func(out []float32, in [][]float32, m, k, n int) {
				return func(out []float32, in [][]float32, m, k, n int) {
					copy(out, in[moved])
					operands := slices.Clone(in)
					for i := range o.moved {
						operands[i] = slices.Clone(in[i])
					}
					operands[moved] = out
					f(operands)
				}
			}
			all = append(all, spec{
				name: o.name + " of " + name, rows: rows, prepare: o.prepare, run: on(o.run), loop: on(o.loop),
				out: func(m, k, n int) int { return m * n },
				in:  func(m, k, n int) []int { return slices.Repeat([]int{m * n}, o.operands) },
			})
		}
	}
	return all
}

// fill draws values that make roundings, underflow and signed zeros frequent.
func fill(rng *rand.Rand, s []float32) {
	for i := range s {
		s[i] = float32(rng.NormFloat64())
		switch rng.IntN(10) {
		case 0:
			s[i] = 0
		case 1:
			s[i] = float32(math.Copysign(0, -1))
		case 2:
			s[i] *= 0x1p-80
		case 3:
			s[i] *= 0x1p10
		}
	}
}

// fillSum draws values that a sum may hold: no −0.
func fillSum(rng *rand.Rand, s []float32) {
	fill(rng, s)
	for i := range s {
		s[i] += 0
	}
}

package main

import (
	"math"
	"math/bits"

	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A span is a number of elements cut into blocks of vectors.
type span struct {
	whole, rest reg.GPVirtual // blocks, and elements beyond them
	masks       []mask        // of the vectors of the rest
}

// span cuts n elements into blocks of a number of vectors.
func (v isa) span(n reg.Register, vectors int) span {
	s := span{whole: v.GP64(), rest: v.GP64()}
	block := uint64(vectors * v.lanes)
	v.MOVQ(n, s.whole)
	v.SHRQ(Imm(uint64(bits.TrailingZeros64(block))), s.whole)
	v.MOVQ(n, s.rest)
	v.ANDQ(Imm(block-1), s.rest)
	s.masks = v.masks(s.rest, 0, vectors)
	return s
}

// sweep emits a loop over the blocks of s; at points to the current ones, and ends up at the rest. The body is emitted for each
// vector of a block, i, and again with masks.
func (v isa) sweep(name string, s span, at []reg.GPVirtual, body func(i int, m mask)) {
	left := v.GP64()
	v.MOVQ(s.whole, left)
	v.TESTQ(left, left)
	v.JZ(LabelRef(name + "Rest"))
	v.Label(name)
	for i := range s.masks {
		body(i, mask{})
	}
	for _, p := range at {
		v.ADDQ(Imm(uint64(len(s.masks)*v.bytes())), p)
	}
	v.DECQ(left)
	v.JNZ(LabelRef(name))
	v.Label(name + "Rest")
	v.TESTQ(s.rest, s.rest)
	v.JZ(LabelRef(name + "Done"))
	for i, m := range s.masks {
		body(i, m)
	}
	v.Label(name + "Done")
}

// Predicates of VCMPPS: false and true on NaN.
const (
	equal          = 0x00 // EQ_OQ
	notEqual       = 0x04 // NEQ_UQ
	lessThan       = 0x11 // LT_OQ
	notLessThan    = 0x15 // NLT_UQ
	notLessOrEqual = 0x16 // NLE_UQ
)

// keep sets the lanes of r to +0 in which "x predicate y" is false.
func (v isa) keep(r, x reg.Register, predicate uint64, y Op) {
	if v.lanes == 16 {
		k := v.K()
		v.VCMPPS(Imm(predicate), y, x, k)
		v.VMOVUPS_Z(r, k, r)
		return
	}
	m := v.reg()
	v.VCMPPS(Imm(predicate), y, x, m)
	v.VANDPS(m, r, r)
}

// replace sets the lanes of r to those of other in which "x predicate y" is true.
func (v isa) replace(r, other, x reg.Register, predicate uint64, y Op) {
	if v.lanes == 16 {
		k := v.K()
		v.VCMPPS(Imm(predicate), y, x, k)
		v.VMOVUPS(other, k, r)
		return
	}
	m := v.reg()
	v.VCMPPS(Imm(predicate), y, x, m)
	v.VBLENDVPS(m, other, r, r)
}

const signBit = 1 << 31

// scaleRows emits the scaling of rows with subnormals flushed.
func scaleRows(v isa) {
	v.function("scaleRows", "func(a, s *float32, rows, k int)", "is the loop of ScaleRows for rows > 0.")
	a, s, rows, row := v.param("a"), v.param("s"), v.param("rows"), v.span(v.param("k"), 1)
	magnitude, smallest := v.bits(signBit-1), v.constant(0x1p-126)
	v.Label("rows")
	scale, keep := v.reg(), v.reg()
	v.VBROADCASTSS(Mem{Base: s}, scale)
	v.notZero(s, keep)
	v.sweep("elements", row, []reg.GPVirtual{a}, func(_ int, m mask) {
		x, size := v.reg(), v.reg()
		v.load(Mem{Base: a}, m, x)
		v.VANDPS(keep, x, x) // NaN · 0 shall be 0
		v.VMULPS(scale, x, x)
		v.VANDPS(magnitude, x, size)
		v.keep(x, size, notLessThan, smallest)
		v.store(x, m, Mem{Base: a})
	})
	v.advance(a, row.rest, 1)
	v.ADDQ(Imm(4), s)
	v.DECQ(rows)
	v.JNZ(LabelRef("rows"))
	v.done()
}

// notZero sets every bit of r if the float32 at p is not ±0, else none.
func (v isa) notZero(p reg.Register, r reg.VecVirtual) {
	word, all := v.GP32(), v.GP32()
	v.MOVL(Mem{Base: p}, word)
	v.SHLL(Imm(1), word)
	v.NEGL(word) // carry: word was not 0
	v.SBBL(all, all)
	x := v.XMM()
	v.VMOVD(all, x)
	v.VBROADCASTSS(x, r)
}

// relu emits the replacement of negative elements by zero.
func relu(v isa) {
	v.function("relu", "func(y *float32, n int, gain float32)", "is the loop of Relu.")
	y, n, zero := v.param("y"), v.param("n"), v.zero()
	gain := v.broadcastParam("gain")
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{y}, func(_ int, m mask) {
		x := v.reg()
		v.load(Mem{Base: y}, m, x)
		v.VMAXPS(x, zero, x) // the second operand, x, if either is NaN or both are zeros
		v.VMULPS(gain, x, x)
		v.store(x, m, Mem{Base: y})
	})
	v.done()
}

// reluBackward emits the derivative of relu.
func reluBackward(v isa) {
	v.function("reluBackward", "func(d, y *float32, n int, gain float32)", "is the loop of ReluBackward.")
	d, y, n, zero := v.param("d"), v.param("y"), v.param("n"), v.zero()
	gain := v.broadcastParam("gain")
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{d, y}, func(_ int, m mask) {
		x, out := v.reg(), v.reg()
		v.load(Mem{Base: y}, m, x)
		v.load(Mem{Base: d}, m, out)
		v.keep(out, x, notLessOrEqual, zero)
		v.VMULPS(gain, out, out)
		v.store(out, m, Mem{Base: d})
	})
	v.done()
}

// tanhBackward emits the derivative of tanh.
func tanhBackward(v isa) {
	v.function("tanhBackward", "func(d, y *float32, n int, gain float32)", "is the loop of TanhBackward.")
	d, y, n := v.param("d"), v.param("y"), v.param("n")
	one := v.held(1)
	gain, inverse := v.broadcastParam("gain"), v.reg()
	v.VDIVPS(gain, one, inverse)
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{d, y}, func(_ int, m mask) {
		t, minus, x := v.reg(), v.reg(), v.reg()
		v.load(Mem{Base: y}, m, t)
		v.VMULPS(inverse, t, t)
		v.VSUBPS(t, one, minus)
		v.VADDPS(t, one, t)
		v.VMULPS(minus, t, t)
		v.VMULPS(gain, t, t)
		v.load(Mem{Base: d}, m, x)
		v.VMULPS(t, x, x)
		v.store(x, m, Mem{Base: d})
	})
	v.done()
}

// broadcastParam loads a float32 argument into every lane.
func (v isa) broadcastParam(name string) reg.VecVirtual {
	x, r := v.XMM(), v.reg()
	v.Load(v.Param(name), x)
	v.VBROADCASTSS(x, r)
	return r
}

// broadcastDouble loads a float64 argument into every lane.
func (v isa) broadcastDouble(name string) reg.VecVirtual {
	x, r := v.XMM(), v.reg()
	v.Load(v.Param(name), x)
	v.VBROADCASTSD(x, r)
	return r
}

// tanh emits gain·tanh.
func tanh(v isa) {
	v.function("tanh", "func(y *float32, n int, gain float32)", "is the loop of Tanh.")
	y, n, gain := v.param("y"), v.param("n"), v.broadcastParam("gain")
	one, two, large := v.held(1), v.held(2), v.held(10)
	sign, small := v.bits(signBit), v.constant(0.625)
	exp := v.newExp()
	// tanh(x)/x − 1 over x², interpolated at the Chebyshev nodes of x² in [0, 0.625²]: relative error below 2⁻²⁷.
	odd := v.constants(-0x1.555556p-2, 0x1.1110eap-3, -0x1.ba08c4p-5, 0x1.64a976p-6, -0x1.116a16p-7, 0x1.2c83cp-9)
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{y}, func(_ int, m mask) {
		x, size, signs := v.reg(), v.reg(), v.reg()
		v.load(Mem{Base: y}, m, x)
		v.VANDPS(sign, x, signs)
		v.VXORPS(signs, x, size)

		// Large: ±(1 − 2/(exp(2|x|) + 1)); above 10 it is ±1.
		e := v.reg()
		v.VMINPS(size, large, e) // the second operand, size, if it is NaN
		v.VADDPS(e, e, e)
		v.exp(exp, e)
		v.VADDPS(one, e, e)
		v.VDIVPS(e, two, e)
		v.VSUBPS(e, one, e)
		v.VORPS(signs, e, e)

		// Small: x + x³·p(x²).
		square, p := v.reg(), v.reg()
		v.VMULPS(x, x, square)
		v.horner(p, square, odd)
		v.VMULPS(x, square, square)
		v.VFMADD213PS(x, square, p)

		v.replace(e, p, size, lessThan, small)
		v.VMULPS(gain, e, e)
		v.store(e, m, Mem{Base: y})
	})
	v.done()
}

// constants is a constant for each x.
func (v isa) constants(x ...float32) []Op {
	r := make([]Op, len(x))
	for i := range x {
		r[i] = v.constant(x[i])
	}
	return r
}

// horner sets p to c[0] + c[1]·x + c[2]·x² + ….
func (v isa) horner(p, x reg.VecVirtual, c []Op) {
	v.VMOVUPS(c[len(c)-1], p)
	for i := len(c) - 2; i >= 0; i-- {
		v.VFMADD213PS(c[i], x, p)
	}
}

// expConstants are the registers that exp needs.
type expConstants struct {
	lowest, shift             reg.VecVirtual
	log2e, ln2, ln2Rest, bias Op
	p                         []Op
}

func (v isa) newExp() expConstants {
	return expConstants{
		lowest:  v.held(-87),
		log2e:   v.constant(math.Log2E),
		shift:   v.held(0x1.8p23),
		ln2:     v.constant(0x1.62e43p-1),
		ln2Rest: v.constant(-0x1.05c61p-29),
		bias:    v.bits(127 << 23),
		// exp(r) = 1 + r + r²·q(r), q interpolated at the Chebyshev nodes of |r| <= 1.01·ln(2)/2: relative error below 2⁻²⁶.
		p: v.constants(1, 1, 0.5, 0x1.5554d8p-3, 0x1.555516p-5, 0x1.12106cp-7, 0x1.6d1606p-10),
	}
}

// exp replaces x <= 88 by exp(max(x, −87)), within 1 ulp. NaN stays NaN.
func (v isa) exp(c expConstants, x reg.VecVirtual) {
	v.VMAXPS(x, c.lowest, x) // the second operand, x, if it is NaN
	n, r, p := v.reg(), v.reg(), v.reg()
	// Adding 1.5·2²³ leaves the nearest integer to x·log₂(e) in the last bits.
	v.VMOVAPS(x, n)
	v.VFMADD132PS(c.log2e, c.shift, n)
	v.VSUBPS(c.shift, n, r)
	v.VFNMADD231PS(c.ln2, r, x)
	v.VFNMADD231PS(c.ln2Rest, r, x)
	v.horner(p, x, c.p)
	v.VPSLLD(Imm(23), n, n)
	v.VPADDD(c.bias, n, n)
	v.VMULPS(n, p, x)
}

// sigmoidDelta emits the gradient of the cross-entropy of one logit.
func sigmoidDelta(v isa) {
	v.function("sigmoidDelta", "func(delta, logits *float32, labels *int32, n int)", "is the loop of SigmoidDelta.")
	delta, logits, labels, n := v.param("delta"), v.param("logits"), v.param("labels"), v.param("n")
	one, highest, sign := v.held(1), v.held(87), v.bits(signBit)
	exp := v.newExp()
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{delta, logits, labels}, func(_ int, m mask) {
		// With label 1 the sign of the logit and of the result is turned; minus is −z or z.
		flip, minus := v.reg(), v.reg()
		v.load(Mem{Base: labels}, m, flip)
		v.VPSLLD(Imm(31), flip, flip)
		v.load(Mem{Base: logits}, m, minus)
		v.VXORPS(flip, minus, minus)
		v.VXORPS(sign, minus, minus)
		v.VMINPS(minus, highest, minus) // the second operand, minus, if it is NaN
		v.exp(exp, minus)
		v.VADDPS(one, minus, minus)
		v.VDIVPS(minus, one, minus)
		v.VXORPS(flip, minus, minus)
		v.store(minus, m, Mem{Base: delta})
	})
	v.done()
}

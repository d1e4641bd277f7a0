package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A file is the assembly under construction and its static data.
type file struct {
	*build.Context
	data map[string]Mem
}

// An isa is an instruction set: the size of its vectors, and how it masks.
type isa struct {
	*file
	name  string // suffix of the functions
	lanes int    // float32 in a vector
}

func (f *file) avx2() isa   { return isa{f, "AVX2", 8} }
func (f *file) avx512() isa { return isa{f, "AVX512", 16} }

// bytes is the size of a vector.
func (v isa) bytes() int { return 4 * v.lanes }

// reg allocates a vector register.
func (v isa) reg() reg.VecVirtual {
	if v.lanes == 16 {
		return v.ZMM()
	}
	return v.YMM()
}

// regs allocates n vector registers.
func (v isa) regs(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = v.reg()
	}
	return r
}

// zero allocates a register of +0.
func (v isa) zero() reg.VecVirtual {
	r := v.reg()
	v.clear(r)
	return r
}

// clear sets r to +0.
func (v isa) clear(r reg.VecVirtual) { v.VXORPS(r, r, r) }

// constant is an operand that holds x in every lane, for where an instruction takes memory: a register if they are plenty.
func (v isa) constant(x float32) Op { return v.bits(math.Float32bits(x)) }

// bits is constant for a bit pattern.
func (v isa) bits(x uint32) Op {
	if v.lanes == 8 {
		return v.words(x, 8)
	}
	r := v.reg()
	v.VBROADCASTSS(v.words(x, 1), r)
	return r
}

// held allocates a register that holds x in every lane.
func (v isa) held(x float32) reg.VecVirtual {
	r := v.reg()
	v.VBROADCASTSS(v.words(math.Float32bits(x), 1), r)
	return r
}

// words is read-only memory of n times x.
func (f *file) words(x uint32, n int) Mem {
	return f.table(fmt.Sprintf("words_%08x_%d", x, n), slices.Repeat([]uint32{x}, n)...)
}

// table is read-only memory of words, declared at its first use.
func (f *file) table(name string, words ...uint32) Mem {
	m, ok := f.data[name]
	if !ok {
		m = f.StaticGlobal(name)
		f.DataAttributes(attr.RODATA | attr.NOPTR)
		for i, x := range words {
			f.AddDatum(4*i, U32(x))
		}
		f.data[name] = m
	}
	return m
}

// A mask is a set of leading lanes: a mask register, or the address of a vector of ones and zeros. The zero mask means all lanes.
type mask struct {
	k       reg.Register
	address reg.Register
}

func (m mask) all() bool { return m.k == nil && m.address == nil }

// masks returns the masks of n consecutive vectors that together hold count elements, of which the first full are whole.
func (v isa) masks(count reg.Register, full, n int) []mask {
	m := make([]mask, n)
	for i := full; i < n; i++ {
		left, none := v.GP64(), v.GP64()
		v.MOVQ(count, left)
		v.SUBQ(Imm(uint64(i*v.lanes)), left)
		v.XORQ(none, none)
		v.CMPQ(left, none)
		v.CMOVQLT(none, left)
		m[i] = v.mask(left)
	}
	return m
}

// mask returns the mask of min(count, lanes) leading lanes; count is at least 0 and is overwritten.
func (v isa) mask(count reg.GPVirtual) mask {
	limit := v.GP64()
	v.MOVQ(U32(uint32(v.lanes)), limit)
	v.CMPQ(count, limit)
	v.CMOVQGT(limit, count)
	if v.lanes == 16 {
		k := v.K()
		ones := v.GP32()
		v.MOVL(U32(1<<16-1), ones)
		v.BZHIL(count.As32(), ones, ones)
		v.KMOVW(ones, k)
		return mask{k: k}
	}
	address := v.GP64()
	v.LEAQ(v.laneTable().Offset(v.bytes()), address)
	v.NEGQ(count)
	v.LEAQ(Mem{Base: address, Index: count, Scale: 4}, address)
	return mask{address: address}
}

// load reads a vector; lanes outside m become +0 and are not read.
func (v isa) load(from Mem, m mask, to reg.Register) {
	switch {
	case m.all():
		v.VMOVUPS(from, to)
	case m.k != nil:
		v.VMOVUPS_Z(from, m.k, to)
	default:
		v.VMOVUPS(Mem{Base: m.address}, to)
		v.VMASKMOVPS(from, to, to)
	}
}

// store writes the lanes in m.
func (v isa) store(from reg.Register, m mask, to Mem) {
	switch {
	case m.all():
		v.VMOVUPS(from, to)
	case m.k != nil:
		v.VMOVUPS(from, m.k, to)
	default:
		lanes := v.reg()
		v.VMOVUPS(Mem{Base: m.address}, lanes)
		v.VMASKMOVPS(from, lanes, to)
	}
}

// laneTable is read-only memory of 8 words of ones followed by 8 of zeros.
func (f *file) laneTable() Mem {
	return f.table("lanes", append(slices.Repeat([]uint32{1<<32 - 1}, 8), make([]uint32, 8)...)...)
}

// function starts a function of the instruction set with its Go declaration.
func (v isa) function(name, signature string, doc ...string) {
	v.Function(name + v.name)
	v.Attributes(attr.NOSPLIT)
	v.SignatureExpr(signature)
	v.Doc(append([]string{name + v.name + " " + doc[0]}, doc[1:]...)...)
	v.Pragma("noescape")
}

// param loads an argument into a fresh 64-bit register.
func (v isa) param(name string) reg.GPVirtual {
	r := v.GP64()
	v.Load(v.Param(name), r)
	return r
}

// done ends a function.
func (v isa) done() {
	v.VZEROUPPER()
	v.RET()
}

// advance adds a number of float32 held in a register, times factor 1, 2, 4 or 8, to a pointer.
func (v isa) advance(p, floats reg.Register, factor int) {
	for ; factor > 2; factor -= 2 {
		v.LEAQ(Mem{Base: p, Index: floats, Scale: 8}, p)
	}
	v.LEAQ(Mem{Base: p, Index: floats, Scale: uint8(4 * factor)}, p)
}

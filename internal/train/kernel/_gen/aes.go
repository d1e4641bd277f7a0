package main

import (
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// aesRounds is the number of rounds of AES-256, which has a key more than that.
const aesRounds = 14

// expandKey emits the key expansion of AES-256 (FIPS 197, section 5.2).
func expandKey(v isa) {
	v.function("expandKey", "func(keys, key *byte)", "sets keys to the 15 round keys of the 32 bytes of key.")
	keys, key := v.param("keys"), v.param("key")
	k := make([]reg.VecVirtual, aesRounds+1)
	for i := range k {
		k[i] = v.XMM()
		if i < 2 {
			v.VMOVUPS(Mem{Base: key, Disp: 16 * i}, k[i])
		} else {
			// Of each word's four bytes through the S-box, lane 3 has those of the last word rotated, plus the constant; lane 2 has them
			// as they are. Even keys take the one, odd keys the other, and each word adds up those before it.
			constant, lane := uint64(1)<<(i/2-1), uint64(0xFF)
			if i%2 == 1 {
				constant, lane = 0, 0xAA
			}
			word, shifted := v.XMM(), v.XMM()
			v.VAESKEYGENASSIST(Imm(constant), k[i-1], word)
			v.VPSHUFD(Imm(lane), word, word)
			v.VPSLLDQ(Imm(4), k[i-2], shifted)
			v.VPXOR(k[i-2], shifted, k[i])
			v.VPSLLDQ(Imm(8), k[i], shifted)
			v.VPXOR(shifted, k[i], k[i])
			v.VPXOR(word, k[i], k[i])
		}
		v.VMOVUPS(k[i], Mem{Base: keys, Disp: 16 * i})
	}
	v.RET()
}

// encryptCounter emits AES-256 in counter mode with a 32-bit counter: eight vectors of four blocks go through the rounds side by
// side, as many as hide the time that one round takes.
func encryptCounter(v isa) {
	const side = 8
	v.function("encryptCounter", "func(dst, keys, first *byte, groups int)",
		"sets dst to groups > 0 of 32 blocks of keystream: the encryption of the block first, whose last four bytes are a",
		"little-endian counter, with that counter turned to big-endian, and of those after it. The counter does not overflow.")
	dst, from, first, groups := v.param("dst"), v.param("keys"), v.param("first"), v.param("groups")
	counter, four, swap := v.reg(), v.reg(), v.reg()
	v.VBROADCASTI32X4(Mem{Base: first}, counter)
	v.VPADDD(v.table("counters", 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3), counter, counter)
	v.VBROADCASTI32X4(v.table("four", 0, 0, 0, 4), four)
	v.VBROADCASTI32X4(v.table("swap", 0x03020100, 0x07060504, 0x0b0a0908, 0x0c0d0e0f), swap)
	keys := v.regs(aesRounds + 1)
	for i, k := range keys {
		v.VBROADCASTI32X4(Mem{Base: from, Disp: 16 * i}, k)
	}

	v.Label("groups")
	x := v.regs(side)
	for i := range x {
		v.VPSHUFB(swap, counter, x[i])
		v.VPADDD(four, counter, counter)
	}
	for i := range x {
		v.VPXORQ(keys[0], x[i], x[i])
	}
	for _, k := range keys[1:aesRounds] {
		for i := range x {
			v.aes("VAESENC", k, x[i])
		}
	}
	for i := range x {
		v.aes("VAESENCLAST", keys[aesRounds], x[i])
		v.VMOVUPS(x[i], Mem{Base: dst, Disp: i * v.bytes()})
	}
	v.ADDQ(U32(side*64), dst)
	v.DECQ(groups)
	v.JNZ(LabelRef("groups"))
	v.done()
}

// aes emits a round on the blocks of x. Avo knows it for registers of one block alone.
func (v isa) aes(opcode string, key, x reg.VecVirtual) {
	v.Instruction(&ir.Instruction{
		Opcode: opcode, Operands: []Op{key, x, x}, Inputs: []Op{key, x}, Outputs: []Op{x}, ISA: []string{"AVX512F", "VAES"},
	})
}

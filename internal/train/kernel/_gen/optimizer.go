package main

import (
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// heavyBall emits a step of gradient descent with damped momentum.
func heavyBall(v isa) {
	v.function("heavyBall", "func(params, velocity, gradient *float32, n int, keep, take, rate, decay float32)", "is the loop of HeavyBall.")
	params, velocity, gradient, n := v.param("params"), v.param("velocity"), v.param("gradient"), v.param("n")
	keep, take := v.broadcastParam("keep"), v.broadcastParam("take")
	rate, decay := v.broadcastParam("rate"), v.broadcastParam("decay")
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{params, velocity, gradient}, func(_ int, m mask) {
		w, move, x := v.reg(), v.reg(), v.reg()
		v.load(Mem{Base: params}, m, w)
		v.load(Mem{Base: velocity}, m, move)
		v.load(Mem{Base: gradient}, m, x)
		v.VMULPS(keep, move, move)
		v.VMULPS(take, x, x)
		v.VADDPS(x, move, move)
		v.store(move, m, Mem{Base: velocity})
		v.VMULPS(rate, move, move)
		v.VMULPS(decay, w, x)
		v.VADDPS(x, move, move)
		v.VSUBPS(move, w, w)
		v.store(w, m, Mem{Base: params})
	})
	v.done()
}

// adam emits a step of Adam, of as many elements at a time as a vector holds float64: divisions and a root take nearly all of it.
func adam(v isa) {
	v.function("adam", "func(params, mean, square, gradient *float32, vectors int, keep, take, keepSquare, takeSquare, correct, correctSquare, tiny, rate, decay float64)",
		"is the loop of Adam for vectors > 0 of 4 elements.")
	params, mean, square, gradient, vectors := v.param("params"), v.param("mean"), v.param("square"), v.param("gradient"), v.param("vectors")
	keep, take := v.broadcastDouble("keep"), v.broadcastDouble("take")
	keepSquare, takeSquare := v.broadcastDouble("keepSquare"), v.broadcastDouble("takeSquare")
	correct, correctSquare := v.broadcastDouble("correct"), v.broadcastDouble("correctSquare")
	tiny, rate, decay := v.broadcastDouble("tiny"), v.broadcastDouble("rate"), v.broadcastDouble("decay")
	store := func(x reg.VecVirtual, to reg.Register) {
		narrow := v.XMM()
		v.VCVTPD2PSY(x, narrow)
		v.VMOVUPS(narrow, Mem{Base: to})
	}

	v.Label("vectors")
	g, m, s, x := v.reg(), v.reg(), v.reg(), v.reg()
	v.VCVTPS2PD(Mem{Base: gradient}, g)
	v.VCVTPS2PD(Mem{Base: mean}, m)
	v.VMULPD(keep, m, m)
	v.VMULPD(take, g, x)
	v.VADDPD(x, m, m)
	store(m, mean)
	v.VCVTPS2PD(Mem{Base: square}, s)
	v.VMULPD(keepSquare, s, s)
	v.VMULPD(takeSquare, g, x)
	v.VMULPD(g, x, x)
	v.VADDPD(x, s, s)
	store(s, square)

	v.VDIVPD(correct, m, m)
	v.VDIVPD(correctSquare, s, s)
	v.VSQRTPD(s, s)
	v.VADDPD(tiny, s, s)
	v.VDIVPD(s, m, m)
	w, moved := v.XMM(), v.XMM()
	v.VMOVUPS(Mem{Base: params}, w)
	v.VCVTPS2PD(w, x)
	v.VMULPD(decay, x, x)
	v.VADDPD(x, m, m)
	v.VMULPD(rate, m, m)
	v.VCVTPD2PSY(m, moved)
	v.VSUBPS(moved, w, w)
	v.VMOVUPS(w, Mem{Base: params})
	for _, p := range []reg.Register{params, mean, square, gradient} {
		v.ADDQ(Imm(16), p)
	}
	v.DECQ(vectors)
	v.JNZ(LabelRef("vectors"))
	v.done()
}

// runningMean emits the step of means towards values.
func runningMean(v isa) {
	v.function("runningMean", "func(mean, x *float32, n int, share float32)", "is the loop of RunningMean.")
	mean, x, n, share := v.param("mean"), v.param("x"), v.param("n"), v.broadcastParam("share")
	v.sweep("elements", v.span(n, 1), []reg.GPVirtual{mean, x}, func(_ int, m mask) {
		old, move := v.reg(), v.reg()
		v.load(Mem{Base: mean}, m, old)
		v.load(Mem{Base: x}, m, move)
		v.VSUBPS(old, move, move)
		v.VMULPS(share, move, move)
		v.VADDPS(move, old, old)
		v.store(old, m, Mem{Base: mean})
	})
	v.done()
}

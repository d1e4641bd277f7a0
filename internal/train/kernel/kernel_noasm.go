//go:build !amd64 || purego

package kernel

func product(dst, a, b, bias []float32, m, k, n int) { productGeneric(dst, a, b, bias, m, k, n) }

func productPacked(dst, a []float32, b *Packed, bias []float32, m, dstRow, aRow int) {
	productPackedGeneric(dst, a, b, bias, m, dstRow, aRow)
}

func dots(dst, a, w, bias []float32, m, k, n int) { dotsGeneric(dst, a, w, bias, m, k, n) }

func addOuter(sum, d, x []float32, m, n, p, dRow, xRow int) {
	addOuterGeneric(sum, d, x, m, n, p, dRow, xRow)
}

func addRows(sum, d []float32, m, n int) { addRowsGeneric(sum, d, m, n) }

func sparseProduct(z []float32, idx []uint32, val, w []float32, n int) {
	sparseProductGeneric(z, idx, val, w, n)
}

func sparseAddOuter(sum []float32, idx []uint32, val, d []float32, n int) {
	sparseAddOuterGeneric(sum, idx, val, d, n)
}

func squaredNorms(dst []float64, a []float32, m, k int) { squaredNormsGeneric(dst, a, m, k) }

func scaleRows(a, s []float32, m, k int) { scaleRowsGeneric(a, s, m, k) }

func gather(dst, src []float32, rows []int32, k, dstRow int) {
	gatherGeneric(dst, src, rows, k, dstRow)
}

func transpose(dst, src []float32, rows, cols, stride int) {
	transposeGeneric(dst, src, rows, cols, stride)
}

func tanh(y []float32, gain float32) { tanhGeneric(y, gain) }

func tanhBackward(d, y []float32, gain float32) { tanhBackwardGeneric(d, y, gain) }

func relu(y []float32, gain float32) { reluGeneric(y, gain) }

func reluBackward(d, y []float32, gain float32) { reluBackwardGeneric(d, y, gain) }

func softmaxDelta(delta, logits []float32, labels []int32, m, n int) {
	softmaxDeltaGeneric(delta, logits, labels, m, n)
}

func sigmoidDelta(delta, logits []float32, labels []int32) {
	sigmoidDeltaGeneric(delta, logits, labels)
}

func heavyBall(params, velocity, gradient []float32, keep, take, rate, decay float32) {
	heavyBallGeneric(params, velocity, gradient, keep, take, rate, decay)
}

func adam(params, mean, square, gradient []float32, s AdamStep) {
	adamGeneric(params, mean, square, gradient, s)
}

func runningMean(mean, x []float32, share float32) { runningMeanGeneric(mean, x, share) }

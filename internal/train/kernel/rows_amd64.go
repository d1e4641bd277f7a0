//go:build !purego

package kernel

import "unsafe"

func squaredNorms(dst []float64, a []float32, m, k int) {
	switch {
	case active == generic:
		squaredNormsGeneric(dst, a, m, k)
	case m == 0:
	case active == avx2:
		squaredNormsAVX2(&dst[0], unsafe.SliceData(a), m, k)
	default:
		squaredNormsAVX512(&dst[0], unsafe.SliceData(a), m, k)
	}
}

func scaleRows(a, s []float32, m, k int) {
	if active == generic || m == 0 || k < 8 { // for short rows the generic version gives the same bits faster
		scaleRowsGeneric(a, s, m, k)
		return
	}
	scaleRowsAVX2(&a[0], &s[0], m, k)
}

func gather(dst, src []float32, rows []int32, k, dstRow int) {
	if active == generic || len(rows) == 0 || k == 0 {
		gatherGeneric(dst, src, rows, k, dstRow)
		return
	}
	available := len(src) / k
	for _, row := range rows {
		if uint(row) >= uint(available) {
			panic("kernel: row out of range")
		}
	}
	ahead := min(16, 1+1024/k) // rows that are on their way from memory: about 4 KiB of them
	gatherAVX2(&dst[0], &src[0], &rows[0], len(rows), k, dstRow-k, ahead)
}

// transpose takes 32 rows at a time: their lines of src stay in the first-level cache until all of each has been read.
func transpose(dst, src []float32, rows, cols, stride int) {
	if active == generic {
		transposeGeneric(dst, src, rows, cols, stride)
		return
	}
	const block = 32
	whole := cols / 8 * 8
	for i := 0; i < rows; i += block {
		n := min(block, rows-i)
		eights := n / 8 * 8
		if eights > 0 && whole > 0 {
			transposeAVX2(&dst[i], &src[i*cols], eights, whole, stride, cols)
		}
		for r := i; r < i+n; r++ {
			from := 0
			if r < i+eights {
				from = whole
			}
			for j := from; j < cols; j++ {
				dst[j*stride+r] = src[r*cols+j]
			}
		}
	}
}

func tanh(y []float32, gain float32) {
	switch {
	case active == generic:
		tanhGeneric(y, gain)
	case active == avx2:
		tanhAVX2(unsafe.SliceData(y), len(y), gain)
	default:
		tanhAVX512(unsafe.SliceData(y), len(y), gain)
	}
}

func tanhBackward(d, y []float32, gain float32) {
	if active == generic {
		tanhBackwardGeneric(d, y, gain)
		return
	}
	tanhBackwardAVX2(unsafe.SliceData(d), unsafe.SliceData(y), len(d), gain)
}

func relu(y []float32, gain float32) {
	if active == generic {
		reluGeneric(y, gain)
		return
	}
	reluAVX2(unsafe.SliceData(y), len(y), gain)
}

func reluBackward(d, y []float32, gain float32) {
	if active == generic {
		reluBackwardGeneric(d, y, gain)
		return
	}
	reluBackwardAVX2(unsafe.SliceData(d), unsafe.SliceData(y), len(d), gain)
}

func softmaxDelta(delta, logits []float32, labels []int32, m, n int) {
	switch {
	case active == generic:
		softmaxDeltaGeneric(delta, logits, labels, m, n)
	case m == 0:
	case active == avx2:
		softmaxDeltaAVX2(&delta[0], &logits[0], &labels[0], m, n)
	default:
		softmaxDeltaAVX512(&delta[0], &logits[0], &labels[0], m, n)
	}
}

func sigmoidDelta(delta, logits []float32, labels []int32) {
	if active == generic {
		sigmoidDeltaGeneric(delta, logits, labels)
		return
	}
	sigmoidDeltaAVX2(unsafe.SliceData(delta), unsafe.SliceData(logits), unsafe.SliceData(labels), len(delta))
}

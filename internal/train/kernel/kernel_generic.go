package kernel

import "math"

// The functions below are the reference for the assembly and run where there is none. The conversions float32(x*y)
// forbid the compiler to fuse, so that every platform gives the same bits.

func productGeneric(dst, a, b, bias []float32, m, k, n int) {
	for i := range m {
		row := dst[i*n : (i+1)*n]
		setRow(row, bias)
		for t, v := range a[i*k : (i+1)*k] {
			addScaledGeneric(row, b[t*n:(t+1)*n], v)
		}
	}
}

func productPackedGeneric(dst, a []float32, b *Packed, bias []float32, m, dstRow, aRow int) {
	for i := range m {
		row := dst[i*dstRow : i*dstRow+b.n]
		setRow(row, bias)
		for j := 0; j < b.n; j += panelWidth {
			part := row[j:min(j+panelWidth, b.n)]
			panel := b.panel(j)
			for t, v := range a[i*aRow : i*aRow+b.k] {
				addScaledGeneric(part, panel[t*panelWidth:(t+1)*panelWidth], v)
			}
		}
	}
}

// setRow sets row to bias, or to +0 where bias is nil.
func setRow(row, bias []float32) {
	if bias == nil {
		clear(row)
		return
	}
	copy(row, bias)
}

// addScaledGeneric computes sum[j] += v·x[j]; x may be longer than sum.
func addScaledGeneric(sum, x []float32, v float32) {
	x = x[:len(sum)]
	for j := range sum {
		sum[j] += float32(v * x[j])
	}
}

func dotsGeneric(dst, a, w, bias []float32, m, k, n int) {
	for i := range m {
		for j := range n {
			var lane [16]float32
			x, y := a[i*k:(i+1)*k], w[j*k:(j+1)*k]
			for t := range x {
				lane[t%16] += float32(x[t] * y[t])
			}
			dst[i*n+j] = foldLanes(&lane) + 0
			if bias != nil {
				dst[i*n+j] += bias[j]
			}
		}
	}
}

// foldLanes adds the upper half of the lanes to the lower until one is left.
func foldLanes[T float32 | float64](lane *[16]T) T {
	for h := 8; h > 0; h /= 2 {
		for l := range h {
			lane[l] += lane[l+h]
		}
	}
	return lane[0]
}

func addOuterGeneric(sum, d, x []float32, m, n, p, dRow, xRow int) {
	for i := range m {
		for j, v := range d[i*dRow : i*dRow+n] {
			addScaledGeneric(sum[j*p:(j+1)*p], x[i*xRow:i*xRow+p], v)
		}
	}
}

func addRowsGeneric(sum, d []float32, m, n int) {
	for i := range m {
		for j, v := range d[i*n : (i+1)*n] {
			sum[j] += v
		}
	}
}

func sparseProductGeneric(z []float32, idx []uint32, val, w []float32, n int) {
	for t, row := range idx {
		addScaledGeneric(z, w[int(row)*n:(int(row)+1)*n], val[t])
	}
}

func sparseAddOuterGeneric(sum []float32, idx []uint32, val, d []float32, n int) {
	for t, row := range idx {
		addScaledGeneric(sum[int(row)*n:(int(row)+1)*n], d, val[t])
	}
}

func squaredNormsGeneric(dst []float64, a []float32, m, k int) {
	for i := range m {
		var lane [16]float64
		for t, v := range a[i*k : (i+1)*k] {
			lane[t%16] += float64(v) * float64(v)
		}
		dst[i] = foldLanes(&lane)
	}
}

func scaleRowsGeneric(a, s []float32, m, k int) {
	if k == 1 {
		for i, scale := range s[:m] {
			x := a[i] * scale
			if scale == 0 || x > -0x1p-126 && x < 0x1p-126 {
				x = 0
			}
			a[i] = x
		}
		return
	}
	for i := range m {
		row := a[i*k : (i+1)*k]
		if s[i] == 0 {
			clear(row)
			continue
		}
		for t := range row {
			row[t] *= s[i]
			if row[t] > -0x1p-126 && row[t] < 0x1p-126 {
				row[t] = 0
			}
		}
	}
}

func gatherGeneric(dst, src []float32, rows []int32, k, dstRow int) {
	for i, row := range rows {
		copy(dst[i*dstRow:i*dstRow+k], src[int(row)*k:(int(row)+1)*k])
	}
}

// transposeGeneric computes dst[j*stride+i] = src[i*cols+j] in blocks that stay in the first-level cache.
func transposeGeneric(dst, src []float32, rows, cols, stride int) {
	const block = 32
	for j0 := 0; j0 < cols; j0 += block {
		for i0 := 0; i0 < rows; i0 += block {
			for j := j0; j < min(j0+block, cols); j++ {
				for i := i0; i < min(i0+block, rows); i++ {
					dst[j*stride+i] = src[i*cols+j]
				}
			}
		}
	}
}

func tanhGeneric(y []float32, gain float32) {
	for i, v := range y {
		y[i] = float32(math.Tanh(float64(v))) * gain
	}
}

func tanhBackwardGeneric(d, y []float32, gain float32) {
	inverse := 1 / gain
	for i := range d {
		t := float32(y[i] * inverse)
		d[i] *= gain * ((1 - t) * (1 + t))
	}
}

func reluGeneric(y []float32, gain float32) {
	for i, v := range y {
		if v < 0 {
			v = 0
		}
		y[i] = v * gain
	}
}

func reluBackwardGeneric(d, y []float32, gain float32) {
	for i := range d {
		if y[i] <= 0 {
			d[i] = 0
		}
		d[i] *= gain
	}
}

func softmaxDeltaGeneric(delta, logits []float32, labels []int32, m, n int) {
	for i := range m {
		out, in := delta[i*n:(i+1)*n], logits[i*n:(i+1)*n]
		label := int(labels[i])
		top := in[0]
		for _, v := range in {
			top = max(top, v)
		}
		var rest float64
		at := math.Exp(float64(in[label]) - float64(top))
		for j, v := range in {
			if j != label {
				rest += math.Exp(float64(v) - float64(top))
			}
		}
		scale := 1 / (rest + at)
		for j, v := range in {
			out[j] = float32(math.Exp(float64(v)-float64(top)) * scale)
		}
		out[label] = float32(-rest * scale)
	}
}

func sigmoidDeltaGeneric(delta, logits []float32, labels []int32) {
	for i := range delta {
		z := float64(logits[i])
		if labels[i] == 0 {
			delta[i] = float32(1 / (1 + math.Exp(-z)))
		} else {
			delta[i] = float32(-1 / (1 + math.Exp(z)))
		}
	}
}

func heavyBallGeneric(params, velocity, gradient []float32, keep, take, rate, decay float32) {
	params, velocity = params[:len(gradient)], velocity[:len(gradient)]
	for i, g := range gradient {
		v := float32(keep*velocity[i]) + float32(take*g)
		velocity[i] = v
		params[i] -= float32(rate*v) + float32(decay*params[i])
	}
}

func adamGeneric(params, mean, square, gradient []float32, s AdamStep) {
	params, mean, square = params[:len(gradient)], mean[:len(gradient)], square[:len(gradient)]
	for i := range gradient {
		g := float64(gradient[i])
		m := float64(s.Keep*float64(mean[i])) + float64(s.Take*g)
		v := float64(s.KeepSquare*float64(square[i])) + float64(s.TakeSquare*g*g)
		mean[i], square[i] = float32(m), float32(v)
		move := m / s.Correct / (math.Sqrt(v/s.CorrectSquare) + s.Tiny)
		params[i] -= float32(s.Rate * (move + float64(s.Decay*float64(params[i]))))
	}
}

func runningMeanGeneric(mean, x []float32, share float32) {
	x = x[:len(mean)]
	for i, v := range x {
		mean[i] += float32((v - mean[i]) * share)
	}
}

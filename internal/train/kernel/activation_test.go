package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// ulps is the distance of got from want in units of want's last place.
func ulps(got float32, want float64) float64 {
	w := float32(want)
	ulp := float64(math.Nextafter32(max(w, -w), math.MaxFloat32)) - math.Abs(float64(w))
	return math.Abs(float64(got)-want) / ulp
}

func TestTanhIsAccurate(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		var x []float32
		for b := uint32(0); b < 0x7f800000; b += 6_007 { // of either sign, up to the greatest
			x = append(x, math.Float32frombits(b), -math.Float32frombits(b))
		}
		for v := float32(0.6); v < 0.65; v += 0x1p-20 { // where the two branches meet
			x = append(x, v)
		}
		y := slices.Clone(x)
		Tanh(y, 1)
		for i := range x {
			if e := ulps(y[i], math.Tanh(float64(x[i]))); e > 2 || max(y[i], -y[i]) > 1 {
				t.Fatalf("Tanh(%v) = %v, want %v within 2 ulp; is %.2f off", x[i], y[i], math.Tanh(float64(x[i])), e)
			}
		}
		inf := float32(math.Inf(1))
		y = []float32{inf, -inf, float32(math.NaN()), math.Float32frombits(0x7fc00001)}
		Tanh(y, 2)
		if y[0] != 2 || y[1] != -2 || y[2] == y[2] || y[3] == y[3] {
			t.Errorf("Tanh of Inf, -Inf, NaN, NaN with gain 2 = %v, want [2 -2 NaN NaN]", y)
		}
	})
}

func TestReluKeepsNaN(t *testing.T) {
	nan := float32(math.NaN())
	atEveryLevel(t, func(t *testing.T) {
		y := []float32{nan, -1, 2, 0, nan}
		Relu(y, 2)
		if want := []float32{nan, 0, 4, 0, nan}; firstDifference(y, want, 0) >= 0 {
			t.Errorf("Relu = %v, want %v", y, want)
		}
		d := []float32{1, 2, 3, 4, nan}
		ReluBackward(d, y, 2)
		if want := []float32{2, 0, 6, 0, nan}; firstDifference(d, want, 0) >= 0 {
			t.Errorf("ReluBackward = %v, want %v", d, want)
		}
	})
}

func TestSoftmaxDeltaIsAccurate(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(11, 12))
		for trial := range 3000 {
			n := 1 + trial%50
			z, label := make([]float32, n), rng.IntN(n)
			for j := range z {
				z[j] = float32(rng.NormFloat64() * []float64{0.1, 3, 40}[trial%3])
			}
			top := float64(slices.Max(z))
			var all, rest float64
			for j, v := range z {
				all += math.Exp(float64(v) - top)
				if j != label {
					rest += math.Exp(float64(v) - top)
				}
			}
			delta := slices.Clone(z)
			SoftmaxDelta(delta, delta, []int32{int32(label)}, 1, n)
			for j, got := range delta {
				want, below := math.Exp(float64(z[j])-top)/all, top-float64(z[j])
				if j == label {
					want, below = -rest/all, top-float64(slices.Min(z))
				}
				if e := math.Abs(float64(got) - want); e > (8+below)*0x1p-24*math.Abs(want)+float64(n)*0x1p-125 {
					t.Fatalf("SoftmaxDelta of %v, label %d: element %d = %v, want %v", z, label, j, got, want)
				}
			}
		}
	})
}

func TestSoftmaxDeltaOfSpecialRows(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	atEveryLevel(t, func(t *testing.T) {
		for _, test := range []struct {
			name   string
			logits []float32
			want   []float32 // label 1
		}{
			{"one of two certain", []float32{-200, 200}, []float32{0, 0}},
			{"one of two wrong", []float32{200, -200}, []float32{1, -1}},
			{"minus infinity", []float32{float32(math.Inf(-1)), 0, 0}, []float32{0, -0.5, 0.5}},
			{"nan", []float32{1, 2, nan}, []float32{nan, nan, nan}},
			{"nan at the label", []float32{1, nan, 2}, []float32{nan, nan, nan}},
			{"infinity", []float32{1, 2, inf}, []float32{nan, nan, nan}},
			{"nan in a long row", append(make([]float32, 30), nan), slices.Repeat([]float32{nan}, 31)},
		} {
			got := make([]float32, len(test.logits))
			SoftmaxDelta(got, test.logits, []int32{1}, 1, len(got))
			for i := range got {
				got[i] += 0 // any zero will do
			}
			if firstDifference(got, test.want, 0) >= 0 {
				t.Errorf("%s: SoftmaxDelta(%v) = %v, want %v", test.name, test.logits, got, test.want)
			}
		}
	})
}

func TestSigmoidDeltaIsAccurate(t *testing.T) {
	atEveryLevel(t, func(t *testing.T) {
		var z []float32
		for v := -200.0; v <= 200; v += 0.0371 {
			z = append(z, float32(v))
		}
		for label := range int32(2) {
			delta := slices.Clone(z)
			SigmoidDelta(delta, delta, slices.Repeat([]int32{label}, len(z)))
			for i, got := range delta {
				sign := 1 - 2*float64(label)
				want := sign / (1 + math.Exp(-sign*float64(z[i])))
				if e := math.Abs(float64(got) - want); e > 4*0x1p-24*math.Abs(want)+0x1p-125 {
					t.Fatalf("SigmoidDelta(%v, label %d) = %v, want %v", z[i], label, got, want)
				}
			}
		}
		delta := []float32{float32(math.NaN())}
		SigmoidDelta(delta, delta, []int32{1})
		if delta[0] == delta[0] {
			t.Errorf("SigmoidDelta(NaN) = %v, want NaN", delta[0])
		}
	})
}

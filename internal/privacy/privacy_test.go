package privacy

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"dptrain/internal/privacy/rng"
)

func TestScaleKeepsRowsWithinTheClippingNorm(t *testing.T) {
	for _, norm := range []float64{1e-6, 0.1, 1, 3, 1e6} {
		flat, err := NewFlat(norm)
		if err != nil {
			t.Fatal(err)
		}
		tests := []struct {
			name       string
			rowNorm    float64
			wantAtMost float64 // of scale × norm
			wantZero   bool
		}{
			{"zero", 0, 0, false},
			{"short", norm / 2, norm / 2, false},
			{"at the norm", norm, norm, false},
			{"just above", norm * (1 + 1e-15), norm, false},
			{"long", norm * 1e3, norm, false},
			{"huge", norm * 1e30, norm, false},
			{"beyond float32", norm * 1e45, norm, true},
			{"infinite", math.Inf(1), norm, true},
			{"not a number", math.NaN(), norm, true},
		}
		for _, test := range tests {
			scale := []float32{7}
			flat.Scale(scale, []float64{test.rowNorm * test.rowNorm})
			s := float64(scale[0])
			if !test.wantZero && s*test.rowNorm*(1+0x1p-24) > test.wantAtMost*(1+0x1p-24) || s < 0 || s > 1 {
				t.Errorf("C = %v, %s: scale = %v, so the norm is %v, want at most %v", norm, test.name, s, s*test.rowNorm, test.wantAtMost)
			}
			if test.wantZero != (s == 0) {
				t.Errorf("C = %v, %s: scale = %v, want zero: %v", norm, test.name, s, test.wantZero)
			}
			// The bound of claim 1 holds after the deltas' rounding too.
			if test.rowNorm >= norm && !test.wantZero && s*test.rowNorm*(1+0x1p-24) > norm {
				t.Errorf("C = %v, %s: scale × norm × (1+2^-24) = %v, want at most C", norm, test.name, s*test.rowNorm*(1+0x1p-24))
			}
		}
	}
}

func TestFactorsAreRoundedDown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 10_000 {
		x := math.Exp(-60 * r.Float64())
		got := roundDown(x)
		if float64(got) > x || float64(math.Nextafter32(got, 2)) <= x {
			t.Fatalf("roundDown(%v) = %v, want the largest float32 not above", x, got)
		}
	}
	for x, want := range map[float64]float32{1: 1, 0: 0, 0x1p-126: 0x1p-126, 0x1p-127: 0} {
		if got := roundDown(x); got != want {
			t.Errorf("roundDown(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestNewFlatRefuses(t *testing.T) {
	for _, norm := range []float64{0, -1, 1e-7, 1e7, math.Inf(1), math.NaN()} {
		if _, err := NewFlat(norm); err == nil {
			t.Errorf("NewFlat(%v) = nil error, want one", norm)
		}
	}
}

func TestCoinsAreRoundedUp(t *testing.T) {
	for _, q := range []float64{1e-300, 1e-20, 0x1p-64, 1e-6, 1.0 / 3, 0.5, 1 - 0x1p-53} {
		p := newPoisson(q)
		if p.probability < q || p.probability > q+0x1p-64 {
			t.Errorf("newPoisson(%v).probability = %v, want within 2^-64 above", q, p.probability)
		}
		if got := math.Ldexp(float64(p.threshold), -64); got != p.probability {
			t.Errorf("newPoisson(%v): threshold gives %v, accounted is %v", q, got, p.probability)
		}
	}
}

// TestCoinsAreComparedAsWhole feeds coins of known bytes: a slot is drawn exactly if the number that its bytes make up is below
// the threshold.
func TestCoinsAreComparedAsWhole(t *testing.T) {
	for word := range uint64(256) {
		word = word<<8 | 0xfe<<56 | 0x7f<<48 | word<<40
		for top := range 256 {
			got := bytesAtMost(word, byte(top))
			for i := range 8 {
				b := byte(word >> (8 * i))
				if want := uint64(0x80); got>>(8*i)&0xff != want && b <= byte(top) || got>>(8*i)&0xff != 0 && b > byte(top) {
					t.Fatalf("bytesAtMost(%#x, %#x) = %#x: wrong in byte %d", word, top, got, i)
				}
			}
		}
	}
	for _, q := range []float64{1e-4, 1.0 / 256, 0.1, 0.5, 0.7, 255.5 / 256, 1 - 0x1p-53} {
		p := newPoisson(q)
		source := rng.TestKey(3).Source(rng.Coins)
		for _, slots := range []int{1, 8, 13, coinsAtOnce, 3*coinsAtOnce + 5} {
			got := p.Sample(nil, 10, 10+slots, source.Stream(1, 2))
			if want := sampleSlowly(p, 10, 10+slots, source.Stream(1, 2)); !slices.Equal(got, want) {
				t.Errorf("q = %v, %d slots: drawn %v, want %v", q, slots, got, want)
			}
		}
	}
}

// sampleSlowly is Sample from its definition.
func sampleSlowly(p poisson, lo, hi int, coins *rng.Stream) []int32 {
	var drawn []int32
	for ; lo < hi; lo += coinsAtOnce {
		end := min(lo+coinsAtOnce, hi)
		var first []byte
		for len(first) < end-lo {
			first = binary.LittleEndian.AppendUint64(first, coins.Uint64())
		}
		for slot := lo; slot < end; slot++ {
			coin := uint64(first[slot-lo]) << 56
			if coin>>56 == p.threshold>>56 {
				coin |= coins.Uint64() << 8 >> 8
			}
			if coin < p.threshold {
				drawn = append(drawn, int32(slot))
			}
		}
	}
	return drawn
}

// TestPoissonSampling checks counts, pairs and ends. False alarms: each of the bounds is 6.5 standard deviations, 1e-10
// for a normal statistic, 24 of them. A q off by 2 %, or two neighbouring coins equal 2 % of the time, is caught.
func TestPoissonSampling(t *testing.T) {
	const slots, steps = 2000, 400
	for _, q := range []float64{0.02, 0.25} {
		sampler, err := NewSampler(q)
		if err != nil {
			t.Fatal(err)
		}
		source := rng.TestKey(1).Source(rng.Coins)
		var total, squares, pairs, first, last float64
		for step := range steps {
			drawn := sampler.Sample(nil, 0, slots, source.Stream(uint64(step), 0))
			n := float64(len(drawn))
			total += n
			squares += (n - q*slots) * (n - q*slots)
			for i, slot := range drawn {
				if i > 0 && drawn[i-1] == slot-1 {
					pairs++
				}
				if slot == 0 {
					first++
				}
				if slot == slots-1 {
					last++
				}
			}
		}
		check := func(name string, got, mean, deviation float64) {
			if math.Abs(got-mean) > 6.5*deviation {
				t.Errorf("q = %v: %s = %v, want %v ± %v", q, name, got, mean, 6.5*deviation)
			}
		}
		n := float64(slots * steps)
		check("drawn slots", total, n*q, math.Sqrt(n*q*(1-q)))
		check("batch size variance", squares/steps, slots*q*(1-q), slots*q*(1-q)*math.Sqrt(2.0/steps))
		check("neighbours drawn together", pairs, n*q*q, math.Sqrt(n*q*q*(1+2*q)))
		check("first slot", first, steps*q, math.Sqrt(steps*q))
		check("last slot", last, steps*q, math.Sqrt(steps*q))
	}
}

// slotsOf is the slot of each row.
func slotsOf(s Slots, rows int) []int {
	slots := make([]int, rows)
	for slot := range s.Count() {
		for _, row := range s.resolve([]int32{int32(slot)}) {
			slots[row] = slot
		}
	}
	return slots
}

// TestScatterIsUniform counts which slot each row gets, and which all get together. 6.5 standard deviations: 1e-10 a cell.
func TestScatterIsUniform(t *testing.T) {
	const rows, count, draws = 3, 5, 20000
	source := rng.TestKey(2).Source(rng.Slots)
	var cells [rows][count]float64
	injections := map[[rows]int]float64{}
	for draw := range draws {
		s, err := Scatter(rows, count, source.Stream(uint64(draw), 0))
		if err != nil {
			t.Fatal(err)
		}
		slots := slotsOf(s, rows)
		for row, slot := range slots {
			cells[row][slot]++
		}
		injections[[rows]int(slots)]++
		if got := s.resolve([]int32{0, 1, 2, 3, 4}); len(got) != rows {
			t.Fatalf("%d rows in the slots, want %d", len(got), rows)
		}
	}
	each := draws / 60.0
	if len(injections) != 60 {
		t.Errorf("%d injections in %d draws, want 60", len(injections), draws)
	}
	for slots, n := range injections {
		if math.Abs(n-each) > 6.5*math.Sqrt(each) {
			t.Errorf("the rows are in slots %v in %v of %d draws, want %v", slots, n, draws, each)
		}
	}
	mean := float64(draws) / count
	for row := range cells {
		for slot, n := range cells[row] {
			if math.Abs(n-mean) > 6.5*math.Sqrt(mean*(1-1.0/count)) {
				t.Errorf("row %d is in slot %d in %v of %d draws, want %v", row, slot, n, draws, mean)
			}
		}
	}
}

// TestScatterKeepsTheRowsBefore couples the maps of tables that differ by their last row, as the argument for private numbers
// of rows does: with one randomness the other rows stand in the same slots.
func TestScatterKeepsTheRowsBefore(t *testing.T) {
	for count := 1; count < 140; count += 3 {
		for rows := 1; rows <= count; rows += 5 {
			var slots [2][]int
			for i := range slots {
				s, err := Scatter(rows-i, count, rng.TestKey(5).Source(rng.Slots).Stream(uint64(count), 0))
				if err != nil {
					t.Fatal(err)
				}
				slots[i] = slotsOf(s, rows-i)
			}
			if !slices.Equal(slots[0][:rows-1], slots[1]) {
				t.Fatalf("%d rows in %d slots: without the last row the others stand in %v, with it in %v", rows, count, slots[1], slots[0])
			}
		}
	}
}

func TestRangesKeepTheirTail(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		params := 1 << r.IntN(24)
		slots := 1 + r.IntN(1<<r.IntN(24))
		q := math.Exp(-12 * r.Float64())
		if r.IntN(4) == 0 {
			q = 1
		}
		steps := 1 + r.IntN(100000)
		g := planRanges(params, slots, q, steps, 1e-12)
		switch {
		case g.Slots < 1 || g.Slots > slots || g.MaxDrawn > g.Slots || g.MaxDrawn < 1:
			t.Fatalf("planRanges(%d, %d, %v, %d) = %+v", params, slots, q, steps, g)
		case g.Tail > 1e-12:
			t.Fatalf("planRanges(%d, %d, %v, %d).Tail = %v, want at most 1e-12", params, slots, q, steps, g.Tail)
		case g.MaxDrawn > 400:
			t.Fatalf("planRanges(%d, %d, %v, %d).MaxDrawn = %d, which makes η more than 1 %%", params, slots, q, steps, g.MaxDrawn)
		}
	}
}

// TestLogBinomialTailIsABound compares the Chernoff bound with exact tails.
func TestLogBinomialTailIsABound(t *testing.T) {
	for _, n := range []int{1, 10, 200} {
		for _, q := range []float64{0.01, 0.3, 0.9} {
			for k := 0; k <= n; k++ {
				var exact float64
				for i := k + 1; i <= n; i++ {
					a, _ := math.Lgamma(float64(n + 1))
					b, _ := math.Lgamma(float64(i + 1))
					c, _ := math.Lgamma(float64(n - i + 1))
					exact += math.Exp(a - b - c + float64(i)*math.Log(q) + float64(n-i)*math.Log1p(-q))
				}
				if bound := math.Exp(logBinomialTail(n, q, k)); bound < exact*(1-1e-9) {
					t.Errorf("P[Binomial(%d, %v) > %d] ≤ %v, want at least the exact %v", n, q, k, bound, exact)
				}
			}
		}
	}
}

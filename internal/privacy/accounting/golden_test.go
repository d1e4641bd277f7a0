package accounting

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The two tables in testdata are from implementations that share no code with this package. accounting.csv brackets
// the true ε under add/remove (equally zero-out) adjacency; its source column says by what: "mpmath-closed-form" is the
// closed form at T = 1 or q = 1 in arbitrary precision; "pld-lattice" a lattice of the privacy loss with certified
// ends; "contour" a Laplace contour integral of the cumulants. eps_rdp is Rényi privacy at the best real order,
// converted by Proposition 12 of Canonne, Kamath, Steinke 2020. calibration.csv solves the same for σ and for T.

// row is one line of a table, by column name.
type row map[string]string

func (r row) float(t *testing.T, column string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(r[column], 64)
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return x
}

func readTable(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for _, record := range records[1:] {
		r := row{}
		for i, column := range records[0] {
			r[column] = record[i]
		}
		rows = append(rows, r)
	}
	return rows
}

// steps is count Poisson-sampled Gaussian steps, as training makes them.
func steps(q, sigma float64, count int) Event {
	return SelfComposed{PoissonSampled{q, Gaussian{sigma}}, count}
}

func (r row) event(t *testing.T) Event {
	return steps(r.float(t, "q"), r.float(t, "sigma"), int(r.float(t, "steps")))
}

func newAccountant(t testing.TB, name string, adjacency Adjacency) Accountant {
	t.Helper()
	a, err := New(name, adjacency)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestEpsilonOfReferenceTable(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	rows := readTable(t, "testdata/accounting.csv")
	if len(rows) != 128 {
		t.Fatalf("accounting.csv has %d rows, want 128", len(rows))
	}
	for _, name := range []string{"pld", "rdp"} {
		a := newAccountant(t, name, ZeroOut)
		for i, r := range rows {
			delta, lower, upper, most := r.float(t, "delta"), r.float(t, "eps_lower"), r.float(t, "eps_upper"), r.float(t, "eps_rdp")*(1+1e-5)
			got, err := a.Epsilon(r.event(t), delta)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case name == "pld" && r["mechanism"] == "gaussian":
				most = upper * (1 + 1e-9)
			case name == "pld":
				most = upper*(1+1e-3) + 1e-9
			}
			if got.Upper < lower || got.Upper > most || got.Lower > upper {
				t.Errorf("row %d: %s.Epsilon(%v, %g) = %v, want upper end in [%g, %g]", i+2, name, r.event(t), delta, got, lower, most)
			}
			if name == "pld" && got.Upper-got.Lower > defaultWidth*got.Upper {
				t.Errorf("row %d: %v is wider than %g", i+2, got, defaultWidth)
			}
		}
	}
}

// Settings at which other accountants print an upper bound below the truth, or one far above it. The truth is by contour integral, at
// the three marked points confirmed in 40-digit arithmetic.
func TestEpsilonWhereOthersFail(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	a := newAccountant(t, "pld", ZeroOut)
	for _, c := range []struct {
		q, sigma     float64
		count        int
		delta, truth float64
	}{
		{1e-4, 0.7, 1e4, 1e-10, 0.98795},
		{1e-4, 0.7, 1e4, 1e-12, 1.70269},
		{0.01, 1, 1000, 1e-12, 3.91430},
		{0.01, 1, 1000, 1e-14, 4.54370}, // confirmed
		{0.004, 1.1, 14000, 1e-12, 3.89102},
		{0.01, 4, 1e4, 1e-12, 1.71114}, // confirmed
		{0.01, 4, 1e4, 1e-13, 1.79620},
		{0.001, 1, 1e5, 1e-12, 2.89411},
		{0.1, 8, 1e4, 1e-12, 9.31013},
		{0.5, 16, 1000, 1e-12, 7.17359},
		{0.01, 2, 1e5, 1e-11, 12.37979}, // confirmed
		{1e-4, 0.5, 1e5, 1e-10, 5.92473},
		{1e-4, 2, 1e6, 1e-8, 0.25541},
		{1e-6, 0.3, 1e7, 1e-10, 16.4041},
		{1e-5, 0.8, 10, 1e-5, 4.12e-5},
	} {
		got, err := a.Epsilon(steps(c.q, c.sigma, c.count), c.delta)
		if err != nil || got.Upper < c.truth*(1-1e-5) || got.Upper > c.truth*1.005 || got.Lower > c.truth*(1+1e-3) {
			t.Errorf("Epsilon(%g, %g, %d, %g) = %v, %v, want upper end in [1, 1.005]·%g", c.q, c.sigma, c.count, c.delta, got, err, c.truth)
		}
	}
}

func BenchmarkEpsilon(b *testing.B) {
	for _, c := range []struct {
		name string
		e    Event
	}{
		{"q=1", steps(1, 10, 200)},
		{"q=0.1,sigma=2", steps(0.1, 2, 1000)},
		{"q=0.01,sigma=0.5", steps(0.01, 0.5, 1000)},
		{"q=1e-5,sigma=0.3", steps(1e-5, 0.3, 1000)},
		{"q=0.001,sigma=1,T=9380", steps(0.001, 1, 9380)},
		{"q=0.004,sigma=1,T=1e5", steps(0.004, 1, 1e5)},
		{"mixed", Composed{[]Event{Gaussian{20}, steps(0.01, 1, 1000)}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := newAccountant(b, "pld", ZeroOut)
			for b.Loop() {
				if _, err := a.Epsilon(c.e, 1e-5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Of each row of the table with q in [1e-3, 1], T ≤ 1e5 and δ from 1e-8 to 1e-5, the fastest run; reported are their median and their
// largest.
func BenchmarkTypicalRows(b *testing.B) {
	a, t := newAccountant(b, "pld", ZeroOut), &testing.T{}
	var events []Event
	var deltas, times []float64
	for _, r := range readTable(t, "testdata/accounting.csv") {
		if delta := r.float(t, "delta"); r.float(t, "q") >= 1e-3 && r.float(t, "steps") <= 1e5 && delta >= 1e-8 && delta <= 1e-5 {
			events, deltas, times = append(events, r.event(t)), append(deltas, delta), append(times, math.Inf(1))
		}
	}
	for b.Loop() {
		for i, e := range events {
			start := time.Now()
			if _, err := a.Epsilon(e, deltas[i]); err != nil {
				b.Fatal(err)
			}
			times[i] = min(times[i], time.Since(start).Seconds())
		}
	}
	slices.Sort(times)
	b.ReportMetric(1e3*times[len(times)/2], "median-ms")
	b.ReportMetric(1e3*times[len(times)-1], "worst-ms")
}

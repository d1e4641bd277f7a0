package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
	"dptrain/internal/train/disk"
)

// standardizedSchema has two columns whose scale is to be learned, between others.
func standardizedSchema(t *testing.T) *data.Schema {
	t.Helper()
	s, err := data.NewSchema(data.Spec{
		Missing: []string{""},
		Label:   data.Label{Name: "y", Classes: []string{"no", "maybe", "yes"}},
		Features: []data.Feature{
			{Name: "a", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(1000.0), Standardize: "dp", Impute: pointer(500.0)},
			{Name: "c", Kind: data.Categorical, Values: []string{"u", "v"}},
			{Name: "b", Kind: data.Numeric, Min: pointer(-10.0), Max: pointer(10.0), Standardize: "dp", Impute: pointer(0.0)},
			{Name: "d", Kind: data.Numeric, Min: pointer(0.0), Max: pointer(10.0)},
		},
		RowNorm: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// standardizedTable writes rows in which a is about 100 ± 10, b is 2 or -4, and a tenth of the labels are yes.
func standardizedTable(t *testing.T, rows int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("a,b,c,d,y\n")
	for i := range rows {
		label := []string{"no", "no", "no", "maybe", "maybe", "no", "no", "no", "no", "yes"}[i%10]
		fmt.Fprintf(&b, "%.3f,%v,u,5,%s\n", 100+10*r.NormFloat64(), []int{2, -4}[i%2], label)
	}
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, path string, s *data.Schema) *data.Dataset {
	t.Helper()
	d, err := data.Load(context.Background(), []string{path}, s, data.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// learn runs the queries of a plan for a table.
func learn(t *testing.T, o Options, rows int, key rng.Key) (*Plan, *Learned) {
	t.Helper()
	p, err := NewPlan(o, standardizedSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	learned, err := p.learn(load(t, standardizedTable(t, rows), p.Schema), Run{Key: key, Workers: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, learned
}

func TestLearnWithoutPrivacyIsExact(t *testing.T) {
	const rows = 2000
	o := testOptions()
	o.Rows, o.NoPrivacy, o.Train.EvenClasses = rows, true, true
	p, learned := learn(t, o, rows, rng.TestKey(1))
	// a: 100 of [0, 1000] is -0.8 of [-1, 1], and 10 is 0.02. b: the mean -1 of [-10, 10] is -0.1, the deviation 3 is 0.3.
	want := []data.Moments{{Feature: "a", Mean: -0.8, Deviation: 0.02}, {Feature: "b", Mean: -0.1, Deviation: 0.3}}
	for i, m := range learned.Moments {
		if m.Feature != want[i].Feature || math.Abs(m.Mean-want[i].Mean) > 0.002 || math.Abs(m.Deviation-want[i].Deviation) > 0.002 {
			t.Errorf("moments %+v, want about %+v", m, want[i])
		}
	}
	// 70 %, 20 % and 10 % of the rows.
	for k, w := range []float64{1.0 / 7, 0.5, 1} {
		if math.Abs(learned.ClassWeights[k]-w) > 1e-9 {
			t.Errorf("class weights %v, want [1/7 1/2 1]", learned.ClassWeights)
			break
		}
	}
	if w := p.classWeights(learned); len(w) != 3 || w[2] != 1 || w[1] != 0.5 {
		t.Errorf("the classes weigh %v", w)
	}
	encoding, err := p.encoding(learned)
	if err != nil {
		t.Fatal(err)
	}
	spec := encoding.Spec()
	spec.RowNorm = 0
	plain, err := data.NewSchema(spec)
	if err != nil {
		t.Fatal(err)
	}
	d := load(t, standardizedTable(t, rows), plain)
	var sum, square float64
	for i := range rows {
		x := float64(d.Dense[i*d.DenseWidth])
		sum += x
		square += x * x
	}
	if mean, deviation := sum/rows, math.Sqrt(square/rows); math.Abs(mean) > 0.01 || math.Abs(deviation-1) > 0.02 {
		t.Errorf("a standardized has mean %v and deviation %v, want 0 and 1", mean, deviation)
	}
}

// TestLearnUnderPrivacyIsNear takes many rows, so that noise hardly counts: with 40,000 and a share of a half, σ is about 3,
// and a mean has noise of standard deviation 2e-4. The bounds are more than ten of them.
func TestLearnUnderPrivacyIsNear(t *testing.T) {
	const rows = 40_000
	for name, change := range map[string]func(*Options){
		"zero_out":          func(*Options) {},
		"replace_one":       func(o *Options) { o.Privacy.Adjacency = "replace_one" },
		"add_or_remove_one": func(o *Options) { o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 60_000 },
	} {
		o := testOptions()
		o.Rows, o.Privacy.StandardizeShare = rows, pointer(0.5)
		change(&o)
		_, learned := learn(t, o, rows, rng.TestKey(7))
		a, b := learned.Moments[0], learned.Moments[1]
		// The variance of a, 4e-4, cannot be told from its noise: its deviation is the floor or a little more.
		if math.Abs(a.Mean+0.8) > 0.01 || a.Deviation < 0.015 || a.Deviation > 0.06 || math.Abs(b.Mean+0.1) > 0.01 || math.Abs(b.Deviation-0.3) > 0.02 {
			t.Errorf("%s: moments %+v", name, learned.Moments)
		}
	}
}

// TestAskAgainIsNear loses the answers of both queries, which steps of the run then ask for: what they give is near the
// truth, and takes a quarter of the steps left for each at most.
func TestAskAgainIsNear(t *testing.T) {
	const rows = 40_000
	for name, change := range map[string]func(*Options){
		"full batch": func(*Options) {},
		"sampled":    func(o *Options) { o.Train.SamplingProbability = pointer(0.3) },
		"add_or_remove_one": func(o *Options) {
			o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 60_000
		},
		"norm":  func(o *Options) { o.Privacy.MaxGradNorm = 0.01 },
		"waves": func(o *Options) { o.Model.Hidden = []int{3000} },
		"parts": func(*Options) {}, // of a net of fewer parameters than the query has numbers
	} {
		o := testOptions()
		o.Rows, o.Train.Steps, o.Train.EvenClasses = rows, pointer(100), true
		o.Privacy.StandardizeShare, o.Privacy.HistogramShare = pointer(0.1), pointer(0.1)
		change(&o)
		schema, classes := standardizedSchema(t), []float64{1.0 / 7, 0.5, 1}
		if name == "parts" {
			spec := schema.Spec()
			spec.Label.Classes, spec.Label.Aliases = []string{"no", "yes"}, []data.Alias{{From: "maybe", To: "no"}}
			spec.Features = []data.Feature{spec.Features[0], spec.Features[2]}
			var err error
			if schema, err = data.NewSchema(spec); err != nil {
				t.Fatal(err)
			}
			classes = []float64{1.0 / 9, 1}
		}
		p, err := NewPlan(o, schema)
		if err != nil {
			t.Fatal(err)
		}
		if length := p.Privacy.Queries[0].Length; (length > p.Net.Params()) != (name == "parts") {
			t.Fatalf("%s: the query has %d numbers, the net %d", name, length, p.Net.Params())
		}
		a, err := NewAttempt(disk.OS{}, t.TempDir(), p, "run")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Open(); err != nil {
			t.Fatal(err)
		}
		for _, q := range p.Privacy.Queries {
			if err := a.reserveQuery(q.Name); err != nil {
				t.Fatal(err)
			}
		}
		a.lost = a.asked
		d := load(t, standardizedTable(t, rows), p.Schema)
		r := Run{Key: rng.TestKey(9), Workers: 2, Attempt: a}
		m, err := p.newMeans(d, r, newLayout(p, r.Workers))
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		learned, err := p.learn(d, r, counting{m.(*privacy.Mechanism), &steps})
		m.Close()
		if err != nil {
			t.Fatal(err)
		}
		moments := learned.Moments
		if a, b := moments[0], moments[1]; math.Abs(a.Mean+0.8) > 0.02 || a.Deviation > 0.1 || math.Abs(b.Mean+0.1) > 0.02 || math.Abs(b.Deviation-0.3) > 0.03 {
			t.Errorf("%s: moments %+v", name, moments)
		}
		for k, want := range classes {
			if w := learned.ClassWeights[k]; math.Abs(w/want-1) > 0.05 {
				t.Errorf("%s: class weights %v, want %v", name, learned.ClassWeights, classes)
			}
		}
		if steps != a.charged || steps < 2 || steps > 50 {
			t.Errorf("%s: %d steps asked again, and %d are charged", name, steps, a.charged)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMomentsKeepNoNumberOfRows gives sums of another number of rows than any table has: under add_or_remove_one the
// moments follow from them alone.
func TestMomentsKeepNoNumberOfRows(t *testing.T) {
	o := testOptions()
	o.Privacy.Adjacency, o.Rows, o.RowsAtMost = "add_or_remove_one", 0, 60_000
	p, err := NewPlan(o, standardizedSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	if length := p.Privacy.Queries[0].Length; length != 5 {
		t.Fatalf("the query has %d numbers, want 5", length)
	}
	scale := math.Sqrt(5)
	sum := []float64{5000 / scale, -4000 / scale, 500 / scale, 3300 / scale, 250 / scale}
	got := p.moments(answer{sum, 0})
	if m := got[0]; math.Abs(m.Mean+0.8) > 1e-12 || math.Abs(m.Deviation-math.Sqrt(0.66-0.64)) > 1e-12 {
		t.Errorf("moments %+v, want mean -0.8 and deviation √0.02", m)
	}
	for _, sum := range [][]float64{make([]float64, 5), {-1e9, 1, 1, 1, 1}, {1e-300, 1e300, -1e300, 1e300, -1e300}, {5, math.MaxFloat64, 0, -5, 0}} {
		for _, m := range p.moments(answer{sum, p.Privacy.Queries[0].NoiseMultiplier}) {
			if !(math.Abs(m.Mean) <= 1 && m.Deviation > 0 && m.Deviation <= 1) {
				t.Errorf("moments of %v: %+v", sum, m)
			}
		}
	}
}

// TestQueryVectorsAreWithinTheirBound holds every vector to L2 norm 1, but for a rounding.
func TestQueryVectorsAreWithinTheirBound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, length := range []int{2, 3, 10, 11} {
		width := length / 2
		d := &data.Dataset{Rows: 100, DenseWidth: width, Dense: make([]float32, 100*width)}
		for i := range d.Dense {
			d.Dense[i] = []float32{1, -1, 2*r.Float32() - 1, 0}[r.IntN(4)]
		}
		for j := range width {
			d.Dense[j] = 1 // the longest there is
		}
		columns := make([]int, width)
		for j := range columns {
			columns[j] = j
		}
		vectors := momentVectors(d, columns, length)
		longest := 0.0
		for row := range d.Rows {
			v := make([]float32, length)
			vectors(int32(row), v)
			norm := []float64{0}
			privacy.Vectors{Length: length, Values: v}.SquaredNorms(norm)
			longest = max(longest, norm[0])
		}
		if longest > 1+1e-6 || longest < 1-1e-6 {
			t.Errorf("length %d: the longest vector has a squared norm of %v, want 1", length, longest)
		}
	}
}

func TestQueriesTakeTheirShare(t *testing.T) {
	schema := standardizedSchema(t)
	for name, change := range map[string]func(*Options){
		"target":  func(*Options) {},
		"sampled": func(o *Options) { o.Train.SamplingProbability = pointer(0.1) },
		"rdp":     func(o *Options) { o.Privacy.Accountant = "rdp" },
		"replace": func(o *Options) { o.Privacy.Adjacency = "replace_one" },
		"noise":   func(o *Options) { o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = nil, pointer(20.0) },
		"noise, sampled": func(o *Options) {
			o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier, o.Train.SamplingProbability = nil, pointer(2.0), pointer(0.1)
		},
	} {
		o := testOptions()
		o.Train.EvenClasses, o.Privacy.HistogramShare = true, pointer(0.1)
		change(&o)
		p, err := NewPlan(o, schema)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if o.Privacy.TargetEpsilon != nil && (p.Claim.Upper > 2 || p.Claim.Upper < 1.995) {
			t.Errorf("%s: ε = %v, want 2 or a little less", name, p.Claim.Upper)
		}
		// A Gaussian mechanism that costs as much as everything has a μ of which the queries' squares are 3 % and 10 %: so
		// nearly, where sampled steps are no Gaussian mechanism themselves.
		sigma, err := accounting.NoiseMultiplier(p.Accountant, p.Claim.Upper, p.Mechanism.AccountedDelta(), func(s float64) accounting.Event {
			return accounting.Gaussian{NoiseMultiplier: s}
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, share := range []float64{usualShare, 0.1} {
			q := p.Privacy.Queries[i]
			if got := sigma * sigma / (q.NoiseMultiplier * q.NoiseMultiplier); math.Abs(got/share-1) > 0.05 || q.Share != share {
				t.Errorf("%s: query %s of σ = %v takes %v of μ², want %v", name, q.Name, q.NoiseMultiplier, got, share)
			}
		}
		text, err := accounting.MarshalEvent(p.Mechanism.Event(p.Train.Steps))
		if err != nil || strings.Count(string(text), `"gaussian"`) != 3 {
			t.Errorf("%s: the events are %s, %v", name, text, err)
		}
	}
}

func TestNewPlanRefusesQueries(t *testing.T) {
	for _, test := range []struct {
		key    string
		schema *data.Schema
		change func(*Options)
	}{
		{"privacy.standardize", testSchema(t), func(o *Options) { o.Privacy.StandardizeShare = pointer(0.1) }},
		{"privacy.class_weights", testSchema(t), func(o *Options) { o.Privacy.HistogramShare = pointer(0.1) }},
		{"privacy.standardize.share", standardizedSchema(t), func(o *Options) { o.Privacy.StandardizeShare = pointer(0.6) }},
		{"privacy.class_weights.share", standardizedSchema(t), func(o *Options) {
			o.Train.EvenClasses, o.Privacy.StandardizeShare, o.Privacy.HistogramShare = true, pointer(0.5), pointer(0.5)
		}},
		{"train.class_weights", testSchema(t), func(o *Options) { o.Train.ClassWeights = []float64{1} }},
		{"train.class_weights", testSchema(t), func(o *Options) { o.Train.ClassWeights = []float64{} }},
		{"train.class_weights[1]", testSchema(t), func(o *Options) { o.Train.ClassWeights = []float64{1, 0} }},
		{"train.class_weights[0]", testSchema(t), func(o *Options) { o.Train.ClassWeights = []float64{-1, 1} }},
	} {
		o := testOptions()
		test.change(&o)
		_, err := NewPlan(o, test.schema)
		if spec, ok := err.(*data.SpecError); !ok || spec.Key != test.key {
			t.Errorf("NewPlan with a bad %s = %v, want an error of that key", test.key, err)
		}
	}
}

func TestEvenWeights(t *testing.T) {
	for _, test := range []struct {
		histogram []float64
		noise     float64
		want      []float64
	}{
		{[]float64{700, 200, 100}, 0, []float64{1.0 / 7, 0.5, 1}},
		{[]float64{100, 100}, 5, []float64{1, 1}},
		{[]float64{1000, -30}, 10, []float64{0.02, 1}}, // what is not there counts as 20
		{[]float64{-5, -7}, 1, []float64{1, 1}},
		{[]float64{0.25, 4}, 0, []float64{1, 0.25}},
	} {
		got := evenWeights(answer{test.histogram, test.noise})
		for k, w := range test.want {
			if math.Abs(got[k]-w) > 1e-12 {
				t.Errorf("evenWeights(%v, %v) = %v, want %v", test.histogram, test.noise, got, test.want)
				break
			}
		}
	}
}

// TestClassWeightsMoveTheModel trains on rows that are alike but for their labels, of which one in four is yes: without
// weights the model says 1/4, with a weight of 3 on yes 1/2.
func TestClassWeightsMoveTheModel(t *testing.T) {
	s := testSchema(t)
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("x,c,y\n"+strings.Repeat("0.5,a,yes\n0.5,a,no\n0.5,a,no\n0.5,a,no\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := load(t, path, s)
	for _, test := range []struct {
		weights []float64
		want    float64
	}{{nil, 0.25}, {[]float64{1, 3}, 0.5}, {[]float64{10, 30}, 0.5}, {[]float64{3, 1}, 0.1}} {
		for _, exact := range []bool{true, false} {
			o := testOptions()
			o.NoPrivacy, o.Train.ClassWeights, o.Train.Steps = exact, test.weights, pointer(600)
			o.Privacy.TargetEpsilon = pointer(50.0)
			p, err := NewPlan(o, s)
			if err != nil {
				t.Fatal(err)
			}
			f, err := Fit(context.Background(), p, d, Run{Key: rng.TestKey(3), Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			m := &Model{Schema: s, Net: p.Net, Params: f.Params}
			probabilities, err := m.Predict(context.Background(), d)
			if err != nil {
				t.Fatal(err)
			}
			if got := probabilities[1]; math.Abs(got-test.want) > 0.06 {
				t.Errorf("weights %v, without privacy %v: the model says yes with %v, want %v", test.weights, exact, got, test.want)
			}
		}
	}
}

// TestModelKeepsWhatWasLearned reads a model back: it encodes tables as the fit that made it did.
func TestModelKeepsWhatWasLearned(t *testing.T) {
	o := testOptions()
	o.Rows = 500
	p, err := NewPlan(o, standardizedSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	path := standardizedTable(t, 500)
	d := load(t, path, p.Schema)
	before := slices.Clone(d.Dense)
	f, err := Fit(context.Background(), p, d, Run{Key: rng.TestKey(1), Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Dense, before) {
		t.Error("Fit has changed the table")
	}
	r, err := NewReport(p, f, false, "test")
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Schema: f.Encoding, Net: p.Net, Params: f.Params, Model: p.Model, Privacy: p.Privacy, Train: p.Train, Private: true}
	dir := t.TempDir()
	if err := Write(disk.OS{}, dir, m, r); err != nil {
		t.Fatal(err)
	}
	got, err := ReadModel(filepath.Join(dir, ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	with := d.Standardized(f.Encoding)
	if again := load(t, path, got.Schema); !slices.Equal(again.Dense, with.Dense) || !slices.Equal(again.Values, with.Values) {
		t.Error("the model encodes a table in another way than fit did")
	}
	if r.Declared.Data.Moments != nil || !reflect.DeepEqual(r.Learned, f.Learned) || len(f.Learned.Moments) != 2 {
		t.Errorf("the report declares %+v and says that %+v was learned", r.Declared.Data.Moments, r.Learned)
	}
	if len(r.Mechanism.Queries) != 1 || r.Mechanism.Queries[0].NoiseMultiplier != p.Privacy.Queries[0].NoiseMultiplier {
		t.Errorf("the report has the queries %+v", r.Mechanism.Queries)
	}
}

// TestLogsOfQueries reads logs that were damaged, or that end while queries were asked.
func TestLogsOfQueries(t *testing.T) {
	o := testOptions()
	o.Rows, o.Train.EvenClasses, o.Train.Steps = 60, true, pointer(40)
	p, err := NewPlan(o, standardizedSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	reserve := func(query string, count int) logEntry { return logEntry{Reserve: &logReserve{query, count}} }
	moments := []data.Moments{{Feature: "a", Mean: 0.5, Deviation: 0.5}, {Feature: "b", Mean: 0, Deviation: 1}}
	learned := func(m []data.Moments, w ...float64) logEntry { return logEntry{Learned: &Learned{m, w}} }
	good := []logEntry{reserve(queryMoments, 1), reserve(queryHistogram, 1), learned(moments, 1, 0.5, 1), reserve(querySteps, 3)}
	back := func(query string, n int) logEntry { return logEntry{Return: &logReserve{query, n}} }
	for _, test := range []struct {
		name    string
		entries []logEntry
		want    string // error, or empty
	}{
		{"steps given back", append(good[:4:4], back(querySteps, 2), good[3], back(querySteps, 1)), ""},
		{"all steps given back", append(good[:4:4], back(querySteps, 3)), "line 6 says what is not in the plan"},
		{"steps given back twice", append(good[:4:4], back(querySteps, 1), back(querySteps, 1)), "line 7 says what is not in the plan"},
		{"fewer than none given back", append(good[:4:4], back(querySteps, -1)), "line 6 says what is not in the plan"},
		{"steps given back before any", append(good[:3:3], back(querySteps, 1)), "line 5 says what is not in the plan"},
		{"steps given back after answers", []logEntry{good[0], good[1], good[3], good[2], back(querySteps, 1)}, "line 6 says what is not in the plan"},
		{"none given back", append(good[:4:4], back(querySteps, 0)), "line 6 says what is not in the plan"},
		{"a query's name given back", append(good[:4:4], back(queryMoments, 1)), "line 6 says what is not in the plan"},
		{"more given back than reserved last", append(good[:4:4], reserve(querySteps, 2), back(querySteps, 3)), "line 7 says what is not in the plan"},
		{"steps that ask given back", []logEntry{good[0], good[1], good[3], back(querySteps, 1)}, "line 5 says what is not in the plan"},
		{"a query given back", []logEntry{good[0], good[1], back(queryHistogram, 1)}, "line 4 says what is not in the plan"},
		{"nothing yet", nil, ""},
		{"all", good, ""},
		{"answers", good[:3], ""},
		{"one query lost", good[:1], ""},
		{"both lost", good[:2], ""},
		{"both lost, and asked again in vain", []logEntry{good[0], good[1], good[3], good[3]}, ""},
		{"both lost, and asked again", []logEntry{good[0], good[1], good[3], good[2], good[3]}, ""},
		{"steps first", []logEntry{reserve(querySteps, 3)}, "line 2 says what is not in the plan"},
		{"steps before the second query", []logEntry{good[0], good[3]}, "line 3 says what is not in the plan"},
		{"another order", []logEntry{good[1], good[0]}, "line 2 says what is not in the plan"},
		{"a query twice", []logEntry{good[0], good[0]}, "line 3 says what is not in the plan"},
		{"a query of two", []logEntry{reserve(queryMoments, 2)}, "line 2 says what is not in the plan"},
		{"answers first", []logEntry{good[2]}, "line 2 says what is not in the plan"},
		{"answers twice", []logEntry{good[0], good[1], good[2], good[2]}, "line 5 says what is not in the plan"},
		{"both in one", []logEntry{{Reserve: good[0].Reserve, Learned: good[2].Learned}}, "line 2 is not of a log"},
		{"too many steps", []logEntry{good[0], good[1], good[2], reserve(querySteps, 41)}, "line 5 says what is not in the plan"},
		{"no moments", []logEntry{good[0], good[1], learned(nil, 1, 0.5, 1)}, "answers to other queries"},
		{"other moments", []logEntry{good[0], good[1], learned(moments[:1], 1, 0.5, 1)}, "answers to other queries"},
		{"fewer weights", []logEntry{good[0], good[1], learned(moments, 1, 0.5)}, "answers to other queries"},
		{"negative weight", []logEntry{good[0], good[1], learned(moments, 1, 0.5, -1)}, "answers to other queries"},
	} {
		dir := t.TempDir()
		a, err := NewAttempt(disk.OS{}, dir, p, "run")
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Open(); err != nil {
			t.Fatal(err)
		}
		for _, e := range test.entries {
			if _, err := a.journal.Append(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		resumed, err := ResumeAttempt(disk.OS{}, dir, p)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: ResumeAttempt = %v, want %q", test.name, err, test.want)
		}
		if err == nil && (len(resumed.lost) > 0) != strings.Contains(test.name, "lost") && resumed.learned == nil {
			t.Errorf("%s: %v count as lost", test.name, resumed.lost)
		}
	}
}

package train

import (
	"slices"
	"testing"

	"dptrain/internal/data"
)

// lintedSpec is a table of which the linter has nothing to say.
func lintedSpec() data.Spec {
	return data.Spec{
		Missing: []string{""},
		Label:   data.Label{Name: "income", Classes: []string{"no", "yes"}},
		Features: []data.Feature{
			{Name: "age", Kind: data.Numeric, Min: pointer(17.0), Max: pointer(90.0), Edges: []float64{25, 37.5}},
			{Name: "job", Kind: data.Categorical, Values: []string{"clerk", "nurse"}},
		},
		RowNorm: 1,
	}
}

func TestLint(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*data.Spec, *Options)
		want   []string // code and key of each warning
	}{
		{"nothing", func(*data.Spec, *Options) {}, nil},
		{"identifier", func(s *data.Spec, _ *Options) { s.Features[1].Name = "customer_id" },
			[]string{"DP101 data.features[1].name", "DP102 privacy.unit"}},
		{"identifier and rows per person", func(s *data.Spec, o *Options) {
			s.Features[1].Name, o.Privacy.MaxRowsPerPerson = "Patient ID", 3
		}, []string{"DP101 data.features[1].name"}},
		{"split by customers", func(s *data.Spec, _ *Options) { s.Split = &data.Split{Test: 0.2, By: "customer_id"} }, []string{"DP102 privacy.unit"}},
		{"split by region", func(s *data.Spec, _ *Options) { s.Split = &data.Split{Test: 0.2, By: "region"} }, nil},
		{"large delta", func(_ *data.Spec, o *Options) { o.Privacy.Delta = 1.0 / 400 }, []string{"DP103 privacy.delta"}},
		{"just smaller delta", func(_ *data.Spec, o *Options) { o.Privacy.Delta = 0.99 / 400 }, nil},
		{"large epsilon", func(_ *data.Spec, o *Options) { o.Privacy.TargetEpsilon = pointer(11.0) }, []string{"DP104 privacy.target_epsilon"}},
		{"epsilon of 10", func(_ *data.Spec, o *Options) { o.Privacy.TargetEpsilon = pointer(10.0) }, nil},
		{"little noise", func(_ *data.Spec, o *Options) {
			o.Privacy.TargetEpsilon, o.Privacy.NoiseMultiplier = nil, pointer(3.0)
		}, []string{"DP104 privacy.noise_multiplier"}},
		{"copied bounds", func(s *data.Spec, _ *Options) {
			s.Features[0].Max, s.Features[0].Impute, s.Features[0].Edges[1] = pointer(99273.18), pointer(38.581), 37.125
		}, []string{"DP105 data.features[0].max", "DP105 data.features[0].impute", "DP105 data.features[0].edges[1]"}},
		{"limits of formats", func(s *data.Spec, _ *Options) {
			s.Features[0].Min, s.Features[0].Max = pointer(-32768.0), pointer(65535.0)
		}, []string{"DP105 data.features[0].min"}},
		{"limits of forms", func(s *data.Spec, _ *Options) { s.Features[0].Min, s.Features[0].Max = pointer(0.0), pointer(99999.0) }, nil},
		{"few rows", func(_ *data.Spec, o *Options) { o.Privacy.TargetEpsilon = pointer(0.5) }, []string{"DP106 data.label.classes"}},
		{"many classes", func(s *data.Spec, _ *Options) {
			s.Label.Classes = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}
		}, []string{"DP106 data.label.classes"}},
		{"personal classes", func(s *data.Spec, _ *Options) { s.Label.Classes[1] = "alice@example.com" }, []string{"DP107 data.label.classes[1]"}},
		{"personal label", func(s *data.Spec, _ *Options) { s.Label.Name = "userName" }, []string{"DP107 data.label.name"}},
		{"personal values", func(s *data.Spec, _ *Options) { s.Features[1].Values[0] = "Maria Müller" }, []string{"DP107 data.features[1].values[0]"}},
		{"counted cap", func(_ *data.Spec, o *Options) {
			o.Rows, o.RowsAtMost, o.Privacy.Adjacency = 0, 1437, "add_or_remove_one"
		}, []string{"DP108 data.rows_at_most"}},
		{"round cap", func(_ *data.Spec, o *Options) {
			o.Rows, o.RowsAtMost, o.Privacy.Adjacency = 0, 1450, "add_or_remove_one"
		}, nil},
		{"no privacy", func(_ *data.Spec, o *Options) { o.NoPrivacy = true }, []string{"DP110 "}},
	} {
		spec, o := lintedSpec(), testOptions()
		test.change(&spec, &o)
		schema, err := data.NewSchema(spec)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		p, err := NewPlan(o, schema)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		var got []string
		for _, w := range p.Warnings {
			got = append(got, w.Code+" "+w.Key)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: warnings %q, want %q", test.name, got, test.want)
		}
	}
}

func TestLooksLikeIdentifier(t *testing.T) {
	for name, want := range map[string]bool{
		"id": true, "ID": true, "customer_id": true, "customerId": true, "Patient-ID": true, "user.email": true, "SSN": true, "name": true,
		"full name": true, "phone": true, "account_number": true, "ip": true, "date_of_birth": true, "user.id": true,
		"age": false, "idle": false, "paid": false, "kid": false, "product_name": false, "number": false, "num_failed_logins": false, "state": false,
		"": false, "--": false, "hours-per-week": false, "message": false, "birth_weight": false, "phone_type": false, "house_number": false,
	} {
		if got := LooksLikeIdentifier(name); got != want {
			t.Errorf("LooksLikeIdentifier(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestLooksPersonal(t *testing.T) {
	for text, want := range map[string]bool{
		"alice@example.com": true, "Alice Smith": true, "Dr. No": true, "Maria del Mar": true, "+49 170 1234567": true, "078-05-1120": true,
		"": false, "card_lost": false, "Card Lost": false, "New York": false, "@": false, "<=50K": false, "1994": false, "Mark as read": false,
		"Alice": false, "Self-emp-not-inc": false, "Married-civ-spouse": false, "10th": false, "2026-11-25 model": false,
	} {
		if got := looksPersonal(text); got != want {
			t.Errorf("looksPersonal(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestSignificantDigits(t *testing.T) {
	for x, want := range map[float64]int{0: 1, 1: 1, 100000: 1, 1e9: 1, 0.001: 1, 1.5: 2, -12345: 5, 99273.18: 7, 3.14159: 6} {
		if got := significantDigits(x); got != want {
			t.Errorf("significantDigits(%v) = %d, want %d", x, got, want)
		}
	}
}

func TestAdvicesAreComplete(t *testing.T) {
	last := ""
	for _, a := range Advices() {
		if a.Code <= last {
			t.Errorf("%s comes after %s", a.Code, last)
		}
		last = a.Code
		if a.Title == "" || a.Why == "" || a.Do == "" || a.Example == "" {
			t.Errorf("%s is not explained", a.Code)
		}
	}
}

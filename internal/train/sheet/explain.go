package sheet

import (
	"fmt"
	"math"
	"strings"

	"dptrain/internal/data"
	"dptrain/internal/privacy/accounting"
)

// parameters explains every number of the promise.
func (s *Sheet) parameters() Section {
	r := s.Report
	m := r.Mechanism
	rows := []Row{
		{Name: "ε, the privacy loss", Value: show(r.Epsilon), Field: "epsilon",
			Note: "Any conclusion drawn from the model is at most e^ε times as likely with a row as without it. Smaller is stronger; the number is an upper bound, rounded up."},
		{Name: "δ, the chance of failing", Value: power(r.Delta), Field: "delta",
			Note: "The chance with which that bound may not hold. It should be well below 1 divided by the number of rows."},
		{Name: "σ, the noise multiplier", Value: number(r.NoiseMultiplier), Field: "noise_multiplier",
			Note: "Standard deviation of the noise added in each step, in units of C. More noise gives a smaller ε."},
		{Name: "C, the clipping norm", Value: number(r.MaxGradNorm), Field: "max_grad_norm",
			Note: "The most that one row can move a step: whatever it contributes is scaled down to this length."},
		{Name: "steps", Value: fmt.Sprint(r.Steps), Field: "steps",
			Note: fmt.Sprintf("How often the model looked at the rows. All planned steps are charged: %d planned, %d applied.", m.StepsPlanned, m.StepsApplied)},
		{Name: "q, the sampling probability", Value: number(m.SamplingProbability), Field: "mechanism.sampling_probability",
			Note: "The chance of a row to take part in a step; " + m.Sampler + "."},
		{Name: "divisor", Value: number(m.Divisor), Field: "mechanism.divisor",
			Note: "What turns a sum into a mean: " + m.DivisorConvention + "."},
		{Name: "unit of privacy", Value: r.Unit, Field: "unit",
			Note: "Who is protected: each row of the table by itself. " + personNote(r.Claim.Person != nil)},
		{Name: "neighbouring tables", Value: string(r.Adjacency), Field: "adjacency", Note: r.Claim.Definition + "."},
	}
	if p := r.Claim.Person; p != nil {
		rows = append(rows, Row{Name: fmt.Sprintf("ε for a person with up to %s", Count(p.MaxRows, "row")), Value: show(p.Epsilon), Field: "claim.person.epsilon",
			Note: "What is promised to a person who stands in several rows, at the same δ."})
	}
	if r.Private {
		rows = append(rows,
			Row{Name: "certified interval of ε", Value: interval(r.Claim.EpsilonLower, r.Claim.EpsilonUpper), Field: "claim.epsilon_lower",
				Note: "The true ε of the mechanism as accounted lies in between; the upper end is claimed."},
			Row{Name: "μ, Gaussian differential privacy", Value: show(r.Claim.MuGDP), Field: "claim.mu_gdp",
				Note: "Telling a row's presence is at least as hard as telling one draw of N(0, 1) from one of N(μ, 1)."},
			Row{Name: "accountant", Value: r.Accounting.Accountant + " " + r.Accounting.Version, Field: "accounting.accountant",
				Note: "The method that added up the steps. Rényi accounting, a second opinion, gives ε " + show(r.Accounting.EpsilonRDP) + "."},
			Row{Name: "lattice step", Value: number(m.LatticeStep), Field: "mechanism.lattice_step",
				Note: "Sums are exact integers in units of this step: no rounding of floating-point numbers can leak."},
			Row{Name: "η, rounding", Value: number(m.Eta), Field: "mechanism.eta",
				Note: "By how much rounding can raise what a row moves, relative to C; the noise is scaled up by as much."},
			Row{Name: "noise", Value: m.NoiseDistribution, Field: "mechanism.noise_distribution",
				Note: "Over the whole run it differs from a rounded continuous Gaussian by " + number(m.TotalVariation) + " in total variation at most, which is accounted for."})
	}
	for i, q := range m.Queries {
		rows = append(rows, Row{Name: fmt.Sprintf("query %d before the steps: %s", i+1, q.Name), Value: "σ = " + number(q.NoiseMultiplier), Field: "mechanism.queries",
			Note: fmt.Sprintf("Asked once of all rows, with noise, and paid for: %s of the budget. What it answered stands under learned.", percent(q.Share))})
	}
	rows = append(rows, Row{Name: "randomness", Value: m.Randomness, Field: "mechanism.randomness", Note: "Where coins and noise come from."})
	return Section{ID: "parameters", Title: "Every number, explained", Columns: []string{"what", "value", "meaning"}, Rows: rows}
}

func personNote(stated bool) string {
	if stated {
		return "A person with several rows has a bound of their own, below."
	}
	return "A person with several rows is protected less: ε holds for each of them."
}

// training explains what else the model depends on.
func (s *Sheet) training() Section {
	t := s.Report.Training
	net := "logistic regression"
	if len(t.Model.Hidden) > 0 {
		net = fmt.Sprintf("dense net with hidden layers %v, %s", t.Model.Hidden, t.Model.Activation)
	}
	return Section{ID: "training", Title: "How the model was trained",
		Lead:    "None of this costs privacy: it only works on what has been noised already.",
		Columns: []string{"what", "value", "meaning"},
		Rows: []Row{
			{Name: "model", Value: net, Field: "training.model", Note: fmt.Sprintf("%d parameters, each with noise of its own.", t.Parameters)},
			{Name: "optimizer", Value: t.Train.Optimizer, Field: "training.train.optimizer", Note: "How noisy means move the parameters."},
			{Name: "learning rate", Value: number(t.Train.LearningRate), Field: "training.train.learning_rate", Note: "How far each step goes."},
			{Name: "momentum", Value: number(t.Train.Momentum), Field: "training.train.momentum", Note: "How much of the last direction is kept."},
			{Name: "averaged", Value: number(100*t.Train.AverageLast) + " %", Field: "training.train.average_last", Note: "The share of the last steps whose mean is the model."},
			{Name: "weight decay", Value: number(t.Train.WeightDecay), Field: "training.train.weight_decay", Note: "Pull of the parameters towards zero."},
		}}
}

// declared lists what the config made public.
func (s *Sheet) declared() Section {
	d := s.Report.Declared
	rows := []Row{{Name: "number of rows", Value: fmt.Sprint(d.Rows), Field: "declared_public.rows", Note: "Public, and not protected."}}
	if d.RowsAtMost > 0 {
		rows = []Row{{Name: "number of rows", Value: fmt.Sprintf("at most %d", d.RowsAtMost), Field: "declared_public.rows_at_most",
			Note: "The cap is public; the number itself is protected."}}
	}
	rows = append(rows, Row{Name: "label", Value: d.Data.Label.Name, Field: "declared_public.data.label.name",
		Note: some("class", "classes", d.Data.Label.Classes)})
	for _, f := range d.Data.Features {
		rows = append(rows, Row{Name: f.Name, Value: string(f.Kind), Field: "declared_public.data.features", Note: featureNote(f)})
	}
	return Section{ID: "declared", Title: "What was declared public",
		Lead:    "The config states all of this without looking at the rows, and whoever has the model has it too.",
		Columns: []string{"column", "kind", "declared"}, Rows: rows}
}

// featureNote says in a few words what is declared of a column.
func featureNote(f data.Feature) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if f.Min != nil && f.Max != nil {
		add("from %s to %s", number(*f.Min), number(*f.Max))
	}
	if len(f.Edges) > 0 {
		add("cut into %d bins", len(f.Edges)+1)
	}
	if f.Standardize != "" {
		add("mean and deviation learned under the budget")
	}
	if f.Transform != "" {
		add("%s", f.Transform)
	}
	if len(f.Values) > 0 {
		add("%s", some("value", "values", f.Values))
	}
	if f.Buckets > 0 {
		add("hashed into %s", Count(f.Buckets, "bucket"))
	}
	if f.Size > 0 {
		add("%s", Count(f.Size, "element"))
	} else if f.Columns != nil {
		add("columns %s%d to %s%d", f.Columns.Prefix, f.Columns.First, f.Columns.Prefix, f.Columns.Last)
	}
	return strings.Join(parts, ", ")
}

// some lists the first few of many names.
func some(one, many string, names []string) string {
	const most = 8
	if len(names) == 1 {
		many = one
	}
	if len(names) > most {
		return fmt.Sprintf("%d %s: %s and %d more", len(names), many, strings.Join(names[:most], ", "), len(names)-most)
	}
	return fmt.Sprintf("%d %s: %s", len(names), many, strings.Join(names, ", "))
}

// evidence says how all of this is checked.
func (s *Sheet) evidence() Section {
	r := s.Report
	recomputed := "nothing to recompute"
	switch {
	case len(s.Check.Problems) > 0:
		recomputed = "does not agree"
	case r.Private:
		recomputed = "ε " + accounting.FormatUp(s.Check.Epsilon, 6) + ", agrees"
	}
	return Section{ID: "evidence", Title: "How to check this page",
		Lead:    "dptrain verify -m MODEL -r REPORT recomputes every derived field and holds the model against its hash.",
		Columns: []string{"what", "value", "meaning"},
		Rows: []Row{
			{Name: "recomputed", Value: recomputed, Field: "accounting.events", Note: "The report's own events were priced again while this page was made."},
			{Name: "report", Value: r.ReportID, Field: "report_id", Note: "SHA-256 of what the report says; the model file carries it."},
			{Name: "model", Value: r.Hashes.Model, Field: "hashes.model", Note: "SHA-256 of the model file that this report belongs to."},
			{Name: "config", Value: r.Hashes.Config, Field: "hashes.config", Note: "SHA-256 of the resolved config."},
			{Name: "dptrain", Value: r.Version, Field: "dptrain_version", Note: "The version that trained the model."},
		}}
}

// interval writes a lower and an upper bound, rounded outwards.
func interval(lower, upper *float64) string {
	if lower == nil || upper == nil {
		return "none"
	}
	return accounting.FormatDown(*lower, 6) + " to " + accounting.FormatUp(*upper, 6)
}

// number writes a number in its shortest usual form.
func number(x float64) string {
	if x != 0 && math.Abs(x) < 1e-3 {
		return fmt.Sprintf("%.3g", x)
	}
	return fmt.Sprintf("%.6g", x)
}

package sheet

import (
	"fmt"
	"strings"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
)

// The questions below are those of the sources, in our words; each answer names the field of the report that gives it,
// and a line that no report can answer says so.

// columns of a checklist.
func checklistColumns() []string { return []string{"asked", "answer", "field"} }

// outside is a line that a report cannot answer.
func outside(asked, answer string) Row { return Row{Name: asked, Value: answer, Silent: true} }

// claimOf is the claim in a few words.
func claimOf(r *train.Report) string {
	if r.Epsilon == nil {
		return "none"
	}
	return fmt.Sprintf("(%s, %s)-differential privacy", accounting.FormatUp(*r.Epsilon, 4), power(r.Delta))
}

// unitOf is who is protected.
func unitOf(r *train.Report) string {
	if p := r.Claim.Person; p != nil {
		return fmt.Sprintf("one %s; for a person with up to %d of them ε is %s", r.Unit, p.MaxRows, show(p.Epsilon))
	}
	return fmt.Sprintf("one %s; a person with several is not one unit", r.Unit)
}

// dpfy is the list of what a claim must state by "How to DP-fy ML".
func dpfy(r *train.Report) Section {
	return Section{ID: "dpfy", Title: "Checklist: How to DP-fy ML", Columns: checklistColumns(),
		Lead: "What a report of a guarantee should state: Ponomareva et al. 2023, arXiv:2303.00654, section 5.3. The wording of the lines is ours.",
		Rows: []Row{
			{Name: "Setting: who is trusted with the data", Value: r.Setting.Model, Field: "setting.model"},
			{Name: "Which accesses to the data the guarantee covers", Value: "all steps of one training run; nothing else was learned from the rows, or it stands in the list of events", Field: "accounting.events"},
			{Name: "What the mechanism gives out", Value: strings.Join(r.Setting.Covered, "; "), Field: "setting.covered"},
			{Name: "Unit of privacy", Value: unitOf(r), Field: "unit"},
			{Name: "Which tables are neighbours", Value: string(r.Adjacency), Field: "adjacency"},
			{Name: "Kind of accounting", Value: fmt.Sprintf("%s, upper end of a certified interval; RDP gives %s", r.Accounting.Accountant, show(r.Accounting.EpsilonRDP)), Field: "accounting.accountant"},
			{Name: "Assumptions of the accounting, and whether training met them", Value: r.Mechanism.Sampler + "; as accounted, by construction", Field: "mechanism.sampler"},
			{Name: "The formal statement", Value: claimOf(r), Field: "claim.definition"},
			{Name: "More of the privacy curve than one pair", Value: fmt.Sprintf("%d further pairs of ε and δ, and μ = %s", len(r.Claim.Deltas), show(r.Claim.MuGDP)), Field: "claim.delta_at_epsilon"},
			{Name: "Hyperparameters chosen by looking at the data", Value: "not covered: each further run on the same rows adds to the loss", Field: "setting.not_covered"},
			{Name: "Transparency: can others check it", Value: "the whole mechanism is stated; dptrain verify recomputes it", Field: "hashes.model"},
		}}
}

// nist is the pyramid of NIST SP 800-226, from its top down.
func nist(r *train.Report) Section {
	return Section{ID: "nist", Title: "Checklist: NIST SP 800-226", Columns: checklistColumns(),
		Lead: "Guidelines for Evaluating Differential Privacy Guarantees (March 2025), doi:10.6028/NIST.SP.800-226: what it asks of a claim, from the top of its pyramid down. The order and wording of the lines are ours.",
		Rows: []Row{
			{Name: "Privacy parameters", Value: claimOf(r), Field: "epsilon"},
			{Name: "Variant of the definition", Value: "approximate differential privacy; also as μ-GDP, μ = " + show(r.Claim.MuGDP), Field: "claim.mu_gdp"},
			{Name: "Unit of privacy", Value: unitOf(r), Field: "claim.person"},
			{Name: "Bounded or unbounded", Value: string(r.Adjacency), Field: "adjacency"},
			{Name: "Composition with other releases", Value: "this run alone; losses of several runs on one table add up", Field: "setting.not_covered"},
			{Name: "Mechanism and its correctness", Value: fmt.Sprintf("%s; %s", r.Mechanism.Clipping, r.Mechanism.NoiseDistribution), Field: "mechanism.clipping"},
			outside("Utility", "not in this report: dptrain eval on a held-out table shows it, dptrain tradeoff over ε"),
			outside("Bias", "not in this report: noise weighs most on small groups; dptrain eval --by COLUMN shows the gap"),
			{Name: "Trust model", Value: r.Setting.Model, Field: "setting.model"},
			{Name: "Floating-point attacks", Value: fmt.Sprintf("integer sums on a lattice, discrete noise; η = %s", number(r.Mechanism.Eta)), Field: "mechanism.eta"},
			{Name: "Source of randomness", Value: r.Mechanism.Randomness, Field: "mechanism.randomness"},
			{Name: "Side channels", Value: "running time and memory are not covered", Field: "setting.not_covered"},
			outside("Data security and access control", "not in this report: how table, config and model are kept"),
			outside("Exposure while data are collected", "not in this report: the guarantee begins when the table is read"),
		}}
}

// law is what readers of three laws ask of such a claim. It quotes none of them and concludes nothing: a bound on
// recognising one row is evidence about identification, not a finding that nobody is identifiable.
//
// Sources: Regulation (EU) 2016/679, recital 26 and articles 4(1), 4(5), 17, 25 and 35; Article 29 Working Party,
// Opinion 05/2014 (WP216), whose three criteria are singling out, linkability and inference; Cal. Civ. Code
// § 1798.140(m) as in force since 2023; 45 CFR 164.514(b)(1)(i) and (ii), and (b)(2).
func law(r *train.Report) Section {
	attack := "no bound"
	if r.Claim.AttackSuccess != nil {
		attack = fmt.Sprintf("with 1 %% false alarms, membership of one %s is recognised at most %s of the time", r.Unit, percent(*r.Claim.AttackSuccess))
	}
	s := Section{ID: "law", Title: "What a reader of privacy law may ask", Columns: checklistColumns(),
		Lead: "Evidence for an assessment that people make. Nothing here says that a law is complied with: that depends on purpose, consent, contracts and security, which no report of a training run can know. GDPR is Regulation (EU) 2016/679; CCPA is California Civil Code 1798.100 and following, as amended by the CPRA; HIPAA is its Privacy Rule, 45 CFR 164.",
		Rows: []Row{
			{Name: "GDPR, recital 26: what bounds the means to single a person out by the model", Value: attack, Field: "claim.tpr_at_1pct_fpr"},
			{Name: "GDPR, recital 26: against whom, with which further sources of data", Value: "whoever knows every other row, the config and the program, with any computing power", Field: "claim.statement"},
			{Name: "WP29 Opinion 05/2014 (WP216): singling out and linkability", Value: "no record is given out; " + attack, Field: "setting.covered"},
			{Name: "WP29 Opinion 05/2014 (WP216): inference", Value: "what a person's own row adds is bounded; what the model says of people like them is not, and is what a model is for", Field: "claim.definition"},
			outside("GDPR, article 4(5): pseudonymisation of the table", "not in this report: the table is read as it is, and remains what it was"),
			{Name: "GDPR, article 25: which measure was built in", Value: fmt.Sprintf("clipping to C = %s and noise of σ = %s in every step, before anything is learned", number(r.MaxGradNorm), number(r.NoiseMultiplier)), Field: "mechanism.noise_distribution"},
			{Name: "GDPR, article 35: what remains at risk", Value: fmt.Sprintf("among others, the %d things listed as not covered", len(r.Setting.NotCovered)), Field: "setting.not_covered"},
			{Name: "GDPR, article 17: how much does the model depend on one person's row", Value: claimOf(r) + ": that far at most. Whether it answers a request to erase is for a lawyer to say", Field: "claim.definition"},
			{Name: "CCPA, section 1798.140(m): what bounds what is inferred about, or linked to, a consumer", Value: attack, Field: "claim.tpr_at_1pct_fpr"},
			{Name: "CCPA, section 1798.140(m)(1): which technical measure keeps it from being associated", Value: claimOf(r), Field: "claim.definition"},
			outside("CCPA, section 1798.140(m)(2) and (3): public commitment, and contracts with recipients", "not in this report: commitments of the business"),
			{Name: "HIPAA, 45 CFR 164.514(b)(1)(i): what an expert can take as a bound on the risk, and by which method", Value: claimOf(r) + "; " + attack, Field: "accounting.events"},
			outside("HIPAA, 45 CFR 164.514(b)(1): a qualified person determines that the risk is very small", "not in this report: the rule gives no number, and no program is that person"),
			{Name: "HIPAA, 45 CFR 164.514(b)(1)(ii): are methods and results documented", Value: "those of the training: this report, and the config it has the hash of", Field: "hashes.config"},
			outside("HIPAA, 45 CFR 164.514(b)(2): identifiers removed from the records", "not in this report: the table is read as it is declared"),
		}}
	for i := range s.Rows {
		if row := &s.Rows[i]; !r.Private && !row.Silent {
			row.Value = "nothing: this run is not private"
		}
	}
	return s
}

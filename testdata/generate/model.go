package main

import "math/rand/v2"

// The model. An intent is drawn by its prior. Given the intent, independently of each other:
//
//   - the plan, by the intent's weights;
//   - the bracket of the tenure, by the intent's weights, then the month, uniform inside it;
//   - one clause, and with probability twoClauses a second. Each comes from the intent's own clauses with probability
//     1-stray, else from those of an intent that it is related to; uniformly.
//
// Everything else is drawn alike for all intents and so tells nothing of them: greetings, closings, the words in the
// clauses' slots, typing errors, and which cells are missing. The posterior of the intent is therefore a product of
// these few factors (see posterior), and no classifier is better than its largest term.
const (
	twoClauses    = 0.6
	stray         = 0.10
	missingPlan   = 0.03
	missingTenure = 0.03
)

// tenureBrackets are the first months of the brackets, and the end of the last.
func tenureBrackets() [5]int { return [5]int{0, 3, 12, 36, 120} }

func plans() [4]string { return [4]string{"free", "plus", "family", "business"} }

// An intent is a class, and how its messages are drawn.
type intent struct {
	name    string
	prior   float64
	plans   [4]float64 // P(plan | intent)
	tenures [4]float64 // P(bracket of tenure | intent)
	related [2]int     // the intents whose clauses stray into its messages
	clauses []string   // no clause is in two lists; {slots} are filled by expand
}

// A record is a row, with the draws that made it.
type record struct {
	intent  int
	plan    int // -1 where it is missing
	months  int // -1 where it is missing
	clauses []clause
	message string
}

// A clause is number of the list of an intent.
type clause struct{ intent, number int }

// source draws. It takes nothing but the words of a PCG, whose algorithm is fixed: the tables are the same under any
// release of Go and on any machine.
type source struct{ pcg *rand.PCG }

func newSource(seed uint64) *source { return &source{rand.NewPCG(seed, 0x9e3779b97f4a7c15)} }

// uniform is in [0, 1), a multiple of 2^-53.
func (s *source) uniform() float64 { return float64(s.pcg.Uint64()>>11) / (1 << 53) }

// happens is true with probability p.
func (s *source) happens(p float64) bool { return s.uniform() < p }

// index is uniform in [0, n).
func (s *source) index(n int) int { return int(s.uniform() * float64(n)) }

// weighted is i with probability weights[i]; they sum to 1.
func (s *source) weighted(weights ...float64) int {
	u := s.uniform()
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func (s *source) records(n int) []record {
	all := intents()
	priors := make([]float64, len(all))
	for i := range all {
		priors[i] = all[i].prior
	}
	records := make([]record, n)
	for i := range records {
		records[i] = s.record(all, s.weighted(priors...))
	}
	return records
}

func (s *source) record(all []intent, class int) record {
	it := &all[class]
	r := record{intent: class, plan: s.weighted(it.plans[:]...)}
	bracket, first := s.weighted(it.tenures[:]...), tenureBrackets()
	r.months = first[bracket] + s.index(first[bracket+1]-first[bracket])
	r.clauses = append(r.clauses, s.clause(all, class))
	if s.happens(twoClauses) {
		r.clauses = append(r.clauses, s.clause(all, class))
	}
	r.message = s.message(all, r.clauses)
	if s.happens(missingPlan) {
		r.plan = -1
	}
	if s.happens(missingTenure) {
		r.months = -1
	}
	return r
}

func (s *source) clause(all []intent, class int) clause {
	if s.happens(stray) {
		class = all[class].related[s.index(2)]
	}
	return clause{class, s.index(len(all[class].clauses))}
}

// posterior is the intent's probability given all that is drawn by it, up to a factor that all intents share.
func posterior(all []intent, class int, r *record) float64 {
	it := &all[class]
	p := it.prior
	if r.plan >= 0 {
		p *= it.plans[r.plan]
	}
	if r.months >= 0 {
		bracket, first := 0, tenureBrackets()
		for r.months >= first[bracket+1] {
			bracket++
		}
		p *= it.tenures[bracket] / float64(first[bracket+1]-first[bracket])
	}
	for _, c := range r.clauses {
		var topic float64 // probability that a clause is of c's intent
		if c.intent == class {
			topic = 1 - stray
		}
		for _, related := range it.related {
			if c.intent == related {
				topic += stray / 2
			}
		}
		p *= topic / float64(len(all[c.intent].clauses))
	}
	return p
}

// bayesAccuracy is the share of records whose intent has the largest posterior: no classifier expects more.
func bayesAccuracy(records []record) float64 {
	all := intents()
	right := 0
	for i := range records {
		best := 0
		for class := range all {
			if posterior(all, class, &records[i]) > posterior(all, best, &records[i]) {
				best = class
			}
		}
		if best == records[i].intent {
			right++
		}
	}
	return float64(right) / float64(len(records))
}

func commonestPrior() float64 {
	var p float64
	for _, it := range intents() {
		p = max(p, it.prior)
	}
	return p
}

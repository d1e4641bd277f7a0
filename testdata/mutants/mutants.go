package main

// The packages whose tests notice faults.
const (
	mechanism = "./internal/privacy"
	latticePk = "./internal/privacy/lattice"
	rngPk     = "./internal/privacy/rng"
	prices    = "./internal/privacy/accounting"
	learning  = "./internal/train"
	nets      = "./internal/train/nn"
	tables    = "./internal/data"
	program   = "./cmd/dptrain"
)

// fitRun is where the command fit runs a plan.
const (
	fitRun = "cmd/dptrain/fit_run.go"
)

// mutants lists the faults: what has gone wrong in programs of this kind, and what could go wrong in this one.
func mutants() []mutant {
	var all []mutant
	for _, list := range [][]mutant{noiseFaults(), samplingFaults(), clippingFaults(), countingFaults(), claimFaults(), queryFaults(), tellingFaults(), keepingFaults()} {
		all = append(all, list...)
	}
	return all
}

// noiseFaults spoil what is added to the sum.
func noiseFaults() []mutant {
	const file = "internal/privacy/mechanism.go"
	return []mutant{
		{name: "σ halved where the mechanism is made", short: true, tests: []string{mechanism}, run: "Noise",
			edits: []edit{{file, "lattice.NewGaussian(p.Lattice.Parameter)", "lattice.NewGaussian(p.Lattice.Parameter / 2)"}}},
		{name: "σ halved, as selftest sees it", tests: []string{learning}, run: "Selftest",
			edits: []edit{{file, "lattice.NewGaussian(p.Lattice.Parameter)", "lattice.NewGaussian(p.Lattice.Parameter / 2)"}}},
		{name: "σ halved, as audit sees it", short: true, tests: []string{program}, run: "AuditStays",
			edits: []edit{{file, "lattice.NewGaussian(p.Lattice.Parameter)", "lattice.NewGaussian(p.Lattice.Parameter / 2)"}}},
		{name: "σ halved where the lattice is chosen", tests: []string{latticePk},
			edits: []edit{{"internal/privacy/lattice/choose.go", "math.Ceil(d.NoiseMultiplier *", "math.Ceil(0.5 * d.NoiseMultiplier *"}}},
		{name: "noise not scaled up for what rounding adds (η)", tests: []string{latticePk},
			edits: []edit{{"internal/privacy/lattice/choose.go", "d.NoiseMultiplier * d.Bound * (1 + d.eta(step)) / step", "d.NoiseMultiplier * d.Bound / step"}}},
		{name: "no noise", tests: []string{mechanism}, run: "Noise|Charged",
			edits: []edit{{file, "n.gaussian.Add(sum, stream)", ""}}},
		{name: "noise once for two steps", short: true, tests: []string{mechanism}, run: "Noise",
			edits: []edit{{file, "n.gaussian.Add(sum, stream)", "if step%2 == 0 {\n\t\tn.gaussian.Add(sum, stream)\n\t}"}}},
		{name: "two steps draw the same noise", tests: []string{mechanism}, run: "Noise",
			edits: []edit{{file, "n.source.Open(stream, step, t)", "n.source.Open(stream, step/2, t)"}}},
		{name: "blocks of coordinates draw the same noise", tests: []string{mechanism}, run: "Noise",
			edits: []edit{{file, "n.source.Open(stream, step, t)", "n.source.Open(stream, step, 0)"}}},
		{name: "workers draw the same noise", tests: []string{mechanism}, run: "Noise|Workers",
			edits: []edit{{file, "m.noise.addNoise(sum, m.step, uint64(b), &m", "m.noise.addNoise(sum, m.step, uint64(w), &m"}}},
		{name: "noise and coins share their streams", tests: []string{rngPk},
			edits: []edit{{"internal/privacy/rng/rng.go", `return "noise"`, `return "coins"`}}},
		{name: "the sum divided before its noise", tests: []string{mechanism}, run: "Noise|Mean",
			edits: []edit{{file, "m.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)", "for j := range sum {\n\t\tsum[j] /= int64(max(1, m.plan.Divisor()))\n\t}\n\tm.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)"},
				{file, "m.plan.Lattice.Step/m.plan.Divisor()", "m.plan.Lattice.Step"}}},
		{name: "noise before clipping: the noisy sum is clipped", tests: []string{mechanism}, run: "Noise",
			edits: []edit{{file, "m.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)", "m.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)\n\tlimit := int64(m.plan.Clipper.Bound() / m.plan.Lattice.Step)\n\tfor j := range sum {\n\t\tsum[j] = max(-limit, min(limit, sum[j]))\n\t}"}}},
		{name: "refused words of the sampler are used", tests: []string{latticePk},
			edits: []edit{{"internal/privacy/lattice/gaussian.go", "if low <= s.refuse {\n\t\treturn 0, false\n\t}", "_ = low"}}},
		{name: "half the noise on counts", tests: []string{mechanism}, run: "Counts|Laplace",
			edits: []edit{{"internal/privacy/counts.go", "int64((u + countsUnit*v) / numerator)", "int64((u + countsUnit*v) / (2 * numerator))"}}},
		{name: "no noise on a count twice as often as it should be", tests: []string{mechanism}, run: "Counts|Laplace",
			edits: []edit{{"internal/privacy/counts.go", "if size > 0 {", "if size >= 0 {"}}},
		{name: "every run draws the same randomness", tests: []string{program}, run: "Runs",
			edits: []edit{{fitRun, "return rng.NewKey(rand.Reader)", "_ = rand.Reader\n\treturn rng.TestKey(7), nil"}}},
		{name: "a resumed run draws from the streams of the one before", tests: []string{program}, run: "Resumed",
			edits: []edit{{fitRun, "key, err := o.key()\n", "key, err := o.key()\n\tif attempt != nil {\n\t\tkey = rng.TestKey(uint64(len(attempt.Run())))\n\t}\n"}}},
		{name: "a key of fewer bytes than asked for", tests: []string{rngPk},
			edits: []edit{{"internal/privacy/rng/rng.go", "io.ReadFull(source, key.secret[:])", "source.Read(key.secret[:])"}}},
	}
}

// samplingFaults spoil who joins a step.
func samplingFaults() []mutant {
	const file, mech, sum = "internal/privacy/sampler.go", "internal/privacy/mechanism.go", "internal/privacy/sum.go"
	return []mutant{
		{name: "q doubled where coins are thrown", short: true, tests: []string{mechanism}, run: "Poisson|Rows",
			edits: []edit{{file, "top, rest := byte(p.threshold>>56)", "top, rest := byte(min(255, p.threshold>>55))"}}},
		{name: "q halved where it is accounted", tests: []string{mechanism}, run: "Plan|Coins",
			edits: []edit{{file, "SamplingProbability: p.probability, Event", "SamplingProbability: p.probability / 2, Event"}}},
		{name: "coins rounded down", tests: []string{mechanism}, run: "Coins",
			edits: []edit{{file, "math.Ceil(math.Ldexp(q, 64))", "math.Floor(math.Ldexp(q, 64))"}}},
		{name: "batches of a fixed size under Poisson accounting", tests: []string{mechanism}, run: "Poisson",
			edits: []edit{{file, "\ttop, rest := byte(p.threshold>>56)", "\tif stride := int(1 / p.probability); stride > 0 {\n\t\tfor i := lo; i < hi; i += stride {\n\t\t\tdst = append(dst, int32(i))\n\t\t}\n\t\treturn dst\n\t}\n\ttop, rest := byte(p.threshold>>56)"}}},
		{name: "ranges throw the same coins", tests: []string{mechanism}, run: "Rows",
			edits: []edit{{sum, "m.coins.Open(coins, m.step, uint64(t))", "m.coins.Open(coins, m.step, 0)"}}},
		{name: "steps throw the same coins", tests: []string{mechanism}, run: "Rows",
			edits: []edit{{sum, "m.coins.Open(coins, m.step, uint64(t))", "m.coins.Open(coins, 0, uint64(t))"}}},
		{name: "the last slot never joins", tests: []string{mechanism}, run: "Slot",
			edits: []edit{{sum, "hi := min(lo+m.plan.Ranges.Slots, m.plan.Slots)", "hi := min(lo+m.plan.Ranges.Slots, m.plan.Slots-1)"}}},
		{name: "full batch accounted as if sampled", tests: []string{mechanism}, run: "Plan",
			edits: []edit{{file, "func (fullBatch) Event(step accounting.Event) accounting.Event { return step }",
				"func (fullBatch) Event(step accounting.Event) accounting.Event {\n\treturn accounting.PoissonSampled{SamplingProbability: 0.5, Event: step}\n}"}}},
		{name: "an order-preserving map from rows to slots", short: true, tests: []string{mechanism}, run: "Scatter",
			edits: []edit{{"internal/privacy/slots.go", "s.rows = slots\n", "s.rows = nil\n"}}},
		{name: "rows and slots the wrong way round", tests: []string{mechanism}, run: "Scatter",
			edits: []edit{{"internal/privacy/slots.go", "\tinvert(slots)\n", ""}}},
		{name: "an undeclared row moves the others to other slots", tests: []string{mechanism}, run: "Null|Each",
			edits: []edit{{"internal/privacy/slots.go", "int(null[0]) == slot {", "slot >= rows {"}}},
		{name: "rows crowd into the first slots", tests: []string{mechanism}, run: "Scatter",
			edits: []edit{{"internal/privacy/slots.go", "slot := int(stream.Uint64n(uint64(count)))", "slot := int(stream.Uint64n(uint64(rows)))"}}},
		{name: "divisor from the drawn batch", short: true, tests: []string{mechanism}, run: "Mean|Noise",
			edits: []edit{{mech, "m.plan.Lattice.Step/m.plan.Divisor()", "m.plan.Lattice.Step/float64(max(1, len(m.workers[0].drawn)))"}}},
		{name: "an empty draw releases nothing", tests: []string{mechanism}, run: "Charged",
			edits: []edit{{mech, "m.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)", "if len(m.workers[0].drawn) > 0 {\n\t\tm.noise.addNoise(sum, m.step, uint64(b), &m.workers[w].noise)\n\t}"}}},
	}
}

// clippingFaults spoil the bound on what one row can change.
func clippingFaults() []mutant {
	const file, sum, batch = "internal/privacy/clip.go", "internal/privacy/sum.go", "internal/train/nn/batch.go"
	const products = "internal/privacy/lattice/products.go"
	return []mutant{
		{name: "the bias left out of a norm", short: true, tests: []string{nets, mechanism}, run: "Norms|Moves",
			edits: []edit{{batch, "deltas[j] * (inputs[j] + 1)", "deltas[j] * inputs[j]"}}},
		{name: "per-layer clipping counted once", tests: []string{nets, mechanism}, run: "Norms|Moves",
			edits: []edit{{batch, "dst[j] += deltas[j] * (inputs[j] + 1)", "dst[j] = max(dst[j], deltas[j]*(inputs[j]+1))"}}},
		{name: "the sparse inputs left out of a norm", tests: []string{nets, mechanism}, run: "Norms|Moves",
			edits: []edit{{batch, "dst[i] += float64(v) * float64(v)", "_, _ = i, v"}}},
		{name: "a repeated sparse column", tests: []string{nets}, run: "Check",
			edits: []edit{{"internal/train/nn/table.go", "j > 0 && columns[j] <= columns[j-1]", "j > 0 && columns[j] < columns[j-1]"}}},
		{name: "no clipping, as audit sees it", tests: []string{program}, run: "AuditStays",
			edits: []edit{{file, "scale[i] = roundDown(bound / norm)", "scale[i] = 1"}}},
		{name: "no clipping", tests: []string{mechanism}, run: "Scale|Moves",
			edits: []edit{{file, "scale[i] = roundDown(bound / norm)", "scale[i] = 1"}}},
		{name: "the factor rounded up", tests: []string{mechanism}, run: "Round|Scale",
			edits: []edit{{file, "math.Float32bits(y) - above", "math.Float32bits(y) + 1 - above"}}},
		{name: "no room for rounding in the factor", tests: []string{mechanism}, run: "Scale",
			edits: []edit{{file, "bound := f.norm * (1 - 0x1p-22)", "bound := f.norm"}}},
		{name: "a row scaled by the norm of the group before", tests: []string{mechanism}, run: "Moves|Mean",
			edits: []edit{{sum, "m.plan.Clipper.Scale(scale, norms)\n\tg.Scale(scale)", "g.Scale(scale)\n\tm.plan.Clipper.Scale(scale, norms)"}}},
		{name: "a row that is not finite is not null", tests: []string{mechanism}, run: "Scale|Drawn",
			edits: []edit{{file, "scale[i] = 0\n\t\t}", "scale[i] = 1\n\t\t}"}}},
		{name: "a null row's NaN let through", short: true, tests: []string{nets}, run: "Null",
			edits: []edit{{batch, "clear(b.outputs[i][r*l.out : (r+1)*l.out])", "_ = r"}}},
		{name: "the sum carried over into the next range", tests: []string{latticePk, mechanism}, run: "RoundAdd|Drawn|Moves",
			edits: []edit{{"internal/privacy/lattice/round.go", "src[j] = 0", "src[j] = v"}}},
		{name: "sparse coordinates added before they are clipped", tests: []string{mechanism}, run: "Moves|Sparse",
			edits: []edit{{sum, "\tg.Scale(scale)\n\tif k.products != nil {\n\t\tg.AddProducts(k.addProduct)\n\t}\n", "\tif k.products != nil {\n\t\tg.AddProducts(k.addProduct)\n\t}\n\tg.Scale(scale)\n"}}},
		{name: "a full column of products overflows", short: true, tests: []string{latticePk}, run: "Products",
			edits: []edit{{products, "= 127 // products", "= 129 // products"}}},
		{name: "a full column's products forgotten", tests: []string{latticePk}, run: "Products",
			edits: []edit{{products, "p.taken[column] = carried + 1", "p.taken[column] = 1"}}},
		{name: "the rounding of products left out of η", tests: []string{latticePk}, run: "Choose|NoLonger",
			edits: []edit{{"internal/privacy/lattice/choose.go", "sums + math.Sqrt(float64(d.Products))*d.productStep(step)/(2*d.Bound)", "sums"}}},
		{name: "a plan that does not tell its lattice of products", tests: []string{mechanism}, run: "Eta",
			edits: []edit{{"internal/privacy/plan.go", "Products:        s.Sparse.coordinates(),", "Products: 0,"}}},
		{name: "all columns taken for empty when one is carried over", tests: []string{latticePk}, run: "Products",
			edits: []edit{{products, "p.taken[column] = carried + 1", "clear(p.taken)\n\tp.taken[column] = carried + 1"}}},
		{name: "products rounded to a coarser step than η says", tests: []string{latticePk}, run: "Products",
			edits: []edit{{products, "inverse: float32(1 / l.ProductStep), shift: exponent - 1,", "inverse: float32(0.5 / l.ProductStep), shift: exponent,"}}},
		{name: "products of a step carried over into the next", tests: []string{latticePk, mechanism}, run: "Widen|Products|Sparse",
			edits: []edit{{products, "\tclear(src)\n", ""}}},
		{name: "ranges cut by drawn rows, not by slots", tests: []string{mechanism}, run: "Groups",
			edits: []edit{{sum, "AddTo(k.range32, m.plan.Sparse.coordinates(), m.plan.Params)\n", "AddTo(k.range32, m.plan.Sparse.coordinates(), m.plan.Params)\n\t\tlattice.RoundAdd(k.sum, k.range32, 1/m.plan.Lattice.Step)\n"}}},
	}
}

// countingFaults spoil what is charged.
func countingFaults() []mutant {
	const file, fit = "internal/privacy/mechanism.go", "internal/train/fit.go"
	return []mutant{
		{name: "a step not charged", short: true, tests: []string{mechanism}, run: "Charged",
			edits: []edit{{file, "m.plan.Event(m.drawn)", "m.plan.Event(max(0, m.drawn-1))"}}},
		{name: "fit runs a step more than planned", tests: []string{learning}, run: "Fit",
			edits: []edit{{fit, "for l.next < p.Train.Steps {", "for l.next < p.Train.Steps+1 {"}}},
		{name: "a step drawn before it is reserved on disk", short: true, tests: []string{learning}, run: "Crash|Killed",
			edits: []edit{{fit, "\t\tif err := keep.reserve(); err != nil {\n\t\t\treturn nil, err\n\t\t}\n", ""},
				{fit, "\t\tl.learned()\n", "\t\tif err := keep.reserve(); err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t\tl.learned()\n"}}},
		{name: "a run that is told to stop gives back a step that it drew", tests: []string{learning}, run: "Resumed",
			edits: []edit{{"internal/train/learner.go", "k.attempt.giveBack(k.attempt.charged-k.learner.next)", "k.attempt.giveBack(k.attempt.charged-k.learner.next+1)"}}},
		{name: "a run that is told to stop gives back what an earlier attempt lost", tests: []string{learning}, run: "Stopped",
			edits: []edit{{"internal/train/learner.go", "giveBack(k.attempt.charged-k.learner.next)", "giveBack(k.attempt.charged-k.learner.applied)"}}},
		{name: "a resumed run has all its steps again", tests: []string{learning}, run: "Crash|Killed|Resume",
			edits: []edit{{"internal/train/learner.go", "l.next = r.Attempt.charged", "l.next = l.applied"}}},
		{name: "a reservation that is not synced", tests: []string{"./internal/train/disk", learning, program}, run: "Journal|Crash|Killed|Fault",
			edits: []edit{{"internal/train/disk/journal.go", "\t\terr = j.file.Sync()\n", ""}}},
		{name: "a model whose bytes are not on disk when it gets its name", tests: []string{"./internal/train/disk", learning, program}, run: "Crash|Killed|Fault|File|Write",
			edits: []edit{{"internal/train/disk/atomic.go", "\t\terr = f.Sync()\n", ""}}},
		{name: "the report charges a step less", tests: []string{learning, program}, run: "Report|Fit",
			edits: []edit{{"internal/train/report.go", "charged := max(p.Train.Steps, fitted.Steps)", "charged := max(p.Train.Steps, fitted.Steps) - 1"}}},
		{name: "no part of δ set aside for the arithmetic", tests: []string{mechanism}, run: "Plan",
			edits: []edit{{"internal/privacy/plan.go", "return delta * (1 - arithmeticShare)", "return delta"}}},
		{name: "what the lattice adds to ε forgotten", tests: []string{mechanism}, run: "Plan",
			edits: []edit{{"internal/privacy/plan.go", "interval.Upper + p.ExtraEpsilon(steps); epsilon", "interval.Upper; epsilon"}}},
		{name: "replacing a row priced like nulling one", tests: []string{prices}, run: "Replace",
			edits: []edit{{"internal/privacy/accounting/event.go", "return 2\n", "return 1\n"}}},
		{name: "a tail of ranges that is too small", tests: []string{mechanism}, run: "Tail",
			edits: []edit{{"internal/privacy/ranges.go", "a := float64(k+1) / float64(n)", "a := float64(k+2) / float64(n)"}}},
	}
}

// claimFaults spoil what is said of the run.
func claimFaults() []mutant {
	const report = "internal/train/report.go"
	return []mutant{
		{name: "the lower end of ε claimed", tests: []string{mechanism}, run: "Plan",
			edits: []edit{{"internal/privacy/plan.go", "epsilon := interval.Upper + p.ExtraEpsilon(steps)", "epsilon := interval.Lower + p.ExtraEpsilon(steps)"}}},
		{name: "a claimed ε rounded down", tests: []string{learning, program}, run: "Report|Fit",
			edits: []edit{{report, "upper := accounting.RoundUp(bracket.Upper, claimDigits)", "upper := accounting.RoundDown(bracket.Upper, claimDigits)"}}},
		{name: "a seeded run called private", short: true, tests: []string{learning, program}, run: "Seed|Report|Fit|Private",
			edits: []edit{{report, `Private: void == "", Delta`, "Private: true, Delta"}}},
		{name: "a run without noise claims an ε", tests: []string{learning, program}, run: "Noiseless|Privacy|Private|Report",
			edits: []edit{{report, "return noiselessRun\n", "return \"\"\n"}}},
		{name: "--require-private lets a seed pass", tests: []string{program}, run: "Fit|Seed",
			edits: []edit{{"cmd/dptrain/fit.go", `if void != "" && o.requirePrivate {`, `if void != "" && o.requirePrivate && o.quiet {`}}},
		{name: "--max-epsilon held against half of ε", tests: []string{program}, run: "MaxEpsilon",
			edits: []edit{{"cmd/dptrain/fit.go", "epsilon > o.maxEpsilon {", "epsilon/2 > o.maxEpsilon {"}}},
	}
}

// queryFaults spoil what is asked before the first step, and the weights of classes.
func queryFaults() []mutant {
	const query, learn = "internal/privacy/query.go", "internal/train/learn.go"
	return []mutant{
		{name: "a query draws the noise of a step", short: true, tests: []string{mechanism}, run: "Queries",
			edits: []edit{{query, "key.Source(rng.Queries)", "key.Source(rng.Noise)"}}},
		{name: "two queries draw the same noise", tests: []string{mechanism}, run: "Queries",
			edits: []edit{{query, "m.first = uint64(i)", "m.first = 0"}}},
		{name: "norms of vectors leave out all but the last number", tests: []string{mechanism}, run: "Query",
			edits: []edit{{query, "sum += float64(x) * float64(x)", "sum = float64(x) * float64(x)"}}},
		{name: "a vector with NaN is added", tests: []string{mechanism}, run: "Query",
			edits: []edit{{query, "if s == 0 {", "if false {"}}},
		{name: "a weight above 1 counts in full", short: true, tests: []string{mechanism}, run: "Weight",
			edits: []edit{{query, "float64(min(weight, 1))", "float64(weight)"}}},
		{name: "queries are not charged", short: true, tests: []string{mechanism, learning}, run: "Queries",
			edits: []edit{{"internal/privacy/plan.go", "list.Events = append(list.Events, q.event())", "_ = q"}}},
		{name: "the steps are calibrated as if no query were asked", tests: []string{learning}, run: "Quer|Learn",
			edits: []edit{{"internal/train/decide.go", "privacy.EventOf(p.queries(), step", "privacy.EventOf(nil, step"}}},
		{name: "a query asked before it is reserved", tests: []string{learning}, run: "Crash",
			edits: []edit{{learn, "if err := r.Attempt.reserveQuery(q.Name); err != nil {", "if err := error(nil); err != nil {"}}},
		{name: "moments without noise", short: true, tests: []string{learning}, run: "Selftest",
			edits: []edit{{learn, "\tslots, err := p.newSlots(d, r.Key)\n", "\tif !p.Noiseless() {\n\t\tq := *p\n\t\tq.Mechanism = nil\n\t\treturn q.ask(i, d, vectors, r)\n\t}\n\tslots, err := p.newSlots(d, r.Key)\n"}}},
		{name: "a query asked a second time, outside the plan", tests: []string{learning}, run: "Crash|AskAgain",
			edits: []edit{{learn, "\t\t\t\task = func() (answer, error) { return p.askAgain(i, vectors, r, means) }\n", "\t\t\t\tr.Attempt.queries = []string{q.Name}\n"}}},
		{name: "steps that ask again are not reserved", tests: []string{learning}, run: "Crash|AskAgain",
			edits: []edit{{learn, "r.Attempt.reserve(each * parts)", "error(nil)"}}},
		{name: "moments by the private number of rows", tests: []string{learning}, run: "Moments|Selftest",
			edits: []edit{{"internal/train/queries.go", "return p.Privacy.Adjacency == accounting.AddOrRemoveOne ||", "return"}}},
	}
}

// tellingFaults let out what was not paid for.
func tellingFaults() []mutant {
	return []mutant{
		{name: "a cell in an error", short: true, tests: []string{tables}, run: "Malformed|CSV|JSONL",
			edits: []edit{{"internal/data/schema.go", `msg: "is not one of the declared classes"`, `msg: "is not one of the declared classes: " + string(c.text)`}}},
		{name: "the time tells a private number of rows", tests: []string{program}, run: "Private",
			edits: []edit{{fitRun, "if !secretRows { // times tell of the number of rows", "{"}}},
		{name: "the initial bias taken from the labels", short: true, tests: []string{learning}, run: "Selftest",
			edits: []edit{{"internal/train/fit.go", "\tweights := p.Net.NewWeights(keepsPacked(p, layout))\n", "\tfor _, label := range d.Labels {\n\t\tl.params[len(l.params)-1] += 1e-3 * float32(label)\n\t}\n\tweights := p.Net.NewWeights(keepsPacked(p, layout))\n"}}},
		{name: "fewer steps where the table has fewer rows", tests: []string{learning}, run: "Selftest",
			edits: []edit{{"internal/train/fit.go", "for l.next < p.Train.Steps {", "for l.next < min(p.Train.Steps, d.Rows-356) {"}}},
		{name: "the learning rate from the number of rows", tests: []string{learning}, run: "Selftest",
			edits: []edit{{"internal/train/fit.go", "l := p.startLearner(r)", "p.Train.LearningRate = 1 / float64(d.Rows)\n\tl := p.startLearner(r)"}}},
		{name: "a field of the report that nobody has classed", tests: []string{learning}, run: "NoField",
			edits: []edit{{"internal/train/report.go", "\tWarnings   []string             `json:\"warnings\"`\n", "\tWarnings   []string             `json:\"warnings\"`\n\tTrained    string               `json:\"trained\"`\n"}}},
		{name: "the report counts private rows", tests: []string{learning, program}, run: "Private|Report|Fit",
			edits: []edit{{"internal/train/fit.go", "fitted.Drawn, fitted.Spent =", "p.Rows = d.Rows\n\tfitted.Drawn, fitted.Spent ="}}},
	}
}

// keepingFaults spoil the copy of the records that a cache is, and what keeps a little file from becoming a great one.
func keepingFaults() []mutant {
	const file, pages = "internal/data/cache.go", "internal/data/parquet_pages.go"
	return []mutant{
		{name: "a cache of another table, or of the table before it was written to", short: true, tests: []string{tables}, run: "Cache|Trusted",
			edits: []edit{{file, "case h.Key != c.key ||", "case"}}},
		{name: "a cache of a table that may have been written to since", tests: []string{tables}, run: "Cache|Trusted",
			edits: []edit{{file, "case h.Key != c.key || !just && !c.settled(h.Created):", "case h.Key != c.key:"}}},
		{name: "a cache that everybody may read", tests: []string{tables}, run: "Cache",
			edits: []edit{{"internal/data/map_unix.go", "\treturn f, nil\n}\n\n// removeAbandoned", "\t_ = f.Chmod(0o644)\n\treturn f, nil\n}\n\n// removeAbandoned"}}},
		{name: "a cache that has decayed", tests: []string{tables}, run: "Cache",
			edits: []edit{{file, "!= h.Checksums[i] {", "!= h.Checksums[i] && false {"}}},
		{name: "a cache whose header has decayed", tests: []string{tables}, run: "Cache",
			edits: []edit{{file, "case err != nil, h.checksum() != h.Checksum:", "case err != nil:"}}},
		{name: "a cache for a schema that lacks the table's other side", tests: []string{tables}, run: "Cache",
			edits: []edit{{file, "NullBadRows: o.NullBadRows, Side: o.Side}", "NullBadRows: o.NullBadRows}"}}},
		{name: "Parquet pages of any size at a time", short: true, tests: []string{tables}, run: "HostileParquet",
			edits: []edit{{pages, "r.open > maxPages && r.open/maxOpen > r.file.size {", "false {"}}},
		{name: "a Parquet page of more bytes than its header says", tests: []string{tables}, run: "HostileParquet",
			edits: []edit{{pages, "|| n > 0 || end != nil && !errors.Is(end, io.EOF) {", "|| n > 1 || end != nil && !errors.Is(end, io.EOF) {"}}},
		{name: "a Parquet page that has decayed", tests: []string{tables}, run: "ParquetChecksums",
			edits: []edit{{pages, "sum != 0 && sum != crc32.ChecksumIEEE(r.packed) {", "false && sum != crc32.ChecksumIEEE(r.packed) {"}}},
		{name: "Parquet indices beyond the dictionary", tests: []string{tables}, run: "Broken|HostileParquet",
			edits: []edit{{"internal/data/parquet_column.go", "if uint64(index) >= uint64(len(c.dictionary)) {", "if index < 0 {"}}},
	}
}

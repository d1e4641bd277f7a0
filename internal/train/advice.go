package train

import "fmt"

// A Warning is what a careful reader of a plan should know. It is made of the config alone.
type Warning struct {
	Code string // such as DP103; [Advices] explains it
	Key  string // path of the key that it is about, counting from 0 in lists; empty: of none
	Text string
}

func (w Warning) String() string { return w.Code + ": " + w.Text }

// The codes of warnings. A code never changes its meaning.
const (
	codeIdentifier = "DP101"
	codeManyRows   = "DP102"
	codeDelta      = "DP103"
	codeEpsilon    = "DP104"
	codeCopied     = "DP105"
	codeSignal     = "DP106"
	codePersonal   = "DP107"
	codeExactCap   = "DP108"
	codeSeeded     = "DP109"
	codeNoPrivacy  = "DP110"
)

// An Advice explains the warnings of one code.
type Advice struct {
	Code    string
	Title   string
	Why     string // it matters
	Do      string // about it
	Example string // of a config that is warned of, and of what is better

	find func(*Plan) []Warning // nil where the warning is not the plan's
}

// Advices lists every code, in ascending order: the linter's rules with their explanations.
func Advices() []Advice {
	return []Advice{
		{codeIdentifier, "an identifier is used as a feature",
			"A name, number or address that belongs to one person tells a model nothing about the next one. Under privacy such a column is " +
				"worse than useless: it takes its share of every row's norm, and each of its weights gets noise. Where a row's own identifier " +
				"does help, the model has learned by heart.",
			"Leave the column out. If groups of people share the value, and it is a category rather than an identifier, name it as one.",
			"features:\n  - {name: customer_id, kind: hashed, buckets: 1024}   # warned of\n  - {name: plan, kind: categorical, values: [free, plus]}",
			(*Plan).findIdentifiers},
		{codeManyRows, "the unit is a row, but a column says that people have several",
			"With unit: row, ε holds for one row. A column such as customer_id exists because one customer can have several rows: whoever has k of " +
				"them is promised less, about k times ε.",
			"State privacy.max_rows_per_person, and fit reports ε for a person too; or bring the table to one row a person.",
			"privacy:\n  unit: row\n  max_rows_per_person: 5",
			(*Plan).findManyRows},
		{codeDelta, "δ is at least 1/rows",
			"δ bounds the chance that the promise of ε fails altogether. A mechanism that publishes one whole record, picked at random, has δ = 1/rows " +
				"and ε = 0: at such a δ the definition does not rule it out.",
			"Take δ well below 1/rows: a hundredth of it, or 1e-6 where that is less. It costs little: ε grows with √log(1/δ).",
			"data: {rows: 32561}\nprivacy: {delta: 1.0e-3}     # warned of: 1/rows is 3.07e-5\nprivacy: {delta: 1.0e-6}",
			(*Plan).findDelta},
		{codeEpsilon, "ε is above 10",
			"e^ε bounds how much likelier anything becomes through one row. At ε = 10 that is a factor of 22,026: the formal protection is weak, " +
				"though clipping and noise may still defeat known attacks.",
			"Ask for less: dptrain epsilon -c CONFIG --plot shows what noise each ε needs. Where even ε = 10 is not accurate enough, more rows, " +
				"fewer classes or better features help more than a larger ε.",
			"privacy: {target_epsilon: 50}    # warned of\nprivacy: {target_epsilon: 3}",
			(*Plan).findEpsilon},
		{codeCopied, "a bound looks copied from the records",
			"Bounds, edges and imputed values become public, and no privacy is charged for them. A number with many digits, such as max: 99273.18, is " +
				"hardly known from anywhere but the records: it is somebody's value, published.",
			"State what is known without looking: what a form accepts, what is possible, a round number. What lies outside is clamped. " +
				"standardize: dp learns the scale of a column under the budget.",
			"features:\n  - {name: income, kind: numeric, min: 0, max: 99273.18}   # warned of\n  - {name: income, kind: numeric, min: 0, max: 100000}",
			(*Plan).findCopied},
		{codeSignal, "rows × μ is small for the number of classes",
			"μ is the signal that ε and δ let through: the privacy of the whole run is that of one Gaussian mechanism of this μ. The mean of a class's " +
				"rows stands against noise as rows × μ ÷ classes. Below about 50 much of what the model learns is noise; measured on a table of " +
				"77 classes, 93 kept 84 % of the accuracy without privacy, 35 kept 61 %, and 18 kept 36 %.",
			"More rows, a larger ε, or fewer classes: join those that are rare or alike.",
			"data: {rows: 1000}               # with 77 classes and ε = 1: rows × μ ÷ classes is 3.5\nprivacy: {target_epsilon: 1.0}",
			(*Plan).findSignal},
		{codePersonal, "a class or value looks personal",
			"Class names and the values of categorical features are public: they stand in the model, the report and the config. A name, an e-mail " +
				"address or a long number among them publishes that somebody is in the table.",
			"Predict something that is not a person. For features with an open set of values use kind: hashed, which lists none.",
			"label: {name: agent, classes: [alice@example.com, bob@example.com]}    # warned of\nlabel: {name: team, classes: [billing, support]}",
			(*Plan).findPersonal},
		{codeExactCap, "the cap on the number of rows looks like the number itself",
			"Under add_or_remove_one the number of rows is private, and data.rows_at_most is a public cap. A cap such as 32561 looks counted: if it is " +
				"the exact number, it is published all the same.",
			"Take a round number that is known to be enough. A larger cap costs a little accuracy, since the divisor grows with it.",
			"data: {rows_at_most: 32561}      # warned of\ndata: {rows_at_most: 40000}",
			(*Plan).findExactCap},
		{Code: codeSeeded, Title: "the randomness comes from a stated seed",
			Why: "Whoever knows the seed can subtract the noise. --seed is for tests that must repeat: the report says private: false, and ε is null.",
			Do:  "Leave --seed out. The operating system then gives 32 bytes that nobody sees and nothing stores.",
			Example: "dptrain fit -c config.yaml --seed 1     # warned of\n" +
				"dptrain fit -c config.yaml --require-private"},
		{codeNoPrivacy, "trained without privacy",
			"--no-privacy neither clips nor adds noise. Such a model may reveal whole records, and no report can claim ε for it.",
			"Use it to see what privacy costs, and keep the model where the table is kept.",
			"dptrain fit -c config.yaml --no-privacy -o runs/baseline    # warned of",
			(*Plan).findNoPrivacy},
	}
}

// SeededRun warns of a run whose randomness comes from a stated seed.
func SeededRun() Warning {
	return Warning{Code: codeSeeded, Text: "random seed is fixed; the guarantee does not hold against anyone who knows it"}
}

// lint collects what the rules find, in the order of their codes.
func (p *Plan) lint() []Warning {
	var found []Warning
	for _, a := range Advices() {
		if a.find != nil {
			found = append(found, a.find(p)...)
		}
	}
	return found
}

// warning makes a warning.
func warning(code, key, format string, args ...any) Warning {
	return Warning{Code: code, Key: key, Text: fmt.Sprintf(format, args...)}
}

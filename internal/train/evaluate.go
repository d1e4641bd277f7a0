package train

import (
	"context"
	"math"
	"slices"

	"dptrain/internal/data"
)

// Metrics says how well a model's predictions fit a labelled table. Where a metric does not exist (no rows, one class
// alone for the AUC), it is nil.
type Metrics struct {
	Rows     int      `json:"rows"`
	Accuracy *float64 `json:"accuracy"`
	LogLoss  *float64 `json:"log_loss"` // mean −ln of the probability of the true class
	AUC      *float64 `json:"auc"`      // area under the ROC curve; the mean over classes one-vs-rest for more than two
	Classes  []Class  `json:"classes"`
	// Confusion[i][j] counts rows of class i predicted as class j.
	Confusion [][]int `json:"confusion"`
}

// Class is how one class fares.
type Class struct {
	Name      string   `json:"name"`
	Precision *float64 `json:"precision"` // nil where the class was never predicted
	Recall    *float64 `json:"recall"`    // nil where the class never occurs
	Support   int      `json:"support"`
}

// Predict returns the probabilities [Rows×Classes] that the model gives the rows of d.
func (m *Model) Predict(ctx context.Context, d *data.Dataset) ([]float64, error) {
	table, err := newTable(m.Net, d)
	if err != nil {
		return nil, err
	}
	group, classes, outputs := groupRows(m.Net), len(m.Schema.Classes()), m.Net.Outputs()
	weights, batch := m.Net.NewWeights(), m.Net.NewBatch(group)
	weights.Set(m.Params)
	probabilities := make([]float64, d.Rows*classes)
	rows := make([]int32, 0, group)
	for first := 0; first < d.Rows; first += group {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows = rows[:0]
		for i := first; i < min(first+group, d.Rows); i++ {
			rows = append(rows, int32(i))
		}
		logits := batch.Logits(weights, table, rows)
		m.Net.Probabilities(probabilities[first*classes:], logits[:len(rows)*outputs])
	}
	return probabilities, nil
}

// Best is the most probable class of a row of probabilities; the first of equals.
func Best(probabilities []float64) int {
	best := 0
	for j, p := range probabilities {
		if p > probabilities[best] {
			best = j
		}
	}
	return best
}

// Evaluate compares probabilities [len(labels)×len(classes)] with labels. It is exact: a metric of private rows is
// outside the guarantee.
func Evaluate(probabilities []float64, labels []int32, classes []string) *Metrics {
	k := len(classes)
	m := &Metrics{Rows: len(labels), Confusion: make([][]int, k)}
	for i := range m.Confusion {
		m.Confusion[i] = make([]int, k)
	}
	var correct int
	var loss float64
	for i, label := range labels {
		row := probabilities[i*k : (i+1)*k]
		best := Best(row)
		m.Confusion[label][best]++
		if best == int(label) {
			correct++
		}
		loss -= math.Log(math.Max(row[label], math.SmallestNonzeroFloat64))
	}
	m.Accuracy = ratio(float64(correct), len(labels))
	m.LogLoss = ratio(loss, len(labels))
	m.AUC = meanAUC(probabilities, labels, k)
	for c, name := range classes {
		var support, predicted int
		for other := range k {
			support += m.Confusion[c][other]
			predicted += m.Confusion[other][c]
		}
		hits := float64(m.Confusion[c][c])
		m.Classes = append(m.Classes, Class{Name: name, Support: support, Recall: ratio(hits, support), Precision: ratio(hits, predicted)})
	}
	return m
}

// ratio is x/n, or nil where n is 0.
func ratio(x float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	r := x / float64(n)
	return &r
}

// meanAUC is the AUC of class 1 for two classes, else the unweighted mean over the classes that occur of their
// one-vs-rest AUCs.
func meanAUC(probabilities []float64, labels []int32, k int) *float64 {
	first := 0
	if k == 2 {
		first = 1
	}
	var sum float64
	var count int
	for c := first; c < k; c++ {
		if auc := oneVsRestAUC(probabilities, labels, k, c); auc != nil {
			sum += *auc
			count++
		}
	}
	return ratio(sum, count)
}

// oneVsRestAUC is the chance that a row of class c gets a higher probability of c than a row of another class, ties
// counting half (the Mann-Whitney statistic); nil where either kind is missing.
func oneVsRestAUC(probabilities []float64, labels []int32, k, c int) *float64 {
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	score := func(i int) float64 { return probabilities[i*k+c] }
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case score(a) < score(b):
			return -1
		case score(a) > score(b):
			return 1
		}
		return 0
	})
	var positives int
	var rankSum float64
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && score(order[to]) == score(order[from]) {
			to++
		}
		for _, i := range order[from:to] {
			if int(labels[i]) == c {
				positives++
				rankSum += float64(from+to+1) / 2
			}
		}
		from = to
	}
	negatives := len(labels) - positives
	if positives == 0 || negatives == 0 {
		return nil
	}
	p := float64(positives)
	auc := (rankSum - p*(p+1)/2) / (p * float64(negatives))
	return &auc
}

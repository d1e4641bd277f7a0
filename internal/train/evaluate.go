package train

import (
	"context"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/rng"
)

// Metrics says how well a model's predictions fit a labelled table. Where a metric does not exist (no rows, one class
// alone for the AUC), it is nil.
type Metrics struct {
	Rows             int      `json:"rows"`
	Accuracy         *float64 `json:"accuracy"`
	BalancedAccuracy *float64 `json:"balanced_accuracy"`          // mean recall of the classes that occur
	MacroF1          *float64 `json:"macro_f1"`                   // mean F1 of the classes that occur
	LogLoss          *float64 `json:"log_loss"`                   // mean −ln of the probability of the true class
	AUC              *float64 `json:"auc"`                        // area under the ROC curve; the mean over classes one-vs-rest for more than two
	AveragePrecision *float64 `json:"average_precision"`          // area under the precision-recall curve; likewise
	CalibrationError *float64 `json:"expected_calibration_error"` // mean distance of confidence and accuracy over Calibration
	Classes          []Class  `json:"classes"`
	// Confusion[i][j] counts rows of class i predicted as class j.
	Confusion   [][]int          `json:"confusion"`
	Calibration []CalibrationBin `json:"calibration,omitempty"`
}

// Class is how one class fares.
type Class struct {
	Name      string   `json:"name"`
	Precision *float64 `json:"precision"` // nil where the class was never predicted
	Recall    *float64 `json:"recall"`    // nil where the class never occurs
	F1        *float64 `json:"f1"`        // harmonic mean of the two; nil where the class neither occurs nor is predicted
	Support   int      `json:"support"`
}

// A CalibrationBin is the rows whose most probable class has a probability in (Low, High].
type CalibrationBin struct {
	Low        float64  `json:"low"`
	High       float64  `json:"high"`
	Rows       int      `json:"rows"`
	Confidence *float64 `json:"confidence"` // mean of that probability
	Accuracy   *float64 `json:"accuracy"`
}

// Predict returns the probabilities [Rows×Classes] that the model gives the rows of d.
func (m *Model) Predict(ctx context.Context, d *data.Dataset) ([]float64, error) {
	table, err := newTable(m.Net, d)
	if err != nil {
		return nil, err
	}
	group, classes, outputs := groupRows(m.Net), len(m.Schema.Classes()), m.Net.Outputs()
	weights, batch := m.Net.NewWeights(true), m.Net.NewBatch(group)
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
	m := fromConfusion(Confusion(probabilities, labels, k), classes)
	var loss float64
	for i, label := range labels {
		loss -= math.Log(math.Max(probabilities[i*k+int(label)], math.SmallestNonzeroFloat64))
	}
	m.LogLoss = ratio(loss, len(labels))
	rankings := Rankings(probabilities, labels, k)
	m.AUC, m.AveragePrecision = meanOf(rankings, Ranks.area), meanOf(rankings, Ranks.averagePrecision)
	m.Calibration, m.CalibrationError = calibration(probabilities, labels, k)
	return m
}

// EvaluateNoisy is the part of Evaluate that follows from counts alone, from counts with noise: the confusion matrix, in
// which each row counts once, by [privacy.NoisyCounts]. What it returns is epsilon-differentially private where a row of
// the table is added or removed, and its ε is second. Counts below 0 are raised to it, and the number of rows is their sum.
func EvaluateNoisy(probabilities []float64, labels []int32, classes []string, epsilon float64, key rng.Key) (*Metrics, float64, error) {
	confusion := Confusion(probabilities, labels, len(classes))
	var counts []int64
	for _, row := range confusion {
		for _, n := range row {
			counts = append(counts, int64(n))
		}
	}
	spent, err := privacy.NoisyCounts(counts, epsilon, key)
	if err != nil {
		return nil, 0, err
	}
	for i, n := range counts { // post-processing
		confusion[i/len(classes)][i%len(classes)] = int(max(0, n))
	}
	return fromConfusion(confusion, classes), spent, nil
}

// Confusion counts, in [i][j], the rows of class i that are predicted as class j of k.
func Confusion(probabilities []float64, labels []int32, k int) [][]int {
	confusion := make([][]int, k)
	for i := range confusion {
		confusion[i] = make([]int, k)
	}
	for i, label := range labels {
		confusion[label][Best(probabilities[i*k:(i+1)*k])]++
	}
	return confusion
}

// fromConfusion computes the metrics that are functions of a confusion matrix.
func fromConfusion(confusion [][]int, classes []string) *Metrics {
	m := &Metrics{Confusion: confusion}
	var correct, recalls, f1s float64
	var occur int
	for c, name := range classes {
		var support, predicted int
		for other := range classes {
			support += confusion[c][other]
			predicted += confusion[other][c]
		}
		hits := float64(confusion[c][c])
		class := Class{Name: name, Support: support, Recall: ratio(hits, support), Precision: ratio(hits, predicted), F1: ratio(2*hits, support+predicted)}
		m.Classes = append(m.Classes, class)
		m.Rows += support
		correct += hits
		if support > 0 {
			occur++
			recalls += *class.Recall
			f1s += *class.F1
		}
	}
	m.Accuracy, m.BalancedAccuracy, m.MacroF1 = ratio(correct, m.Rows), ratio(recalls, occur), ratio(f1s, occur)
	return m
}

// calibrationBins is into how many parts of equal width confidence is cut.
const calibrationBins = 15

// calibration compares the probability of the most probable class with how often it is right, and returns the expected
// calibration error (Guo et al. 2017, arXiv:1706.04599, equation 3).
func calibration(probabilities []float64, labels []int32, k int) ([]CalibrationBin, *float64) {
	bins := make([]CalibrationBin, calibrationBins)
	var confidence, correct [calibrationBins]float64
	for i, label := range labels {
		row := probabilities[i*k : (i+1)*k]
		best := Best(row)
		b := min(calibrationBins-1, max(0, int(math.Ceil(row[best]*calibrationBins))-1))
		bins[b].Rows++
		confidence[b] += row[best]
		if best == int(label) {
			correct[b]++
		}
	}
	var gap float64
	for b := range bins {
		bin := &bins[b]
		bin.Low, bin.High = float64(b)/calibrationBins, float64(b+1)/calibrationBins
		bin.Confidence, bin.Accuracy = ratio(confidence[b], bin.Rows), ratio(correct[b], bin.Rows)
		gap += math.Abs(confidence[b] - correct[b])
	}
	return bins, ratio(gap, len(labels))
}

// ratio is x/n, or nil where n is 0.
func ratio(x float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	r := x / float64(n)
	return &r
}

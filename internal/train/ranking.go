package train

import (
	"cmp"
	"slices"
)

// Rankings are those of class 1 for two classes, else of each class.
func Rankings(probabilities []float64, labels []int32, k int) (rankings []Ranks) {
	if k == 2 {
		return []Ranks{Ranking(probabilities, labels, k, 1)}
	}
	for c := range k {
		rankings = append(rankings, Ranking(probabilities, labels, k, c))
	}
	return rankings
}

// meanOf is the unweighted mean of a metric over the rankings where it exists.
func meanOf(rankings []Ranks, metric func(Ranks) *float64) *float64 {
	var sum float64
	var count int
	for _, r := range rankings {
		if x := metric(r); x != nil {
			sum += *x
			count++
		}
	}
	return ratio(sum, count)
}

// A Rank is what a threshold on the probability of a class lets through: rows of the class, and others.
type Rank struct{ Hits, FalseAlarms int }

// Ranks are those of all thresholds, the highest first, up to the one that lets every row through.
type Ranks []Rank

// Ranking sorts rows by their probability of class c of k; rows of equal probability share a threshold.
func Ranking(probabilities []float64, labels []int32, k, c int) Ranks {
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	score := func(i int) float64 { return probabilities[i*k+c] }
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(score(b), score(a)) })
	var ranks Ranks
	var at Rank
	for n, i := range order {
		if int(labels[i]) == c {
			at.Hits++
		} else {
			at.FalseAlarms++
		}
		if n+1 == len(order) || score(order[n+1]) != score(i) {
			ranks = append(ranks, at)
		}
	}
	return ranks
}

// all is the last rank: how many rows are of the class, and how many are not.
func (r Ranks) all() Rank {
	if len(r) == 0 {
		return Rank{}
	}
	return r[len(r)-1]
}

// ROC is the curve of [false positive rate, true positive rate], from [0, 0] to [1, 1]; nil where either kind of row is
// missing.
func (r Ranks) ROC() [][2]float64 {
	all := r.all()
	if all.Hits == 0 || all.FalseAlarms == 0 {
		return nil
	}
	curve := [][2]float64{{0, 0}}
	for _, at := range r {
		curve = append(curve, [2]float64{float64(at.FalseAlarms) / float64(all.FalseAlarms), float64(at.Hits) / float64(all.Hits)})
	}
	return curve
}

// PrecisionRecall is the curve of [recall, precision]; nil where no row is of the class.
func (r Ranks) PrecisionRecall() (curve [][2]float64) {
	all := r.all()
	if all.Hits == 0 {
		return nil
	}
	for _, at := range r {
		curve = append(curve, [2]float64{float64(at.Hits) / float64(all.Hits), float64(at.Hits) / float64(at.Hits+at.FalseAlarms)})
	}
	return curve
}

// averagePrecision is the mean of precision over the rise of recall, without interpolation; nil where no row is of the class.
func (r Ranks) averagePrecision() *float64 {
	curve := r.PrecisionRecall()
	if curve == nil {
		return nil
	}
	var area, before float64
	for _, p := range curve {
		area += (p[0] - before) * p[1]
		before = p[0]
	}
	return &area
}

// area is that under the ROC curve: the chance that a row of the class ranks above another row, ties counting half (the
// Mann-Whitney statistic); nil where either kind is missing.
func (r Ranks) area() *float64 {
	all := r.all()
	if all.Hits == 0 || all.FalseAlarms == 0 {
		return nil
	}
	var area float64
	var before Rank
	for _, at := range r {
		area += float64(at.FalseAlarms-before.FalseAlarms) * float64(before.Hits+at.Hits) / 2
		before = at
	}
	area /= float64(all.Hits) * float64(all.FalseAlarms)
	return &area
}

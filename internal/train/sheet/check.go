package sheet

import (
	"fmt"
	"math"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
)

// A Check is what recomputing a report's claim from its own list of events gave.
type Check struct {
	Epsilon  float64            // recomputed; 0 where nothing is promised, or nothing could be computed
	Problems []string           // in lower case, without a full stop
	Deltas   []accounting.Point // δ over ε
	Steps    []StepPoint        // ε over the steps
}

// A StepPoint is ε after a number of steps.
type StepPoint struct {
	Steps   int
	Epsilon float64
}

// slack is how much a recomputed number may exceed the stated one: another build may round its last digit differently.
const slack = 1 + 1e-5

// recompute prices the report's events and compares. An honest report of any version gives no problems.
func recompute(r *train.Report) (c Check) {
	problem := func(format string, args ...any) { c.Problems = append(c.Problems, fmt.Sprintf(format, args...)) }
	if id, err := r.Identity(); err != nil || id != r.ReportID {
		problem("the report was changed after it was written: its content does not have the id it states")
	}
	if !r.Private {
		return c
	}
	event, accountant, err := pricing(r)
	if err != nil {
		problem("the claim cannot be recomputed: %s", err)
		return c
	}
	price := func(e accounting.Event) float64 {
		interval, err := accountant.Epsilon(e, r.Accounting.AccountedDelta)
		if err != nil {
			return math.NaN()
		}
		return interval.Upper + r.Accounting.ExtraEpsilon
	}
	c.Epsilon = price(event)
	if !(c.Epsilon <= *r.Epsilon*slack) || *r.Claim.EpsilonUpper != *r.Epsilon {
		problem("the stated ε of %s is not what the stated events cost, which is %s", accounting.FormatUp(*r.Epsilon, 6), accounting.FormatUp(c.Epsilon, 6))
	}
	curve, err := accountant.Curve(event)
	if err != nil {
		problem("the claim cannot be recomputed: %s", err)
		return c
	}
	c.Deltas = curve.Points()
	if rate, err := curve.TruePositiveRate(0.01); err == nil && r.Claim.AttackSuccess != nil && rate > *r.Claim.AttackSuccess*slack {
		problem("the stated success of attacks is below what the stated events allow, which is %s", percent(rate))
	}
	if len(c.Problems) == 0 { // a curve of a lie helps nobody, and may take long
		c.Steps = overSteps(event, price)
	}
	return c
}

// pricing is the report's event and its accountant.
func pricing(r *train.Report) (accounting.Event, accounting.Accountant, error) {
	const most = 1 << 16 // bytes: far beyond any list of ours, and priced in seconds
	if len(r.Accounting.Events) > most {
		return nil, nil, fmt.Errorf("its list of events is too long")
	}
	event, err := accounting.UnmarshalEvent(r.Accounting.Events)
	if err != nil {
		return nil, nil, fmt.Errorf("its list of events cannot be read")
	}
	accountant, err := accounting.New(r.Accounting.Accountant, r.Adjacency)
	if err != nil {
		return nil, nil, fmt.Errorf("its accountant or adjacency is unknown")
	}
	if d := r.Accounting.AccountedDelta; !(d > 0 && d <= r.Delta && r.Delta < 1) || !(r.Accounting.ExtraEpsilon >= 0) {
		return nil, nil, fmt.Errorf("its δ is none")
	}
	return event, accountant, nil
}

// overSteps is ε after none and after up to 24 numbers of steps, the last that of the run; nothing for a list of events
// that does not end with steps. They lie closer where ε grows faster, which is at the beginning. What comes before them, the queries, is there from the start.
func overSteps(event accounting.Event, price func(accounting.Event) float64) (points []StepPoint) {
	var before accounting.Composed
	if all, ok := event.(accounting.Composed); ok && len(all.Events) > 0 {
		last := len(all.Events) - 1
		before.Events, event = all.Events[:last:last], all.Events[last]
	}
	run, ok := event.(accounting.SelfComposed)
	if !ok {
		return nil
	}
	const most = 24
	for i := 0; i <= most; i++ {
		steps := int(math.Ceil(float64(run.Count) * float64(i*i) / (most * most)))
		if n := len(points); n > 0 && points[n-1].Steps == steps {
			continue
		}
		prefix := accounting.Composed{Events: append(before.Events, accounting.SelfComposed{Event: run.Event, Count: steps})}
		if epsilon := price(prefix); !math.IsNaN(epsilon) && !math.IsInf(epsilon, 0) {
			points = append(points, StepPoint{steps, epsilon})
		}
	}
	return points
}

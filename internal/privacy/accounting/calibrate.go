package accounting

import (
	"fmt"
	"math"
)

// The functions of this file turn one knob to the least private setting whose certified upper end of ε does not exceed a
// target. What they return was itself given to the accountant and found to hold: nothing is interpolated, and
// what is rounded is certified after it was rounded.

// calibrationDigits is the count of significant digits of a calibrated noise multiplier or sampling probability: short to
// print, and within 1e-5 of the best.
const calibrationDigits = 6

// UnreachableError is a target that no setting of a knob meets.
type UnreachableError struct {
	Knob    string  // what was varied, in the spelling of configs
	Setting float64 // its most private setting
	Epsilon float64 // ε there, upper end
	Target  float64
	Delta   float64
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("epsilon %s at delta %s cannot be reached: %s %s still costs %s", formatFloat(e.Target),
		formatFloat(e.Delta), e.Knob, formatFloat(e.Setting), FormatUp(e.Epsilon, 4))
}

// Hint says what to change.
func (e *UnreachableError) Hint() string {
	return "raise the target or delta, or spend less on what does not depend on " + e.Knob
}

// NoiseMultiplier returns the smallest σ in [0.01, 1e6] at which event(σ) is certified to cost at most target at delta, rounded up
// to six significant digits. ε of the event must not rise with σ. target is positive.
func NoiseMultiplier(a Accountant, target, delta float64, event func(noiseMultiplier float64) Event) (float64, error) {
	k := knob[float64]{name: "noise_multiplier", private: 1e6, loose: 0.01, event: event}
	return turn(k, a, target, delta, 1)
}

// SamplingProbability returns the largest q in [1e-12, 1] at which event(q) is certified to cost at most target at delta, rounded
// down to six significant digits. ε of the event must not fall with q. target is positive.
func SamplingProbability(a Accountant, target, delta float64, event func(q float64) Event) (float64, error) {
	k := knob[float64]{name: "sampling_probability", private: 1e-12, loose: 1, event: event}
	return turn(k, a, target, delta, 1.0/16)
}

// Steps returns the largest number of steps, from 0 to 1e12, at which event(steps) is certified to cost at most target at
// delta. ε of the event must not fall with the steps. target is positive.
func Steps(a Accountant, target, delta float64, event func(steps int) Event) (int, error) {
	k := knob[int]{name: "steps", private: 0, loose: maxCount, event: event}
	if err := checkTarget(target); err != nil {
		return 0, err
	}
	s := &trial[int]{knob: k, accountant: a, target: target, delta: delta}
	if !s.holds(0) || s.err != nil {
		return 0, s.err
	}
	good, bad := 0, 1
	for s.roughly(bad) {
		if good = bad; good == k.loose {
			return good, s.err
		}
		bad = min(2*bad, k.loose)
	}
	from := math.Log(max(float64(good), 0.5))
	r := newRoot(from, math.Log(float64(bad)), 1e-13)
	for s.err == nil && bad-good > 1 {
		// Beyond the precision of the logarithms, one by one.
		middle := min(max(int(math.Round(math.Exp(r.next(s.atGood, s.atBad)))), good+1), bad-1)
		if s.holds(middle) {
			good, r.good = middle, math.Log(float64(middle))
		} else {
			bad, r.bad = middle, math.Log(float64(middle))
		}
	}
	return good, s.err
}

// knob is one parameter of an event, with its most private and its least private setting.
type knob[T int | float64] struct {
	name           string
	private, loose T
	event          func(T) Event
}

func checkTarget(target float64) error {
	if !(target > 0 && target <= math.MaxFloat64) {
		return &ParameterError{"target_epsilon", formatFloat(target), "a positive number"}
	}
	return nil
}

// trial asks an accountant about settings of a knob.
type trial[T int | float64] struct {
	knob          knob[T]
	accountant    Accountant
	target, delta float64
	err           error // the first; nothing holds from there on

	atGood, atBad float64 // log of ε over target at the last setting that held and at the last that did not
}

// holds reports whether the setting is certified to cost at most the target.
func (s *trial[T]) holds(setting T) bool {
	if s.err != nil {
		return false
	}
	interval, err := s.accountant.Epsilon(s.knob.event(setting), s.delta)
	if err != nil {
		s.err = err
		return false
	}
	return s.judge(setting, interval.Upper)
}

// roughly is holds, by a coarser accountant where that decides.
func (s *trial[T]) roughly(setting T) bool {
	if p, ok := s.accountant.(pld); ok && s.err == nil && p.width < roughWidth {
		p.width = roughWidth
		interval, err := p.Epsilon(s.knob.event(setting), s.delta)
		if err == nil && (interval.Upper <= s.target || interval.Lower > s.target) {
			return s.judge(setting, interval.Upper)
		}
	}
	return s.holds(setting)
}

// roughWidth is the relative width of the intervals that find a bracket.
const roughWidth = 0.1

func (s *trial[T]) judge(setting T, epsilon float64) bool {
	// An ε of 0 or +Inf says little about where the target is met.
	log := min(max(math.Log(epsilon/s.target), -2), 2)
	if epsilon <= s.target {
		s.atGood = log
		return true
	}
	s.atBad = log
	if setting == s.knob.private {
		s.err = &UnreachableError{Knob: s.knob.name, Setting: float64(setting), Epsilon: epsilon, Target: s.target, Delta: s.delta}
	}
	return false
}

// root searches the zero of a function between good and bad by the ITP method (Oliveira, Takahashi 2020, ACM Transactions on Mathematical
// Software 47): it takes at most one step more than bisection, and few where the function is smooth.
type root struct {
	good, bad, tolerance float64
	left                 float64 // how many steps may come, the one of next included
}

func newRoot(good, bad, tolerance float64) *root {
	return &root{good, bad, tolerance, math.Ceil(math.Log2(math.Abs(bad-good)/tolerance)) + 1}
}

// next returns where to look next, given the function at good, at most 0, and at bad, positive.
func (r *root) next(atGood, atBad float64) float64 {
	width := math.Abs(r.bad - r.good)
	half := (r.good + r.bad) / 2
	r.left--
	secant := (atBad*r.good - atGood*r.bad) / (atBad - atGood)
	// Truncate towards the middle, so that the zero is soon between two near points; project to where bisection would still be in time.
	toward := math.Copysign(1, half-secant)
	x := half
	if shift := 0.2 / (math.Abs(r.bad-r.good) + 1) * width * width; shift <= math.Abs(half-secant) {
		x = secant + toward*max(shift, r.tolerance/3)
	}
	radius := r.tolerance*math.Exp2(max(r.left, 0)) - width/2
	if math.Abs(x-half) > radius {
		x = half - toward*max(0, radius)
	}
	return x
}

// turn searches a positive real knob from start: by factors of two for a bracket, then to a relative 1e-7.
func turn(k knob[float64], a Accountant, target, delta, start float64) (float64, error) {
	if err := checkTarget(target); err != nil {
		return 0, err
	}
	s := &trial[float64]{knob: k, accountant: a, target: target, delta: delta}
	// double moves a setting towards the private end; halve moves it away from there. Neither passes an end.
	double := func(x float64) float64 { return min(2*x, k.private) }
	halve := func(x float64) float64 { return max(x/2, k.loose) }
	round := func(x float64) float64 { return RoundUp(x, calibrationDigits) }
	if k.private < k.loose {
		double = func(x float64) float64 { return max(x/2, k.private) }
		halve = func(x float64) float64 { return min(2*x, k.loose) }
		round = func(x float64) float64 { return RoundDown(x, calibrationDigits) }
	}

	good := start
	for !s.roughly(good) && s.err == nil {
		good = double(good)
	}
	bad := halve(good)
	for s.roughly(bad) {
		if bad == k.loose {
			return bad, s.err
		}
		good, bad = bad, halve(bad)
	}
	const tolerance = 1e-7
	r := newRoot(math.Log(good), math.Log(bad), tolerance)
	for s.err == nil && math.Abs(r.good-r.bad) > tolerance {
		if x := r.next(s.atGood, s.atBad); s.holds(math.Exp(x)) {
			r.good = x
		} else {
			r.bad = x
		}
	}
	// The rounded setting may fail, since an upper end is smooth in the setting only to a fraction of its interval's width: then it
	// moves on by growing steps.
	rounded := round(math.Exp(r.good))
	for step := 1e-6; s.err == nil && !s.holds(rounded); step *= 2 {
		if rounded != k.private {
			rounded = round(math.Exp(math.Log(rounded) + math.Copysign(step, r.good-r.bad)))
		}
		if (rounded-k.private)*(k.private-k.loose) > 0 {
			rounded = k.private
		}
	}
	return rounded, s.err
}

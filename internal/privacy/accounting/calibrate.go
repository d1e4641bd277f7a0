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
	if epsilon, err := k.epsilon(a, target, delta, 0); err != nil || epsilon > target {
		return 0, k.orUnreachable(err, epsilon, target, delta)
	}
	good, bad := 0, 1
	for {
		epsilon, err := k.epsilon(a, target, delta, bad)
		if err != nil {
			return 0, err
		}
		if epsilon > target {
			break
		}
		if good = bad; good == k.loose {
			return good, nil
		}
		bad = min(2*bad, k.loose)
	}
	for bad-good > 1 {
		middle := good + (bad-good)/2
		epsilon, err := k.epsilon(a, target, delta, middle)
		switch {
		case err != nil:
			return 0, err
		case epsilon <= target:
			good = middle
		default:
			bad = middle
		}
	}
	return good, nil
}

// knob is one parameter of an event, with its most private and its least private setting.
type knob[T int | float64] struct {
	name           string
	private, loose T
	event          func(T) Event
}

// epsilon returns the certified upper end at a setting, and an error for a target that is not a positive number.
func (k knob[T]) epsilon(a Accountant, target, delta float64, setting T) (float64, error) {
	if !(target > 0 && target <= math.MaxFloat64) {
		return 0, &ParameterError{"target_epsilon", formatFloat(target), "a positive number"}
	}
	interval, err := a.Epsilon(k.event(setting), delta)
	return interval.Upper, err
}

func (k knob[T]) orUnreachable(err error, epsilon, target, delta float64) error {
	if err != nil {
		return err
	}
	return &UnreachableError{Knob: k.name, Setting: float64(k.private), Epsilon: epsilon, Target: target, Delta: delta}
}

// turn searches a positive real knob from start: by factors of two for a bracket, then by bisection of its logarithm.
func turn(k knob[float64], a Accountant, target, delta, start float64) (float64, error) {
	var failure error
	holds := func(setting float64) bool {
		epsilon, err := k.epsilon(a, target, delta, setting)
		if err != nil || epsilon > target && setting == k.private {
			failure = k.orUnreachable(err, epsilon, target, delta)
		}
		return failure == nil && epsilon <= target
	}
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
	for !holds(good) && failure == nil {
		good = double(good)
	}
	bad := halve(good)
	for failure == nil && holds(bad) {
		if bad == k.loose {
			return bad, nil
		}
		good, bad = bad, halve(bad)
	}
	for failure == nil && math.Abs(math.Log(good/bad)) > 1e-7 {
		if middle := math.Sqrt(good * bad); holds(middle) {
			good = middle
		} else {
			bad = middle
		}
	}
	// The rounded setting may fail by the accountant's own rounding errors: then the next decimal is tried.
	rounded := round(good)
	for failure == nil && !holds(rounded) {
		rounded = round(math.Nextafter(rounded, k.private))
	}
	if failure != nil {
		return 0, failure
	}
	return rounded, nil
}

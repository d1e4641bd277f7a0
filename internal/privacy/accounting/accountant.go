package accounting

import (
	"fmt"
	"strconv"
)

// Version names the arithmetic of this package in reports. It grows when a reported digit can change.
const Version = "6"

// Interval contains a true value: Lower ≤ truth ≤ Upper, both ends certified. The upper end is the one to claim.
// Upper is +Inf where nothing is promised.
type Interval struct{ Lower, Upper float64 }

// Accountant bounds the privacy loss of events for the adjacency it was made for. It is a pure function and safe for
// concurrent use. Each method returns a *[ParameterError] for a number outside its range, inside the event or
// not, and an *[UnsupportedError] for an event it has no bound for.
type Accountant interface {
	// Name is the name [New] knows the accountant by.
	Name() string

	// Epsilon brackets the smallest ε >= 0 for which e is (ε, delta)-differentially private. delta is in (0, 1).
	Epsilon(e Event, delta float64) (Interval, error)

	// Delta brackets the smallest δ for which e is (epsilon, δ)-differentially private. epsilon is in
	// [0, 1e100]. The upper end is in (0, 1], or 0 if e reveals nothing.
	Delta(e Event, epsilon float64) (Interval, error)

	// Curve bounds δ for all ε at once, and with it what a membership attacker can achieve.
	Curve(e Event) (*Curve, error)
}

// New returns the accountant called name: "pld", the tightest there is for an event, or "rdp", Rényi differential privacy
// at its best real order.
func New(name string, adjacency Adjacency) (Accountant, error) {
	if err := checkAdjacency(adjacency); err != nil {
		return nil, err
	}
	switch name {
	case "pld":
		return pld{adjacency: adjacency, width: defaultWidth}, nil
	case "rdp":
		return rdp{adjacency}, nil
	default:
		return nil, &ParameterError{"accountant", name, "pld or rdp"}
	}
}

// ParameterError is a value outside its range.
type ParameterError struct {
	Name  string // the parameter, in the spelling of configs
	Value string
	Want  string // what its value may be
}

func (e *ParameterError) Error() string {
	return fmt.Sprintf("%s is %s, want %s", e.Name, e.Value, e.Want)
}

// UnsupportedError is an event that an accountant has no bound for.
type UnsupportedError struct {
	Event  Event
	Reason string // continues a sentence whose subject is the event
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("no bound for event %s: it %s", eventName(e.Event), e.Reason)
}

// eventName is e's kind and, for the events that wrap one, that of its content.
func eventName(e Event) string {
	switch e := e.(type) {
	case PoissonSampled:
		return fmt.Sprintf("poisson_sampled(%g, %s)", e.SamplingProbability, eventName(e.Event))
	case SelfComposed:
		return fmt.Sprintf("self_composed(%s, %d)", eventName(e.Event), e.Count)
	case Composed:
		return fmt.Sprintf("composed(%d events)", len(e.Events))
	case Gaussian:
		return fmt.Sprintf("gaussian(%g)", e.NoiseMultiplier)
	case Laplace:
		return fmt.Sprintf("laplace(%g)", e.NoiseMultiplier)
	case EpsilonDelta:
		return fmt.Sprintf("epsilon_delta(%g, %g)", e.Epsilon, e.Delta)
	case NonPrivate:
		return "non_private"
	case NoOp:
		return "no_op"
	default:
		return fmt.Sprintf("of type %T", e)
	}
}

func checkAdjacency(adjacency Adjacency) error {
	switch adjacency {
	case ZeroOut, AddOrRemoveOne, ReplaceOne:
		return nil
	default:
		return &ParameterError{"adjacency", string(adjacency), "zero_out, add_or_remove_one or replace_one"}
	}
}

func checkDelta(delta float64) error {
	if !(delta > 0 && delta < 1) {
		return &ParameterError{"delta", formatFloat(delta), "a number in (0, 1)"}
	}
	return nil
}

func checkEpsilon(epsilon float64) error {
	if !(epsilon >= 0 && epsilon <= 1e100) {
		return &ParameterError{"epsilon", formatFloat(epsilon), "a number in [0, 1e100]"}
	}
	return nil
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

package accounting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MarshalEvent writes e as JSON: an object whose "event" names its kind in snake case, with the fields of the event's
// type in snake case beside it.
//
//	{"event": "self_composed", "count": 100, "of": {"event": "gaussian", "noise_multiplier": 1.1}}
//
// It errors for an event that is not of the closed set.
func MarshalEvent(e Event) ([]byte, error) {
	tree, err := eventTree(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// eventJSON is an event in JSON; the fields that do not belong to its kind are absent.
type eventJSON struct {
	Event               string      `json:"event"`
	NoiseMultiplier     *float64    `json:"noise_multiplier,omitempty"`
	SamplingProbability *float64    `json:"sampling_probability,omitempty"`
	Epsilon             *float64    `json:"epsilon,omitempty"`
	Delta               *float64    `json:"delta,omitempty"`
	Count               *int        `json:"count,omitempty"`
	Of                  *eventJSON  `json:"of,omitempty"`
	Events              []eventJSON `json:"events,omitempty"`
}

func eventTree(e Event) (eventJSON, error) {
	switch e := e.(type) {
	case Gaussian:
		return eventJSON{Event: "gaussian", NoiseMultiplier: &e.NoiseMultiplier}, nil
	case Laplace:
		return eventJSON{Event: "laplace", NoiseMultiplier: &e.NoiseMultiplier}, nil
	case EpsilonDelta:
		return eventJSON{Event: "epsilon_delta", Epsilon: &e.Epsilon, Delta: &e.Delta}, nil
	case PoissonSampled:
		of, err := eventTree(e.Event)
		return eventJSON{Event: "poisson_sampled", SamplingProbability: &e.SamplingProbability, Of: &of}, err
	case SelfComposed:
		of, err := eventTree(e.Event)
		return eventJSON{Event: "self_composed", Count: &e.Count, Of: &of}, err
	case Composed:
		tree := eventJSON{Event: "composed"}
		for _, part := range e.Events {
			of, err := eventTree(part)
			if err != nil {
				return tree, err
			}
			tree.Events = append(tree.Events, of)
		}
		return tree, nil
	case NonPrivate:
		return eventJSON{Event: "non_private"}, nil
	case NoOp:
		return eventJSON{Event: "no_op"}, nil
	default:
		return eventJSON{}, &UnsupportedError{Event: e, Reason: "is not a known event"}
	}
}

// Limits of what UnmarshalEvent reads.
const (
	maxEventBytes = 1 << 20
	maxEventDepth = 64 // of objects and arrays
)

// UnmarshalEvent reads what MarshalEvent writes, of at most 1 MiB and 64 levels of objects and lists. A top-level list is
// the composition of its events. It errors for what is not one JSON value, for an unknown or a repeated event, for a field that is unknown, missing
// or of another kind of event, and for a parameter that an accountant would refuse.
func UnmarshalEvent(data []byte) (Event, error) {
	if len(data) > maxEventBytes {
		return nil, fmt.Errorf("events take %d bytes, want at most %d", len(data), maxEventBytes)
	}
	if err := checkShape(data); err != nil {
		return nil, err
	}
	var tree eventJSON
	target := any(&tree)
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")) {
		tree.Event, target = "composed", &tree.Events
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	e, err := tree.event()
	if err != nil {
		return nil, err
	}
	if _, err := appendTerms(nil, e, 1); err != nil {
		return nil, err
	}
	return e, nil
}

// checkShape refuses what is not one JSON value, nests too deeply, or has a name twice in one object: of which encoding/json takes the last.
func checkShape(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	// The names so far of each open object; nil for a list.
	var open []map[string]bool
	name := false // whether the next string is a name
	for first := true; first || len(open) > 0; first = false {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("events: %w", err)
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			if len(open) > maxEventDepth {
				return fmt.Errorf("events nest deeper than %d", maxEventDepth)
			}
			name = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if inObject && name {
				if strings.Trim(token, "abcdefghijklmnopqrstuvwxyz_") != "" { // encoding/json folds letters
					return fmt.Errorf("events: unknown field %q", token)
				}
				if open[len(open)-1][token] {
					return fmt.Errorf("events: field %q comes twice in one event", token)
				}
				open[len(open)-1][token] = true
				name = false
				continue
			}
		}
		name = inObject
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("events: want one JSON value and nothing after it")
	}
	return nil
}

// event is the inverse of eventTree.
func (t eventJSON) event() (Event, error) {
	if err := t.checkFields(); err != nil {
		return nil, err
	}
	var of Event
	if t.Of != nil {
		var err error
		if of, err = t.Of.event(); err != nil {
			return nil, err
		}
	}
	switch t.Event {
	case "gaussian":
		return Gaussian{*t.NoiseMultiplier}, nil
	case "laplace":
		return Laplace{*t.NoiseMultiplier}, nil
	case "epsilon_delta":
		return EpsilonDelta{*t.Epsilon, *t.Delta}, nil
	case "poisson_sampled":
		return PoissonSampled{*t.SamplingProbability, of}, nil
	case "self_composed":
		return SelfComposed{of, *t.Count}, nil
	case "composed":
		var c Composed
		for _, part := range t.Events {
			e, err := part.event()
			if err != nil {
				return nil, err
			}
			c.Events = append(c.Events, e)
		}
		return c, nil
	case "non_private":
		return NonPrivate{}, nil
	default:
		return NoOp{}, nil
	}
}

// An EventKind is a kind of event in JSON: its name, and the fields that stand beside it. Each of these is required, but
// for the events of a composition, which may have none.
type EventKind struct {
	Name   string
	Fields []string
}

// EventKinds lists every kind of event that there is in JSON.
func EventKinds() []EventKind {
	return []EventKind{
		{"gaussian", []string{"noise_multiplier"}},
		{"laplace", []string{"noise_multiplier"}},
		{"epsilon_delta", []string{"epsilon", "delta"}},
		{"poisson_sampled", []string{"sampling_probability", "of"}},
		{"self_composed", []string{"count", "of"}},
		{"composed", []string{"events"}},
		{"non_private", nil},
		{"no_op", nil},
	}
}

// checkFields refuses an unknown kind, one that is known to have no bound here, a field of another kind, and a missing one.
func (t eventJSON) checkFields() error {
	has := map[string]bool{
		"noise_multiplier": t.NoiseMultiplier != nil, "sampling_probability": t.SamplingProbability != nil, "epsilon": t.Epsilon != nil,
		"delta": t.Delta != nil, "count": t.Count != nil, "of": t.Of != nil, "events": t.Events != nil,
	}
	kinds := EventKinds()
	i := slices.IndexFunc(kinds, func(k EventKind) bool { return k.Name == t.Event })
	switch t.Event {
	case "sampled_without_replacement", "sampled_with_replacement", "shuffled":
		return fmt.Errorf("no bound for event %s: its batches are not Poisson samples, and the epsilon of those could be too small for it", t.Event)
	}
	if i < 0 {
		return &ParameterError{"event", fmt.Sprintf("%q", t.Event),
			"gaussian, laplace, epsilon_delta, poisson_sampled, self_composed, composed, non_private or no_op"}
	}
	for _, name := range kinds[i].Fields {
		if !has[name] && name != "events" {
			return &ParameterError{name, "missing", "a value in event " + t.Event}
		}
		has[name] = false
	}
	for _, name := range []string{"noise_multiplier", "sampling_probability", "epsilon", "delta", "count", "of", "events"} {
		if has[name] {
			return &ParameterError{name, "set", "no such field in event " + t.Event}
		}
	}
	return nil
}

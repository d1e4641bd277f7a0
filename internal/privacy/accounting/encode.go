package accounting

import "encoding/json"

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
	Count               *int        `json:"count,omitempty"`
	Of                  *eventJSON  `json:"of,omitempty"`
	Events              []eventJSON `json:"events,omitempty"`
}

func eventTree(e Event) (eventJSON, error) {
	switch e := e.(type) {
	case Gaussian:
		return eventJSON{Event: "gaussian", NoiseMultiplier: &e.NoiseMultiplier}, nil
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

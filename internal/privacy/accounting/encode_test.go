package accounting

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func everyEvent() Event {
	return Composed{[]Event{
		Gaussian{1.5}, Laplace{2}, EpsilonDelta{0.5, 1e-7}, NoOp{}, NonPrivate{}, Composed{},
		SelfComposed{PoissonSampled{0.25, Gaussian{0.1}}, 3},
	}}
}

func TestEventsRoundTrip(t *testing.T) {
	text, err := MarshalEvent(everyEvent())
	if err != nil {
		t.Fatal(err)
	}
	got, err := UnmarshalEvent(text)
	if err != nil || !reflect.DeepEqual(got, everyEvent()) {
		t.Errorf("UnmarshalEvent(%s) = %#v, %v, want %#v", text, got, err, everyEvent())
	}
	list := `[{"event":"no_op"}, {"event":"gaussian","noise_multiplier":2}]`
	if got, err := UnmarshalEvent([]byte(list)); err != nil || !reflect.DeepEqual(got, Composed{[]Event{NoOp{}, Gaussian{2}}}) {
		t.Errorf("UnmarshalEvent(%s) = %#v, %v, want the composition", list, got, err)
	}
	var unsupported *UnsupportedError
	if _, err := MarshalEvent(SelfComposed{unknownEvent{}, 2}); !errors.As(err, &unsupported) {
		t.Errorf("MarshalEvent of an unknown event = %v, want an UnsupportedError", err)
	}
}

func TestUnmarshalEventRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          ``,
		"null":             `null`,
		"number":           `1`,
		"unknown event":    `{"event":"gauss","noise_multiplier":1}`,
		"no event":         `{"noise_multiplier":1}`,
		"unknown field":    `{"event":"gaussian","noise_multiplier":1,"sigma":1}`,
		"another's field":  `{"event":"gaussian","noise_multiplier":1,"count":1}`,
		"missing field":    `{"event":"gaussian"}`,
		"null field":       `{"event":"gaussian","noise_multiplier":null}`,
		"missing of":       `{"event":"self_composed","count":2}`,
		"twice":            `{"event":"gaussian","noise_multiplier":1,"noise_multiplier":9}`,
		"twice, folded":    `{"event":"gaussian","noise_multiplier":1,"Noise_multiplier":9}`,
		"string":           `{"event":"gaussian","noise_multiplier":"1"}`,
		"fraction":         `{"event":"self_composed","count":1.5,"of":{"event":"no_op"}}`,
		"huge count":       `{"event":"self_composed","count":99999999999999999999,"of":{"event":"no_op"}}`,
		"count over limit": `{"event":"self_composed","count":1000000000001,"of":{"event":"no_op"}}`,
		"two values":       `{"event":"no_op"} {"event":"no_op"}`,
		"cut off":          `{"event":"no_op"`,
		"negative":         `{"event":"gaussian","noise_multiplier":-1}`,
		"delta of one":     `{"event":"epsilon_delta","epsilon":1,"delta":1}`,
		"list in a list":   `[[{"event":"no_op"}]]`,
		"null in a list":   `[null]`,
		"overflow":         `{"event":"gaussian","noise_multiplier":1e999}`,
		"too deep":         strings.Repeat(`{"event":"self_composed","count":1,"of":`, 65) + `{"event":"no_op"}` + strings.Repeat(`}`, 65),
		"too long":         `{"event":"no_op"}` + strings.Repeat(" ", 1<<20),
	} {
		if got, err := UnmarshalEvent([]byte(text)); err == nil {
			t.Errorf("%s: UnmarshalEvent = %#v, want an error", name, got)
		}
	}
}

// Batches that are not Poisson samples are refused by name, whatever else the event states: nobody is to price them as if they were.
func TestUnmarshalEventNamesSamplingWithoutABound(t *testing.T) {
	for _, name := range []string{"sampled_without_replacement", "sampled_with_replacement", "shuffled"} {
		text := `[{"event":"` + name + `","sampling_probability":0.01,"of":{"event":"gaussian","noise_multiplier":1}}]`
		if got, err := UnmarshalEvent([]byte(text)); err == nil || !strings.Contains(err.Error(), "no bound for event "+name) {
			t.Errorf("UnmarshalEvent(%s) = %#v, %v, want an error that names it", text, got, err)
		}
	}
}

// What is read can be written, and read again as the same.
func FuzzUnmarshalEvent(f *testing.F) {
	text, err := MarshalEvent(everyEvent())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`[{"event":"self_composed","count":3,"of":{"event":"composed","events":[]}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := UnmarshalEvent(data)
		if err != nil {
			return
		}
		text, err := MarshalEvent(e)
		if err != nil {
			t.Fatalf("MarshalEvent(%#v) = %v", e, err)
		}
		if again, err := UnmarshalEvent(text); err != nil || !reflect.DeepEqual(again, e) && len(text) < 1<<20 {
			t.Errorf("UnmarshalEvent(%s) = %#v, %v, want %#v", text, again, err, e)
		}
	})
}

package main

import (
	"math"
	"strconv"
	"testing"
)

// TestDecimalTicksAreWhereTheySay gives axes below, around and above 1: a tick at 0.7 is not labelled 0.8.
func TestDecimalTicksAreWhereTheySay(t *testing.T) {
	for _, axis := range [][2]float64{{0.5, 2}, {0.001, 30}, {3e-6, 8e-6}, {40, 3000}} {
		labels := 0
		for _, tick := range (decimalTicks{}).Ticks(axis[0], axis[1]) {
			if tick.Label == "" {
				continue
			}
			labels++
			if value, err := strconv.ParseFloat(tick.Label, 64); err != nil || value != tick.Value {
				t.Errorf("from %g to %g: the tick at %v is labelled %s", axis[0], axis[1], tick.Value, tick.Label)
			}
		}
		if labels < 3 {
			t.Errorf("from %g to %g: %d labels, want at least 3", axis[0], axis[1], labels)
		}
	}
}

// TestExactTicksAreWhereTheySay gives the axis of a log loss on which steps of 0.005 begin at 0.3075.
func TestExactTicksAreWhereTheySay(t *testing.T) {
	for _, axis := range [][2]float64{{0.3064, 0.3178}, {0.904, 0.9101}, {0, 1000}, {0, 2.1}} {
		for _, tick := range (exactTicks{}).Ticks(axis[0], axis[1]) {
			if tick.Label == "" {
				continue
			}
			if value, err := strconv.ParseFloat(tick.Label, 64); err != nil || math.Abs(value-tick.Value) > 1e-9*(axis[1]-axis[0]) {
				t.Errorf("from %g to %g: the tick at %v is labelled %s", axis[0], axis[1], tick.Value, tick.Label)
			}
		}
	}
}

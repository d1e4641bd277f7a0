package train

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// checkpointFormat names the layout of a checkpoint, a safetensors file.
const checkpointFormat = "dptrain.checkpoint/2"

// A checkpoint is what a run has learned after some of its steps.
type checkpoint struct {
	applied  int      // steps that moved the parameters
	charged  int      // steps of the plan that were drawn or lost by then
	averaged int      // iterates in the average
	tensors  []tensor // as [learnerTensors] names them
}

// checkpoint is what l has learned. The tensors are l's own: they are read before the next step.
func (l *learner) checkpoint() *checkpoint {
	return &checkpoint{applied: l.applied, charged: l.next, averaged: l.average.count, tensors: l.tensors}
}

// finite reports whether every number of c is one.
func (c *checkpoint) finite() bool {
	return !slices.ContainsFunc(c.tensors, func(t tensor) bool { return !finite(t.values) })
}

// finite reports whether every one of values is a finite number.
func finite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// encode writes the checkpoint as a file.
func (c *checkpoint) encode(w io.Writer, start logStart) error {
	return writeSafetensors(w, map[string]string{
		"format": checkpointFormat, "run": start.Run, "config": start.Config,
		"applied": strconv.Itoa(c.applied), "charged": strconv.Itoa(c.charged), "averaged": strconv.Itoa(c.averaged),
	}, c.tensors)
}

// decodeCheckpoint is the inverse of encode, for the checkpoint of a run by the plan. It trusts nothing in the file.
func decodeCheckpoint(file source, p *Plan, run string) (*checkpoint, error) {
	metadata, tensors, err := readSafetensors(file, checkpointFormat)
	if err != nil {
		return nil, err
	}
	if metadata["run"] != run {
		return nil, fmt.Errorf("belongs to another run than the log beside it")
	}
	c := &checkpoint{}
	for key, number := range map[string]*int{"applied": &c.applied, "charged": &c.charged, "averaged": &c.averaged} {
		if *number, err = strconv.Atoi(metadata[key]); err != nil || *number < 0 || *number > p.Train.Steps {
			return nil, fmt.Errorf("its number of steps %s is not one of the plan", key)
		}
	}
	if c.applied > c.charged || c.averaged > c.applied {
		return nil, fmt.Errorf("its numbers of steps do not go together")
	}
	for _, name := range learnerTensors(p) {
		i := slices.IndexFunc(tensors, func(t tensor) bool { return t.name == name })
		if i < 0 || !slices.Equal(tensors[i].shape, []int{p.Net.Params()}) {
			return nil, fmt.Errorf("its tensors are not those of the plan's model and optimizer")
		}
		c.tensors = append(c.tensors, tensors[i])
	}
	if len(tensors) != len(c.tensors) {
		return nil, fmt.Errorf("it has more tensors than the plan's model and optimizer")
	}
	return c, nil
}

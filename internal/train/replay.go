package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"dptrain/internal/data"
	"dptrain/internal/privacy"
	"dptrain/internal/privacy/accounting"
	"dptrain/internal/privacy/rng"
)

// replay runs the real fit on two neighbouring tables, which differ in one row, with one randomness, and compares what
// the two do and give out (package privacy, [privacy.Tape]). Of the second run's sums nothing is used but their
// distance to the first run's, so that model, report and progress must be the same byte for byte. The randomness is
// that of the seed.
//
// Which table is the neighbour of table follows from the plan's adjacency: row nulled, row left out, or row replaced by
// a copy of row other.
func replay(ctx context.Context, p *Plan, table *data.Dataset, row, other int, seed uint64) (privacy.Comparison, error) {
	order := make([]int, table.Rows)
	for i := range order {
		order[i] = i
	}
	null := int32(row)
	if p.Privacy.Adjacency == accounting.AddOrRemoveOne {
		// Rows take their slots one after the other: with the row at the end, the others get the same ones without it.
		last := table.Rows - 1
		order[row], order[last] = last, row
		row, null = last, -1
	}
	tape := privacy.NewTape(seed)
	first, err := replayOnce(ctx, p, table.Pick(order), tape, seed, -1, 1, func(part *privacy.Taped) *privacy.Taped { return part })
	if err != nil {
		return privacy.Comparison{}, err
	}
	switch p.Privacy.Adjacency {
	case accounting.AddOrRemoveOne:
		order = order[:row]
	case accounting.ReplaceOne:
		order[row], null = other, -1
	case accounting.ZeroOut:
	}
	second, err := replayOnce(ctx, p, table.Pick(order), tape, seed, null, 3, // workers: their number changes nothing
		func(part *privacy.Taped) *privacy.Taped { return part.Play(int32(row), p.Privacy.Adjacency) })
	if err != nil {
		return privacy.Comparison{}, err
	}
	found := tape.Found()
	for _, output := range []struct {
		name string
		same bool
	}{
		{"models", bytes.Equal(first.model, second.model)},
		{"reports", bytes.Equal(first.report, second.report)},
		{"progress lines", first.progress == second.progress},
	} {
		if !output.same {
			found.Faults = append(found.Faults, "the "+output.name+" differ, though all noisy means are the same")
		}
	}
	return found, nil
}

// outputs are what a fit gives out.
type outputs struct {
	model, report []byte
	progress      string
}

// replayOnce fits on a tape, whose parts it hands to part. Row null, unless it is -1, has no gradient.
func replayOnce(ctx context.Context, p *Plan, table *data.Dataset, tape *privacy.Tape, seed uint64, null int32, workers int,
	part func(*privacy.Taped) *privacy.Taped) (*outputs, error) {
	out := &outputs{}
	taped := func(m *privacy.Taped, err error) (means, error) {
		if err != nil {
			return nil, err
		}
		return nulling{part(m), null}, nil
	}
	fitted, err := Fit(ctx, p, table, Run{
		Key: rng.TestKey(seed), Workers: workers,
		Progress: func(done int) { out.progress += fmt.Sprintln(done) },
		watch: func(slots privacy.Slots, layout privacy.Layout) (means, error) {
			return taped(tape.Record(p.Mechanism, slots, layout))
		},
		watchQuery: func(i int, slots privacy.Slots) (means, error) {
			return taped(tape.RecordQuery(p.Mechanism, i, slots, workers))
		},
	})
	var diverged *DivergedError
	if errors.As(err, &diverged) { // by what both runs were given: an output like any other
		out.model = []byte(err.Error())
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	report, err := NewReport(p, fitted, true, "selftest")
	if err != nil {
		return nil, err
	}
	model := &Model{Schema: fitted.Encoding, Net: p.Net, Params: fitted.Params, Model: p.Model, Privacy: p.Privacy, Train: p.Train}
	var file bytes.Buffer
	if err := model.encode(&file); err != nil {
		return nil, err
	}
	out.model = file.Bytes()
	out.report, err = report.Encode()
	return out, err
}

// nulling is a mechanism on a table in which one row is null.
type nulling struct {
	*privacy.Taped
	null int32 // -1: none
}

func (n nulling) Step(dst []float32, gradients privacy.Source, released func(lo int, mean []float32)) {
	n.Taped.Step(dst, func(group int, rows []int32) privacy.Gradients {
		g := gradients(group, rows)
		for i, row := range rows {
			if row == n.null {
				return nulled{g, i}
			}
		}
		return g
	}, released)
}

// nulled is a group of which one row has no gradient.
type nulled struct {
	privacy.Gradients
	at int
}

func (n nulled) SquaredNorms(dst []float64) {
	n.Gradients.SquaredNorms(dst)
	dst[n.at] = math.NaN()
}

package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train/disk"
)

// format names the layout of a ledger.
const format = "dptrain.ledger/1"

// The shares of the terms' δ and ε that are left to the arithmetic of all runs together.
const (
	arithmeticDelta   = 1e-5
	arithmeticEpsilon = 5e-10
)

// MaxEpsilon is the largest total that can be promised, as for a run.
const MaxEpsilon = 1000.0

// Terms are what all runs of a ledger have in common.
type Terms struct {
	Dataset         string               `json:"dataset"`
	Unit            string               `json:"unit"`
	Adjacency       accounting.Adjacency `json:"adjacency"`
	Delta           float64              `json:"delta"`
	MaxTotalEpsilon float64              `json:"max_total_epsilon"`
}

// A Spend is what one run spends.
type Spend struct {
	Run             string          `json:"run"`    // a name that no other run has
	Time            string          `json:"time"`   // when it was entered, RFC 3339
	Config          string          `json:"config"` // hash of the resolved config
	Events          json.RawMessage `json:"events"`
	ExtraEpsilon    float64         `json:"extra_epsilon"`    // what its noise differs from its events'
	ArithmeticDelta float64         `json:"arithmetic_delta"` // what its arithmetic takes of δ
}

// A Total is what the runs up to one have spent.
type Total struct {
	Cost            float64 `json:"cost"`    // in the filter's currency
	Epsilon         float64 `json:"epsilon"` // what that is at the terms' δ, an upper bound
	ExtraEpsilon    float64 `json:"extra_epsilon"`
	ArithmeticDelta float64 `json:"arithmetic_delta"`
}

// A Line is one line of a ledger but the first.
type Line struct {
	Spend
	Total Total  `json:"total"`
	Alone Total  `json:"-"` // what the run costs by itself
	Hash  string `json:"-"` // of the line, by which a report names it
}

// A Ledger is what a ledger's file says.
type Ledger struct {
	Terms
	Filter accounting.Filter
	Lines  []Line
	// Cut says that the file ends inside a line, of a run that was being entered and never began.
	Cut bool
}

// entry is what one line of the file says: one of the two.
type entry struct {
	Open  *opening `json:"open,omitempty"` // the first line
	Spend *Line    `json:"spend,omitempty"`
}

// opening is the first line of a ledger.
type opening struct {
	Format string `json:"format"`
	Terms
	Filter accounting.Filter `json:"filter"`
}

// A DamagedError says where a ledger is not what a run wrote.
type DamagedError struct {
	Path string
	Line int // from 1; 0: the file as a whole
	Msg  string
}

func (e *DamagedError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Msg)
	}
	return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg)
}

// Hint is what to do about it.
func (e *DamagedError) Hint() string {
	return "restore the ledger from a copy; what was spent since must be in it, or the budget is not known"
}

// A TermsError says that a run does not go with a ledger's terms.
type TermsError struct {
	Path, Term     string // term in the spelling of configs
	Theirs, Stated any
}

func (e *TermsError) Error() string {
	return fmt.Sprintf("%s: the ledger was opened with %s %v, the config states %v", e.Path, e.Term, e.Theirs, e.Stated)
}

// Hint is what to do about it.
func (e *TermsError) Hint() string {
	return "all runs of a ledger share data set, unit, adjacency, delta and max_total_epsilon: state the ledger's, or name another ledger for another data set"
}

// An OverspentError refuses a run that the budget does not hold.
type OverspentError struct {
	Path, Dataset string
	Spent, After  float64 // ε without the run and with it
	Max           float64
	Arithmetic    bool // it is the share left to arithmetic that does not suffice
}

func (e *OverspentError) Error() string {
	if e.Arithmetic {
		return fmt.Sprintf("%s: the runs on %s are too many, or their lattices too coarse, for the share of delta and epsilon that is left to arithmetic", e.Path, e.Dataset)
	}
	after := "without bound"
	if e.After < MaxEpsilon {
		after = accounting.FormatUp(e.After, 4)
	}
	return fmt.Sprintf("%s: the run would take the total epsilon of %s from %s to %s, above max_total_epsilon %v",
		e.Path, e.Dataset, accounting.FormatUp(e.Spent, 4), after, e.Max)
}

// Read reads a ledger and checks its chain and its arithmetic. Its errors are *DamagedError, or of the file system.
func Read(fsys disk.FS, path string) (*Ledger, error) {
	entries, cut, err := disk.ReadJournal(fsys, path)
	if err != nil {
		return nil, damaged(err)
	}
	l, err := parse(path, entries)
	if err != nil {
		return nil, err
	}
	l.Cut = cut
	return l, nil
}

// damaged turns a journal's fault into a ledger's.
func damaged(err error) error {
	var fault *disk.DamagedError
	if errors.As(err, &fault) {
		return &DamagedError{fault.Path, fault.Line, fault.Msg}
	}
	return err
}

// parse takes what the lines say, and counts again.
func parse(path string, entries []disk.Entry) (*Ledger, error) {
	if len(entries) == 0 {
		return nil, &DamagedError{Path: path, Msg: "is empty"}
	}
	l := &Ledger{Lines: make([]Line, 0, len(entries)-1)}
	for i, e := range entries {
		var said entry
		decoder := json.NewDecoder(bytes.NewReader(e.JSON))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&said)
		if err != nil || (i == 0) != (said.Open != nil) || (i > 0) != (said.Spend != nil) {
			return nil, &DamagedError{path, i + 1, "is no line of a ledger"}
		}
		if i == 0 {
			err = l.open(*said.Open)
		} else {
			said.Spend.Hash = e.Hash
			err = l.take(*said.Spend)
		}
		if err != nil {
			return nil, &DamagedError{path, i + 1, err.Error()}
		}
	}
	return l, nil
}

// open takes the first line.
func (l *Ledger) open(o opening) error {
	if o.Format != format {
		return fmt.Errorf("is of another format, want %s", format)
	}
	l.Terms, l.Filter = o.Terms, o.Filter
	if !(l.MaxTotalEpsilon > 0 && l.MaxTotalEpsilon <= MaxEpsilon) {
		return fmt.Errorf("max_total_epsilon is %v, want a number in (0, %v]", l.MaxTotalEpsilon, MaxEpsilon)
	}
	if l.Filter.Adjacency != l.Adjacency {
		return fmt.Errorf("the filter is for adjacency %s, the ledger for %s", l.Filter.Adjacency, l.Adjacency)
	}
	_, err := l.Filter.Epsilon(0, l.Delta)
	return err
}

// take takes a line whose totals must be right and within the budget.
func (l *Ledger) take(line Line) error {
	for _, other := range l.Lines {
		if other.Run == line.Run {
			return fmt.Errorf("enters a run for the second time")
		}
	}
	want, err := l.with(line.Spend)
	if err != nil {
		return err
	}
	if !agree(line.Total.Cost, want.Total.Cost) || !agree(line.Total.Epsilon, want.Total.Epsilon) ||
		!agree(line.Total.ExtraEpsilon, want.Total.ExtraEpsilon) || !agree(line.Total.ArithmeticDelta, want.Total.ArithmeticDelta) {
		return fmt.Errorf("states totals that are not the sum of what was spent")
	}
	if l.over(want.Total) {
		return fmt.Errorf("spends more than the budget holds")
	}
	want.Hash = line.Hash
	l.Lines = append(l.Lines, want)
	return nil
}

// agree reports whether two numbers agree but for roundings.
func agree(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) }

// Spent is the total so far.
func (l *Ledger) Spent() Total {
	if len(l.Lines) == 0 {
		return Total{}
	}
	return l.Lines[len(l.Lines)-1].Total
}

// with is the line that s would be, were it next.
func (l *Ledger) with(s Spend) (Line, error) {
	event, err := accounting.UnmarshalEvent(s.Events)
	if err != nil {
		return Line{}, err
	}
	cost, err := l.Filter.Cost(event)
	if err != nil {
		return Line{}, err
	}
	if !(s.ExtraEpsilon >= 0 && s.ArithmeticDelta >= 0) {
		return Line{}, fmt.Errorf("extra_epsilon or arithmetic_delta is negative")
	}
	line := Line{Spend: s, Alone: Total{Cost: cost, ExtraEpsilon: s.ExtraEpsilon, ArithmeticDelta: s.ArithmeticDelta}, Total: l.Spent()}
	line.Total.Cost += cost
	line.Total.ExtraEpsilon += s.ExtraEpsilon
	line.Total.ArithmeticDelta += s.ArithmeticDelta
	for _, t := range []*Total{&line.Alone, &line.Total} {
		epsilon, err := l.Filter.Epsilon(t.Cost, l.Delta*(1-arithmeticDelta))
		if err != nil {
			return Line{}, err
		}
		t.Epsilon = min(epsilon, math.MaxFloat64) // JSON has no infinity
	}
	return line, nil
}

// over reports whether a total is beyond the budget.
func (l *Ledger) over(t Total) bool {
	return !(t.Epsilon <= l.MaxTotalEpsilon*(1-arithmeticEpsilon)) || l.overArithmetic(t)
}

func (l *Ledger) overArithmetic(t Total) bool {
	return !(t.ExtraEpsilon <= l.MaxTotalEpsilon*arithmeticEpsilon && t.ArithmeticDelta <= l.Delta*arithmeticDelta)
}

// entered returns the line of a run, if there is one.
func (l *Ledger) entered(run string) (Line, bool) {
	for _, line := range l.Lines {
		if line.Run == run {
			return line, true
		}
	}
	return Line{}, false
}

// Find returns the line with a hash, if there is one.
func (l *Ledger) Find(hash string) (Line, bool) {
	for _, line := range l.Lines {
		if line.Hash == hash {
			return line, true
		}
	}
	return Line{}, false
}

// Preview returns what the ledger at path would be, and its line for s, were s entered now. A run that is entered already
// has its line. Nothing is changed. It errs with a *TermsError or an *OverspentError where s would be refused.
func Preview(fsys disk.FS, path string, t Terms, s Spend) (*Ledger, Line, error) {
	l, err := Read(fsys, path)
	if errors.Is(err, fs.ErrNotExist) {
		l, err = begin(t, s)
	}
	if err != nil {
		return nil, Line{}, err
	}
	line, err := l.admit(path, t, s)
	return l, line, err
}

// begin is a ledger without lines, with the filter that suits its first.
func begin(t Terms, first Spend) (*Ledger, error) {
	event, err := accounting.UnmarshalEvent(first.Events)
	if err != nil {
		return nil, err
	}
	filter, err := accounting.NewFilter(t.Adjacency, event, t.MaxTotalEpsilon*(1-arithmeticEpsilon), t.Delta*(1-arithmeticDelta))
	if err != nil {
		return nil, err
	}
	return &Ledger{Terms: t, Filter: filter}, nil
}

// admit returns the line for s, or why s is refused.
func (l *Ledger) admit(path string, t Terms, s Spend) (Line, error) {
	for _, term := range []struct {
		name           string
		theirs, stated any
	}{
		{"privacy.dataset", l.Dataset, t.Dataset},
		{"privacy.unit", l.Unit, t.Unit},
		{"privacy.adjacency", l.Adjacency, t.Adjacency},
		{"privacy.delta", l.Delta, t.Delta},
		{"privacy.max_total_epsilon", l.MaxTotalEpsilon, t.MaxTotalEpsilon},
	} {
		if term.theirs != term.stated {
			return Line{}, &TermsError{Path: path, Term: term.name, Theirs: term.theirs, Stated: term.stated}
		}
	}
	if line, entered := l.entered(s.Run); entered {
		if line.Config != s.Config || !bytes.Equal(line.Events, s.Events) {
			return Line{}, &DamagedError{Path: path, Msg: fmt.Sprintf("has another run that is called %s", s.Run)}
		}
		return line, nil
	}
	line, err := l.with(s)
	if err != nil {
		return Line{}, err
	}
	if l.over(line.Total) {
		return Line{}, &OverspentError{Path: path, Dataset: l.Dataset, Spent: l.Spent().Epsilon, After: line.Total.Epsilon,
			Max: l.MaxTotalEpsilon, Arithmetic: line.Total.Epsilon <= l.MaxTotalEpsilon*(1-arithmeticEpsilon)}
	}
	return line, nil
}

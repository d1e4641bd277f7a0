package train

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"dptrain/internal/train/disk"
)

// The names of the files that a run keeps in its output folder until it has ended.
const (
	LogFile        = "run.log"                // what may have drawn noise
	CheckpointFile = "checkpoint.safetensors" // what was learned so far
)

// An Attempt is one process's go at a run in an output folder. Its log, a [disk.Journal], says what may have drawn noise:
// every query of the records is reserved in it, on disk, before its noise is drawn; a fit that is told to stop gives back
// what it has not drawn of its last reservation. So whatever ends the process, and whenever, the log has at least what was
// drawn; the next attempt takes all that is reserved as drawn, and has the rest of the plan left. Its checkpoint says what
// was learned: parameters, the optimizer's state and the average, all of them post-processing of noisy means. What was
// drawn after the checkpoint is lost, and paid for. Where the answers of queries are lost, steps of the plan ask for them
// again ([Plan.askAgain]).
//
// The log has the answers of the queries, too. Neither file holds a key, nor anything else computed from records: each
// attempt draws fresh randomness, and under add/remove adjacency a fresh map from rows to slots. They can be copied back, as any
// file can, and then more noise is drawn than the log tells; who restores an output folder from a backup must start anew.
type Attempt struct {
	fsys    disk.FS
	dir     string
	start   logStart
	queries []string    // of the plan, by name, those not yet reserved
	asked   []string    // those that were
	lost    []string    // those that an earlier attempt asked, and of which nothing was learned
	learned *Learned    // what the queries gave; nil before
	charged int         // steps reserved, by this attempt and those before it
	latest  int         // of those, the ones that the log's last entry reserved
	saved   *checkpoint // what those before it left; nil: nothing
	resumed bool
	journal *disk.Journal
}

// A logEntry is what one line of a log says: one of the four.
type logEntry struct {
	Start   *logStart   `json:"start,omitempty"`   // the first line
	Reserve *logReserve `json:"reserve,omitempty"` // before noise is drawn
	Learned *Learned    `json:"learned,omitempty"` // once all queries were answered
	Return  *logReserve `json:"return,omitempty"`  // of the reservation before, once nothing more of it will be drawn
}

// logStart says which run it is.
type logStart struct {
	Format string `json:"format"`
	Run    string `json:"run"`    // by which the run is known to a ledger
	Config string `json:"config"` // hash of the resolved config
	Steps  int    `json:"steps"`  // planned
}

// logReserve says that a query may draw its noise so many times more, or less.
type logReserve struct {
	Query string `json:"query"`
	Count int    `json:"count"`
}

const (
	logFormat  = "dptrain.run/1"
	querySteps = "steps"
	startAnew  = "--fresh starts anew, with a privacy loss of its own on top"
)

// A ResumeError says why what a run left behind cannot be gone on with.
type ResumeError struct{ Path, Msg string }

func (e *ResumeError) Error() string { return fmt.Sprintf("%s: %s", e.Path, e.Msg) }

// Hint is what to do about it.
func (e *ResumeError) Hint() string { return startAnew }

// An ExhaustedError says that a run was interrupted so often that nothing of its plan is left, and nothing was learned.
type ExhaustedError struct{ Steps int }

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("every step of the run, %d in all, is charged, and nothing that they gave was kept", e.Steps)
}

// Hint is what to do about it.
func (e *ExhaustedError) Hint() string { return startAnew }

// NewAttempt is the first attempt at a run by the plan in dir. run is a name that no other run has. Nothing is changed
// before Open.
func NewAttempt(fsys disk.FS, dir string, p *Plan, run string) (*Attempt, error) {
	config, err := p.ConfigHash()
	a := &Attempt{fsys: fsys, dir: dir,
		start: logStart{Format: logFormat, Run: run, Config: config, Steps: p.Train.Steps}}
	for _, q := range p.Privacy.Queries {
		a.queries = append(a.queries, q.Name)
	}
	return a, err
}

// ResumeAttempt is the next attempt at the run that was interrupted in dir, or nil where there is none. It errs with a
// *ResumeError where that run was not by this plan, or its files are not as they were written.
func ResumeAttempt(fsys disk.FS, dir string, p *Plan) (*Attempt, error) {
	path, kept := filepath.Join(dir, LogFile), filepath.Join(dir, CheckpointFile)
	// The checkpoint is opened first: a process at work adds to the log before it puts the next one in its place.
	file, err := fsys.Open(kept)
	if err == nil {
		defer file.Close()
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	entries, _, err := disk.ReadJournal(fsys, path)
	var damaged *disk.DamagedError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.As(err, &damaged):
		return nil, &ResumeError{path, fmt.Sprintf("line %d %s", damaged.Line, damaged.Msg)}
	case err != nil:
		return nil, err
	}
	a, err := NewAttempt(fsys, dir, p, "")
	if err != nil {
		return nil, err
	}
	a.resumed = true
	if err := a.read(path, entries); err != nil {
		return nil, err
	}
	if a.learned == nil {
		a.lost = a.asked
	} else if !p.canUse(a.learned) {
		return nil, &ResumeError{path, "has answers to other queries than the plan's"}
	}
	if file == nil {
		return a, nil
	}
	if len(p.Privacy.Queries) > 0 && a.learned == nil {
		return nil, &ResumeError{path, "has no answers of queries, which the checkpoint beside it needs"}
	}
	a.saved, err = decodeCheckpoint(file, p, a.start.Run)
	if errors.As(err, new(unreadableError)) {
		return nil, err
	}
	if err != nil {
		return nil, &ResumeError{kept, err.Error()}
	}
	if a.saved.charged > a.charged {
		return nil, &ResumeError{path, "has fewer steps than the checkpoint beside it"}
	}
	return a, nil
}

// read takes what the log says.
func (a *Attempt) read(path string, entries []disk.Entry) error {
	for i, e := range entries {
		var entry logEntry
		decoder := json.NewDecoder(bytes.NewReader(e.JSON))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&entry)
		stated := 0
		for _, is := range []bool{entry.Start != nil, entry.Reserve != nil, entry.Learned != nil, entry.Return != nil} {
			if is {
				stated++
			}
		}
		if err != nil || stated != 1 || (i == 0) != (entry.Start != nil) {
			return &ResumeError{path, fmt.Sprintf("line %d is not of a log this program writes", i+1)}
		}
		if i == 0 {
			if err := a.readStart(path, entry.Start); err != nil {
				return err
			}
		} else if !a.readEntry(entry) {
			return &ResumeError{path, fmt.Sprintf("line %d says what is not in the plan", i+1)}
		}
	}
	if len(entries) == 0 {
		return &ResumeError{path, "is empty"}
	}
	return nil
}

// readStart takes the first line: it must be of the same run as the plan's.
func (a *Attempt) readStart(path string, start *logStart) error {
	switch {
	case start.Format != logFormat:
		return &ResumeError{path, "is of another format, want " + logFormat}
	case start.Config != a.start.Config || start.Steps != a.start.Steps:
		return &ResumeError{path, "belongs to a run of another config: data, model, privacy or train has changed"}
	}
	a.start = *start
	return nil
}

// readEntry takes a further line. It reports whether that can follow from those before it: each query once and in order,
// then what was learned, once, with steps before it where they asked again, and after it. A reservation of steps may be returned
// in part, but not of those that ask.
func (a *Attempt) readEntry(entry logEntry) bool {
	r, latest := entry.Reserve, a.latest
	a.latest = 0
	switch {
	case entry.Return != nil:
		r = entry.Return
		if r.Query != querySteps || r.Count < 1 || r.Count >= latest || a.learned == nil && len(a.asked) > 0 {
			return false
		}
		a.charged -= r.Count
	case entry.Learned != nil:
		if a.learned != nil || len(a.asked) == 0 || len(a.queries) > 0 {
			return false
		}
		a.learned = entry.Learned
	case len(a.queries) > 0:
		if r.Query != a.queries[0] || r.Count != 1 {
			return false
		}
		a.asked, a.queries = append(a.asked, r.Query), a.queries[1:]
	default:
		if r.Query != querySteps || r.Count < 1 || r.Count > a.start.Steps-a.charged {
			return false
		}
		a.charged += r.Count
		a.latest = r.Count
	}
	return true
}

// Run is the name of the run.
func (a *Attempt) Run() string { return a.start.Run }

// Resumed reports whether there were attempts before this one.
func (a *Attempt) Resumed() bool { return a.resumed }

// Charged is the number of steps that may have drawn noise so far.
func (a *Attempt) Charged() int { return a.charged }

// Kept is the number of steps whose work an earlier attempt left.
func (a *Attempt) Kept() int {
	if a.saved == nil {
		return 0
	}
	return a.saved.applied
}

// Open readies the log. A first attempt replaces what an older run left: its checkpoint goes before its log, so that
// none ever stands beside a log that is not its own. It errs with an *ExhaustedError where nothing could come of it.
func (a *Attempt) Open() error {
	path := filepath.Join(a.dir, LogFile)
	a.latest = 0 // another attempt's, which may have drawn all of it
	if a.resumed {
		if a.charged == a.start.Steps && a.saved == nil {
			return &ExhaustedError{a.start.Steps}
		}
		journal, _, err := disk.OpenJournal(a.fsys, path)
		a.journal = journal
		return err
	}
	if err := disk.Remove(a.fsys, filepath.Join(a.dir, CheckpointFile)); err != nil {
		return err
	}
	journal, err := disk.CreateJournal(a.fsys, path, disk.Private, logEntry{Start: &a.start})
	a.journal = journal
	return err
}

// reserve puts count further steps on disk. Where it errs, none of them may be drawn.
func (a *Attempt) reserve(count int) error {
	if _, err := a.journal.Append(logEntry{Reserve: &logReserve{Query: querySteps, Count: count}}); err != nil {
		return err
	}
	a.charged += count
	a.latest = count
	return nil
}

// giveBack puts on disk that count of the steps reserved last were not drawn, nor will be.
func (a *Attempt) giveBack(count int) error {
	if count < 1 || count >= a.latest {
		return fmt.Errorf("%d of %d steps reserved last cannot be given back", count, a.latest)
	}
	if _, err := a.journal.Append(logEntry{Return: &logReserve{Query: querySteps, Count: count}}); err != nil {
		return err
	}
	a.charged -= count
	a.latest = 0
	return nil
}

// reserveQuery puts on disk that a query of the plan is asked. Where it errs, its noise may not be drawn.
func (a *Attempt) reserveQuery(name string) error {
	if len(a.queries) == 0 || a.queries[0] != name {
		return fmt.Errorf("query %s is not the next of the plan", name)
	}
	_, err := a.journal.Append(logEntry{Reserve: &logReserve{Query: name, Count: 1}})
	a.asked, a.queries = append(a.asked, name), a.queries[1:]
	return err
}

// keep puts on disk what the queries gave.
func (a *Attempt) keep(learned *Learned) error {
	_, err := a.journal.Append(logEntry{Learned: learned})
	a.learned = learned
	return err
}

// save puts a checkpoint on disk, in place of the one before it.
func (a *Attempt) save(c *checkpoint) error {
	return disk.WriteFileBy(a.fsys, filepath.Join(a.dir, CheckpointFile), disk.Private, func(w io.Writer) error {
		return c.encode(w, a.start)
	})
}

// Close closes the log and leaves what it and the checkpoint say for another attempt.
func (a *Attempt) Close() error {
	if a.journal == nil {
		return nil
	}
	journal := a.journal
	a.journal = nil
	return journal.Close()
}

// Finish removes log and checkpoint of a run whose model and report are on disk.
func (a *Attempt) Finish() error {
	if err := a.Close(); err != nil {
		return err
	}
	return Discard(a.fsys, a.dir)
}

// Discard removes log and checkpoint of whatever run left them in dir, for a run that keeps none.
func Discard(fsys disk.FS, dir string) error {
	// The log goes first: a checkpoint without one is nothing to resume.
	for _, name := range []string{LogFile, CheckpointFile} {
		if err := disk.Remove(fsys, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// ReadFinished is the report of the run that ended in dir. It errs with a *ResumeError where that run was not by this plan,
// or model and report are not each other's.
func ReadFinished(fsys disk.FS, dir string, p *Plan) (*Report, error) {
	path := filepath.Join(dir, ReportFile)
	text, err := fsys.ReadFile(path)
	if err != nil {
		return nil, err
	}
	model, err := fsys.ReadFile(filepath.Join(dir, ModelFile))
	if err != nil {
		return nil, err
	}
	config, err := p.ConfigHash()
	if err != nil {
		return nil, err
	}
	r, err := decodeReport(text)
	if err != nil {
		return nil, &ResumeError{path, "is not a usable report: " + err.Error()}
	}
	switch {
	case r.Hashes.Config != config:
		return nil, &ResumeError{path, "belongs to a run of another config: data, model, privacy or train has changed"}
	case r.Hashes.Model != hash(model):
		return nil, &ResumeError{path, "is not the report of the model beside it"}
	}
	return r, nil
}

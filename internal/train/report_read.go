package train

import (
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json" // unlike encoding/json, exact about the case of names and about duplicates
)

// maxReportBytes bounds what a file that calls itself a report may take: ours have a few kilobytes, and some hundred where
// a config declares long lists of categories.
const maxReportBytes = 32 << 20

// A ReportError says why a file is not a report this program can use.
type ReportError struct {
	File, Msg string
}

func (e *ReportError) Error() string {
	return fmt.Sprintf("%s: not a usable report: %s", e.File, e.Msg)
}

// Hint is what to do about it.
func (e *ReportError) Hint() string { return "fit writes such files as " + ReportFile }

// ReadReport reads a report file and trusts nothing in it: unknown and duplicate fields, other layouts and missing parts
// are refused. Whether what it says is true is another question. Its errors are *ReportError, or of the file system.
func ReadReport(path string) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReportBytes+1))
	if err != nil {
		return nil, err
	}
	r, err := decodeReport(text)
	if err != nil {
		return nil, &ReportError{File: path, Msg: err.Error()}
	}
	return r, nil
}

// decodeReport is the inverse of Encode.
func decodeReport(text []byte) (*Report, error) {
	if len(text) > maxReportBytes {
		return nil, fmt.Errorf("it has more than %d bytes", maxReportBytes)
	}
	var layout struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &layout); err != nil {
		return nil, fmt.Errorf("it is not a JSON object")
	}
	if layout.Schema != ReportSchema {
		return nil, fmt.Errorf("its schema is not %s", ReportSchema)
	}
	r := new(Report)
	if err := json.Unmarshal(text, r, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("it does not have the fields of %s", ReportSchema)
	}
	if (r.Epsilon == nil) != (r.Claim.EpsilonUpper == nil) || r.Private != (r.Epsilon != nil) {
		return nil, fmt.Errorf("private, epsilon and claim.epsilon_upper do not fit together")
	}
	return r, nil
}

// Identity is the report's id, computed from what it says.
func (r *Report) Identity() (string, error) {
	stripped := *r
	stripped.ReportID, stripped.Hashes.Model = "", ""
	return hashJSON(&stripped)
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/privacy/accounting"
	"dptrain/internal/train"
	"dptrain/internal/train/ledger"
)

// verifyOptions are the flags of verify.
type verifyOptions struct {
	model  string
	report string
	config configFlags
	ledger string
	json   bool
}

func (o *verifyOptions) addFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.model, "model", "m", "", "the model `FILE`")
	f.StringVarP(&o.report, "report", "r", "", "the report `FILE`")
	o.config.addFlags(f)
	f.StringVar(&o.ledger, "ledger", "", "the ledger `FILE` in which the run must be entered")
	f.BoolVar(&o.json, "json", false, "print the result as one JSON object")
}

func newVerifyCommand(s *streams) *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify -m MODEL -r REPORT",
		Short: "Check that model, report, config and ledger agree, and compute ε again",
		Long: `verify checks that a model and a report are whole and belong together: every
byte of both is under a hash. Then it plans the run again from the config in the
model, prices its events again, derives every field of the report again, and
compares. With -c the run must be by that config; with --ledger it must be
entered in that ledger, which is checked too.

It cannot tell files that were made up whole, all hashes included: there is no
signature. Keep the report's id, or the ledger, where others cannot write.

With --json there is one object where something does not agree, too: "verified"
is false, and "error" says what it is.

Exit status is 0 when everything agrees, 2 for a wrong flag, 3 for an invalid
config, 7 when something does not agree, or the files are of another version,
and 9 when a file cannot be read.`,
		Example: `  dptrain verify -m runs/quickstart/model.safetensors -r runs/quickstart/report.json
  dptrain verify -m model.safetensors -r report.json -c train.yaml --ledger privacy-ledger.jsonl`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			err := runVerify(s, &o)
			if o.json && exitStatus(err) == statusIntegrity {
				return errors.Join(err, json.NewEncoder(s.out).Encode(verifyRefusal{Model: o.model, Report: o.report, Error: inWords(err)}))
			}
			return err
		},
	}
	o.addFlags(c.Flags())
	return c
}

// verifyResult is what verify prints with --json.
type verifyResult struct {
	Verified bool     `json:"verified"` // true
	Model    string   `json:"model"`
	Report   string   `json:"report"`
	ReportID string   `json:"report_id"`
	Private  bool     `json:"private"`
	Epsilon  *float64 `json:"epsilon"`
	Delta    float64  `json:"delta"`
	Config   bool     `json:"config"` // a config was given, and agrees
	// LedgerEpsilon is what the ledger has spent in all; null where none was given.
	LedgerEpsilon *float64 `json:"ledger_epsilon"`
}

// verifyRefusal is what verify prints with --json where something does not agree.
type verifyRefusal struct {
	Verified bool   `json:"verified"` // false
	Model    string `json:"model"`
	Report   string `json:"report"`
	Error    string `json:"error"`
}

func runVerify(s *streams, o *verifyOptions) error {
	for _, flag := range [][2]string{{o.model, "--model"}, {o.report, "--report"}} {
		if flag[0] == "" {
			return usage("dptrain verify -m runs/quickstart/model.safetensors -r runs/quickstart/report.json", "%s is missing", flag[1])
		}
	}
	if o.config.File == "" && len(o.config.Set) > 0 {
		return usage("give the config by -c FILE", "--set is given without --config")
	}
	r, err := train.Verify(o.model, o.report)
	if err != nil {
		return hintAtFile(hintAtFile(err, o.model, train.ModelFile), o.report, train.ReportFile)
	}
	result := verifyResult{Verified: true, Model: o.model, Report: o.report, ReportID: r.ReportID, Private: r.Private, Epsilon: r.Epsilon, Delta: r.Delta}
	if o.config.File != "" {
		cfg, err := loadConfig(o.config, os.Getenv)
		if err != nil {
			return err
		}
		cfg.Options.NoPrivacy = r.NoiseMultiplier == 0
		plan, err := makePlan(cfg)
		if err != nil {
			return err
		}
		if err := train.VerifyConfig(o.report, r, plan); err != nil {
			return &failure{statusIntegrity, err, "give the config, and each --set, that the fit was given"}
		}
		result.Config = true
	}
	if o.ledger != "" {
		l, err := readLedger(o.ledger)
		if err != nil {
			return err
		}
		if err := verifyEntry(o, r, l); err != nil {
			return err
		}
		spent := accounting.RoundUp(l.Spent().Epsilon, 6)
		result.LedgerEpsilon = &spent
	}
	if o.json {
		return json.NewEncoder(s.out).Encode(result)
	}
	return printVerified(s, o, r, &result)
}

// verifyEntry errs where the report's run is not entered in the ledger as the report says it was.
func verifyEntry(o *verifyOptions, r *train.Report, l *ledger.Ledger) error {
	named := r.Accounting.Ledger
	if named == nil {
		return &train.VerifyError{File: o.report, Msg: "names no ledger: the run was not entered in one"}
	}
	line, found := l.Find(named.Entry)
	if !found {
		return &train.VerifyError{File: o.ledger, Msg: "does not have the entry that the report names: it is another ledger, or lines are missing"}
	}
	var events bytes.Buffer
	if err := json.Compact(&events, r.Accounting.Events); err != nil {
		return err
	}
	agree := bytes.Equal(events.Bytes(), line.Events) && line.Config == r.Hashes.Config && l.Delta == r.Delta && l.Unit == r.Unit &&
		l.Adjacency == r.Adjacency && l.Dataset == named.Dataset && l.MaxTotalEpsilon == named.MaxTotalEpsilon
	if !agree {
		return &train.VerifyError{File: o.ledger, Msg: fmt.Sprintf("has run %s with other events, another config or on other terms than the report", line.Run)}
	}
	return nil
}

// printVerified prints what agrees.
func printVerified(s *streams, o *verifyOptions, r *train.Report, result *verifyResult) error {
	claim := "promises nothing"
	if r.Epsilon != nil {
		claim = fmt.Sprintf("ε = %s at δ = %g for one %s (%s), computed again from the events", accounting.FormatUp(*r.Epsilon, 4), r.Delta, r.Unit, r.Adjacency)
	}
	w := newPage(s.out)
	fmt.Fprintf(w, "verified\t%s and %s are whole and belong together\n", o.model, o.report)
	fmt.Fprintf(w, "claim\t%s\n", claim)
	fmt.Fprintf(w, "report id\t%s\n", r.ReportID)
	if result.Config {
		fmt.Fprintf(w, "config\tthe run is by %s\n", o.config.File)
	}
	if e := result.LedgerEpsilon; e != nil {
		fmt.Fprintf(w, "ledger\tthe run is in %s, which has spent ε = %s of %v\n", o.ledger, accounting.FormatUp(*e, 4), r.Accounting.Ledger.MaxTotalEpsilon)
	}
	return w.Flush()
}

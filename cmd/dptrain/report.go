package main

import (
	"encoding/json"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dptrain/internal/train"
	"dptrain/internal/train/sheet"
)

// reportOptions are the flags of report.
type reportOptions struct {
	format string
}

func (o *reportOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.format, "format", "text", "`FORMAT` of the page: text, md, html or json")
}

func newReportCommand(s *streams) *cobra.Command {
	var o reportOptions
	c := &cobra.Command{
		Use:   "report REPORT",
		Short: "Show a privacy report to people",
		Long: `report turns a report.json into a page for people: the claim in a sentence, what
it means, what an attacker can achieve, what is covered and what is not, every
number explained, and the checklists of NIST SP 800-226 and "How to DP-fy ML"
with the field that answers each line. The HTML page is one file that loads
nothing; it prints well.

The claim is recomputed from the report's own events on the way. Where it does
not agree, the page says so first, and so does a warning.

Exit status is 0 when done, 2 for a wrong flag, 7 for a file that is no report
of this program, and 9 when it cannot be read.`,
		Example: `  dptrain report runs/quickstart/report.json
  dptrain report runs/quickstart/report.json --format html >report.html
  dptrain report runs/quickstart/report.json --format md >>"$GITHUB_STEP_SUMMARY"`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("dptrain report runs/quickstart/report.json", "%s takes one report, not %d", c.CommandPath(), len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return runReport(s, args[0], &o) },
	}
	o.addFlags(c.Flags())
	return c
}

func runReport(s *streams, path string, o *reportOptions) error {
	if !slices.Contains([]string{"text", "md", "html", "json"}, o.format) {
		return usage("--format html makes a page for the browser and for paper", "--format is %q, want text, md, html or json", o.format)
	}
	r, err := train.ReadReport(path)
	if err != nil {
		return hintAtFile(err, path, train.ReportFile)
	}
	page := sheet.New(r)
	for _, problem := range page.Check.Problems {
		s.warn("%s", problem)
	}
	switch o.format {
	case "md":
		return page.Markdown(s.out)
	case "html":
		return page.HTML(s.out)
	case "json":
		return json.NewEncoder(s.out).Encode(reportResult{r, page.Check.Problems, page.Sections})
	}
	return page.Text(s.out, textWidth(s))
}

// reportResult is what report prints as JSON: the report's own fields, and what the page adds.
type reportResult struct {
	*train.Report
	Problems []string        `json:"problems"` // of the recomputed claim; empty where it agrees
	Sections []sheet.Section `json:"sections"`
}

// textWidth is the width for running text: that of the terminal, 80 columns elsewhere, 100 at most.
func textWidth(s *streams) int {
	if width := terminalWidth(s.out); width > 0 {
		return min(width, 100)
	}
	return 80
}

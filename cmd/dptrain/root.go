package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newRootCommand lists every command by hand.
func newRootCommand(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "dptrain",
		Short: "Train differentially private classifiers on tables",
		Long: `dptrain trains differentially private classifiers on CSV and JSONL tables from a
YAML config, and writes a model and a report that states what was promised to
the people in the table: ε, δ, σ, C, steps.`,
		Example: `  dptrain fit -c configs/quickstart.yaml
  dptrain eval -m runs/quickstart/model.safetensors --data testdata/quickstart/test.csv
  dptrain epsilon --sampling-probability 0.01 --steps 1000 --noise-multiplier 1 --delta 1e-5`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := "dptrain --help lists the commands"
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf("did you mean %s?", strings.Join(near, " or "))
			}
			return usage(hint, "unknown command %q", args[0])
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Sprintf("%s --help lists the flags", c.CommandPath()), "%s", strings.TrimSuffix(err.Error(), "."))
	})
	root.AddCommand(
		newInitCommand(s),
		newPlanCommand(s),
		newFitCommand(s),
		newTradeoffCommand(s),
		newEpsilonCommand(s),
		newEvalCommand(s),
		newPredictCommand(s),
		newValidateCommand(s),
		newSchemaCommand(s),
		newExplainCommand(s),
		newExportCommand(s),
		newReportCommand(s),
		newVerifyCommand(s),
		newLedgerCommand(s),
		newSelftestCommand(s),
		newAuditCommand(s),
		newVersionCommand(s),
	)
	return root
}

// noArguments refuses positional arguments.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Sprintf("%s --help shows how it is called", c.CommandPath()), "%s takes no argument %q", c.CommandPath(), args[0])
	}
	return nil
}

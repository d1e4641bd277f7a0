package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// newRootCommand lists every command by hand.
func newRootCommand(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "dptrain",
		Short: "Train differentially private classifiers on tables",
		Long: `dptrain trains differentially private classifiers on CSV, JSONL and Parquet
tables from a YAML config, and writes a model and a report that states what was
promised to the people in the table: ε, δ, σ, C, steps.

From a table to a decision:
  1. dptrain init TABLE -o config.yaml    a config to fill in, from the header
  2. dptrain validate -c config.yaml      is everything as declared?
  3. dptrain plan -c config.yaml          what will it cost, what can it learn?
  4. dptrain fit -c config.yaml           train; write the model and its report
  5. dptrain eval -m MODEL --data TEST    is it good enough?
  6. dptrain report REPORT --format html  what was promised, for people`,
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
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"train", "Train:", []*cobra.Command{newInitCommand(s), newValidateCommand(s), newPlanCommand(s), newFitCommand(s)}},
		{"judge", "Judge:", []*cobra.Command{newEvalCommand(s), newTradeoffCommand(s), newEpsilonCommand(s), newReportCommand(s)}},
		{"use", "Use:", []*cobra.Command{newPredictCommand(s), newExportCommand(s)}},
		{"trust", "Trust:", []*cobra.Command{newVerifyCommand(s), newLedgerCommand(s), newSelftestCommand(s), newAuditCommand(s)}},
		{"look", "Look up:", []*cobra.Command{newExplainCommand(s), newSchemaCommand(s), newVersionCommand(s)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			root.AddCommand(c)
		}
	}
	root.SetHelpCommandGroupID("look")
	root.SetCompletionCommandGroupID("look")
	root.AddCommand(newManCommand())
	addCompletions(root)
	return root
}

// noArguments refuses positional arguments.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := fmt.Sprintf("%s --help shows how it is called", c.CommandPath())
	if ext := filepath.Ext(args[0]); c.Flags().Lookup("config") != nil && (ext == ".yaml" || ext == ".yml" || ext == ".json") {
		hint = fmt.Sprintf("did you mean %s -c %s?", c.CommandPath(), shellWord(args[0]))
	}
	return usage(hint, "%s takes no argument %q", c.CommandPath(), args[0])
}

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newRootCommand lists every command by hand.
func newRootCommand(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "dptrain",
		Short: "Train differentially private classifiers on tables",
		Long: `dptrain trains differentially private classifiers on CSV, JSONL and Parquet
tables from a YAML config, and writes a model and a report that states what was
promised to the people in the table.

The promise: any conclusion drawn from the model is at most e^ε times as likely
with a row as without it, but for a chance of δ. A smaller ε is a stronger
promise. σ says how much noise each step gets, in units of C, the most that one
row can move it.

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
		hint := fmt.Sprintf("%s --help lists the flags", c.CommandPath())
		if c == root {
			hint = "flags come after a command, such as dptrain fit; dptrain --help lists the commands"
		}
		var invalid *pflag.InvalidValueError
		if errors.As(err, &invalid) {
			return usage(hint, "--%s is %q, want %s", invalid.GetFlag().Name, invalid.GetValue(), wantedBy(invalid.GetFlag()))
		}
		return usage(hint, "%s", strings.TrimSuffix(err.Error(), "."))
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
	root.SetHelpCommand(newHelpCommand(root))
	root.SetHelpCommandGroupID("look")
	root.SetCompletionCommandGroupID("look")
	root.AddCommand(newManCommand())
	root.Version = version()
	root.SetVersionTemplate(versionLine())
	addCompletions(root)
	keepFlagOrder(root)
	return root
}

// keepFlagOrder lists the flags of c and of the commands below it as they are declared, what is needed first, and not by name.
func keepFlagOrder(c *cobra.Command) {
	c.Flags().SortFlags = false
	for _, below := range c.Commands() {
		keepFlagOrder(below)
	}
}

// unknownBelow says that a command has none below it that is called as the first of the arguments.
func unknownBelow(c *cobra.Command, args []string) error {
	if root := c.Root(); c == root {
		return root.Args(root, args[:1])
	}
	return usage(c.CommandPath()+" --help shows how it is called", "unknown command %q", strings.TrimPrefix(c.CommandPath()+" "+args[0], c.Root().Name()+" "))
}

// newHelpCommand replaces cobra's own, which takes a command that there is not for a success.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show the help of a command",
		Long:  "help shows what a command does, its flags and examples, as --help of the command\ndoes.",
		Example: `  dptrain help fit
  dptrain help ledger show`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if c, rest, err := root.Find(args); err == nil && len(rest) == 0 {
				for _, below := range c.Commands() {
					if below.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(below.Name(), below.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err == nil && len(rest) == 0 {
				return c.Help()
			}
			return unknownBelow(c, rest)
		},
	}
}

// wantedBy is what a flag takes, in words.
func wantedBy(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int":
		return "an integer"
	case "uint64":
		return "an integer from 0 on"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	}
	return "a " + f.Value.Type()
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

package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addCompletions tells shells what the flags and arguments of c and of the commands below it take: words, files by their
// extension, folders, or nothing that a shell could know. A flag that is not named here takes a file of any kind.
func addCompletions(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		complete := completionOfFlag(c.Name(), f)
		if complete == nil {
			return
		}
		if err := c.RegisterFlagCompletionFunc(f.Name, complete); err != nil {
			panic(err) // a flag of c, once
		}
	})
	if c.ValidArgsFunction == nil && len(c.ValidArgs) == 0 {
		c.ValidArgsFunction = completionOfArguments(c.Name())
	}
	for _, below := range c.Commands() {
		addCompletions(below)
	}
}

// completionOfFlag is what completes the value of a flag of the command, or nil for any file.
func completionOfFlag(command string, f *pflag.Flag) cobra.CompletionFunc {
	switch f.Name {
	case "format":
		if command == "report" {
			return words("text", "md", "html", "json")
		}
		return words("csv", "tsv", "jsonl", "parquet")
	case "to":
		return words("onnx")
	case "solve":
		return words("noise-multiplier", "steps", "batch-size")
	case "accountant":
		return words("pld", "rdp")
	case "adjacency":
		return words("zero_out", "add_or_remove_one", "replace_one")
	case "split":
		return words("test", "train")
	case "fail-under":
		return parts(append(withSuffix(gateMetrics(), "="), "precision.", "recall.", "f1."))
	case "set":
		return parts(withSuffix(settable(), "="))
	case "config":
		return filesOf("yaml", "yml", "json")
	case "model":
		return filesOf("safetensors")
	case "report":
		return filesOf("json")
	case "ledger":
		return filesOf("jsonl")
	case "events":
		return filesOf("json", "yaml", "yml")
	case "junit":
		return filesOf("xml")
	case "plot":
		if command == "eval" {
			return folders
		}
		return filesOf("svg", "png")
	case "output-dir":
		return folders
	case "by", "label", "label-alias", "epsilon":
		return cobra.NoFileCompletions
	}
	if slices.Contains([]string{"int", "uint64", "float64", "duration"}, f.Value.Type()) {
		return cobra.NoFileCompletions
	}
	return nil
}

// completionOfArguments is what completes the arguments of the command, or nil for any file.
func completionOfArguments(command string) cobra.CompletionFunc {
	switch command {
	case "init":
		return nil
	case "report":
		return filesOf("json")
	case "show", "check":
		return filesOf("jsonl")
	case "explain":
		var codes []cobra.Completion
		for _, e := range explanations() {
			codes = append(codes, cobra.CompletionWithDesc(e.Code, e.Title))
		}
		return once(codes)
	}
	return cobra.NoFileCompletions
}

// once completes one argument by the words.
func once(words []cobra.Completion) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	}
}

// words completes a value by one of the words.
func words(words ...cobra.Completion) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// parts completes the beginning of a value, which goes on without a space.
func parts(words []cobra.Completion) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveNoSpace)
}

// filesOf completes a value by the files with one of the extensions.
func filesOf(extensions ...cobra.Completion) cobra.CompletionFunc {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

// folders completes a value by the folders.
func folders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// withSuffix is each of the words with the suffix.
func withSuffix(words []string, suffix string) []cobra.Completion {
	var all []cobra.Completion
	for _, word := range words {
		all = append(all, word+suffix)
	}
	return all
}

// settable names the keys that --set reaches: those that hold one value and are in no list.
func settable() []string {
	var paths []string
	for _, k := range keyTable() {
		if k.kind != kindMapping && k.kind != kindMappings && !strings.Contains(k.path, "[]") {
			paths = append(paths, k.path)
		}
	}
	return paths
}

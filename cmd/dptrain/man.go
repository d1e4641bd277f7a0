package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newManCommand writes the man pages, for packages and make man; nobody else needs it.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the man pages into a folder",
		Long:    "man writes a man page for each command into a folder, which it creates.\n\nExit status is 0 when done, 2 for a wrong flag, and 9 when they cannot be\nwritten.",
		Example: "  dptrain man runs/man",
		Hidden:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("dptrain man DIR", "want one folder, not %d", len(args))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true // one build, one page: no date
			return doc.GenManTree(root, &doc.GenManHeader{Title: "DPTRAIN", Section: "1", Source: "dptrain " + version()}, args[0])
		},
	}
}

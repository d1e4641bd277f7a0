// Command dptrain trains differentially private classifiers on tables and accounts for what it promised.
//
// The rules of its interface:
//   - standard output carries the result alone, with --json one object and nothing else;
//   - everything else goes to standard error: lines "dptrain: error:", "dptrain: hint:" and "dptrain: warning:", lower
//     case and without a full stop, and a progress bar where standard error is a terminal;
//   - the exit status says what kind of end it was, see exitStatus;
//   - no cell of a table is ever printed.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"dptrain/internal/train/disk"
)

func main() {
	ctx, stop := untilInterrupted(context.Background())
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it takes arguments and streams and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return (&streams{in: stdin, out: stdout, err: stderr, fsys: disk.OS{}}).run(ctx, args)
}

// streams are the three standard streams and the file system that a run is kept on, passed down to whoever needs them.
type streams struct {
	in       io.Reader
	out, err io.Writer
	fsys     disk.FS
}

func (s *streams) run(ctx context.Context, args []string) int {
	root := newRootCommand(s)
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	// A command that there is not, before its flags, which the root does not know, are complained of; __ are the shells' own.
	if c, rest, _ := root.Find(args); (c == root || !c.Runnable()) && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && !strings.HasPrefix(rest[0], "__") {
		return s.fail(unknownBelow(c, rest))
	}
	return s.fail(root.ExecuteContext(ctx))
}

// An interruption is the signal that ended a run.
type interruption struct{ signal syscall.Signal }

func (e *interruption) Error() string { return "interrupted" }

// untilInterrupted returns a context that the first SIGINT or SIGTERM ends, with an *interruption as its cause. A
// second one ends the program at once.
func untilInterrupted(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			number, _ := s.(syscall.Signal)
			cancel(&interruption{number})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

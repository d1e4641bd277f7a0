// Command mutants breaks the program on purpose, one fault at a time, and requires the tests to go red for each.
//
// A fault is a textual replacement in a copy of the source ([mutant]), so that the source itself is never touched, needs
// no switch, and what is tested is what the patch says. A fault that does not compile counts for nothing; one that no
// test notices is a hole in the suite, and the exit status says so.
//
//	go run ./testdata/mutants          every fault: a few minutes
//	go run ./testdata/mutants -short   those that any change to the mechanism must not bring back
//	go run ./testdata/mutants -only q  those whose name contains q
package main

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	short := flag.Bool("short", false, "only the faults marked short")
	only := flag.String("only", "", "only the faults whose name contains this `text`")
	flag.Parse()
	var chosen []mutant
	for _, m := range mutants() {
		if (m.short || !*short) && strings.Contains(m.name, *only) {
			chosen = append(chosen, m)
		}
	}
	if err := judge(chosen, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// A mutant is a fault, and where the suite is expected to notice it.
type mutant struct {
	name  string   // what is broken
	edits []edit   // all of them together
	tests []string // packages whose tests are run
	run   string   // those tests alone, as go test -run; empty: all
	short bool     // part of the short form
}

// An edit replaces a text that stands exactly once in a file.
type edit struct{ file, old, new string }

// A verdict is what became of a mutant.
type verdict struct {
	red  bool
	by   []string // the tests that failed
	why  string   // where it counts for nothing
	took time.Duration
}

// judge tries every mutant and prints a table. It errs where one was not noticed, or could not be tried.
func judge(faults []mutant, w io.Writer) error {
	if len(faults) == 0 {
		return fmt.Errorf("no fault of that name")
	}
	copied, err := os.MkdirTemp("", "mutants-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(copied) }()
	if err := copySource(".", copied); err != nil {
		return err
	}
	missed := 0
	for _, m := range faults {
		if err := sound(copied, m); err != nil {
			return err
		}
		v := try(copied, m)
		result := "red"
		if !v.red {
			result = "MISSED"
			missed++
		}
		fmt.Fprintf(w, "%-6s %4.1f s  %-58s %s\n", result, v.took.Seconds(), m.name, v.caught())
	}
	fmt.Fprintf(w, "%d of %d faults turn the suite red\n", len(faults)-missed, len(faults))
	if missed > 0 {
		return fmt.Errorf("%d faults were not noticed", missed)
	}
	return nil
}

// copySource copies all that building and testing needs.
func copySource(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "runs"}, path):
			return filepath.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, path), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, path), content, 0o600)
	})
}

// goTool runs the go command in dir. Without paths in what it builds, its cache serves every copy.
func goTool(dir, verb string, args ...string) (string, error) {
	c := exec.Command("go", append([]string{verb, "-trimpath"}, args...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

// sound makes sure that the mutant's tests are green without it: else red would mean nothing.
func sound(dir string, m mutant) error {
	if out, err := goTool(dir, "test", m.arguments()...); err != nil {
		return fmt.Errorf("the tests fail without any fault:\n%s", out)
	}
	return nil
}

// arguments are what go test is told.
func (m mutant) arguments() []string {
	args := []string{"-timeout", "5m"}
	if m.run != "" {
		args = append(args, "-run", m.run)
	}
	return append(args, m.tests...)
}

// try builds and tests the copy with the fault in it, and takes the fault out again.
func try(dir string, m mutant) (v verdict) {
	began := time.Now()
	defer func() { v.took = time.Since(began) }()
	sources, err := read(dir, m)
	if err != nil {
		return verdict{why: err.Error()}
	}
	broken, err := patched(sources, m)
	if err == nil {
		err = put(dir, broken)
	}
	if err != nil {
		return verdict{why: err.Error()}
	}
	defer func() {
		if err := put(dir, sources); err != nil {
			v = verdict{why: err.Error()}
		}
	}()
	if out, err := goTool(dir, "build", "./..."); err != nil {
		return verdict{why: "it does not compile: " + firstLine(out)}
	}
	out, err := goTool(dir, "test", m.arguments()...)
	v.by = failed(out)
	v.red = err != nil && (len(v.by) > 0 || strings.Contains(out, "panic:"))
	if err != nil && !v.red {
		v.why = "no test ran: " + firstLine(out)
	}
	return v
}

// read returns the files that a mutant changes, by name.
func read(dir string, m mutant) (map[string]string, error) {
	sources := map[string]string{}
	for _, e := range m.edits {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(e.file)))
		if err != nil {
			return nil, err
		}
		sources[e.file] = string(content)
	}
	return sources, nil
}

// put writes files by name.
func put(dir string, sources map[string]string) error {
	for file, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file)), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// patched returns sources with the mutant's edits, each of which must find its place exactly once.
func patched(sources map[string]string, m mutant) (map[string]string, error) {
	broken := maps.Clone(sources)
	for _, e := range m.edits {
		if n := strings.Count(broken[e.file], e.old); n != 1 {
			return nil, fmt.Errorf("%s has the text %d times, want once: %s", e.file, n, e.old)
		}
		broken[e.file] = strings.Replace(broken[e.file], e.old, e.new, 1)
	}
	return broken, nil
}

// caught says in a few words which tests noticed.
func (v verdict) caught() string {
	switch {
	case v.why != "":
		return v.why
	case len(v.by) > 2:
		return fmt.Sprintf("%s and %d more", strings.Join(v.by[:2], ", "), len(v.by)-2)
	}
	return strings.Join(v.by, ", ")
}

// failed lists the top-level tests that go test reports as failed.
func failed(output string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^--- FAIL: (\S+)`).FindAllStringSubmatch(output, -1) {
		names = append(names, m[1])
	}
	return names
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line
		}
	}
	return "nothing printed"
}

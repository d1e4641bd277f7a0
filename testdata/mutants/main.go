// Command mutants breaks the program on purpose, one fault at a time, and requires the tests to go red for each.
//
// A fault is a textual replacement in a copy of one source file ([mutant]). The go command builds the package with the
// copy in place of the file (its -overlay flag), so that the source is never touched, no switch in it is needed, and
// what is tested is what the patch says. A fault that does not compile counts for nothing; one that no test notices is
// a hole in the suite, and the exit status says so.
//
//	go run ./testdata/mutants          every fault: a few minutes
//	go run ./testdata/mutants -short   those that any change to the mechanism must not bring back
//	go run ./testdata/mutants -only q  those whose name contains q
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
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
	red   bool
	by    []string // the tests that failed
	why   string   // where it counts for nothing
	took  time.Duration
	fault mutant
}

// judge tries every mutant and prints a table. It errs where one was not noticed, or could not be tried.
func judge(faults []mutant, w io.Writer) error {
	if len(faults) == 0 {
		return fmt.Errorf("no fault of that name")
	}
	if err := sound(faults); err != nil {
		return err
	}
	missed := 0
	for _, m := range faults {
		v := try(m)
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

// sound makes sure that the tests are green without a fault: else red would mean nothing.
func sound(faults []mutant) error {
	var packages []string
	for _, m := range faults {
		packages = append(packages, m.tests...)
	}
	slices.Sort(packages)
	if out, err := exec.Command("go", append([]string{"test"}, slices.Compact(packages)...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("the tests fail without any fault:\n%s", out)
	}
	return nil
}

// try builds and tests the program with the fault in it.
func try(m mutant) verdict {
	v := verdict{fault: m}
	began := time.Now()
	defer func() { v.took = time.Since(began) }()
	dir, err := os.MkdirTemp("", "mutants-*")
	if err != nil {
		v.why = err.Error()
		return v
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := patched(m, dir)
	if err != nil {
		v.why = err.Error()
		return v
	}
	if out, err := exec.Command("go", "build", "-overlay", overlay, "./...").CombinedOutput(); err != nil {
		v.why = "it does not compile: " + firstLine(string(out))
		return v
	}
	args := []string{"test", "-overlay", overlay, "-timeout", "5m"}
	if m.run != "" {
		args = append(args, "-run", m.run)
	}
	out, err := exec.Command("go", append(args, m.tests...)...).CombinedOutput()
	v.by = failed(string(out))
	v.red = err != nil && (len(v.by) > 0 || strings.Contains(string(out), "panic:"))
	v.took = time.Since(began)
	if err != nil && !v.red {
		v.why = "no test ran: " + firstLine(string(out))
	}
	return v
}

// patched writes the mutant's files into dir, with an overlay that puts them in place of the source's, and returns the
// overlay's path.
func patched(m mutant, dir string) (string, error) {
	texts := map[string]string{}
	for _, e := range m.edits {
		text, known := texts[e.file]
		if !known {
			content, err := os.ReadFile(filepath.FromSlash(e.file))
			if err != nil {
				return "", err
			}
			text = string(content)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return "", fmt.Errorf("%s has the text %d times, want once: %s", e.file, n, e.old)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	replace := map[string]string{}
	for file, text := range texts {
		source, err := filepath.Abs(filepath.FromSlash(file))
		if err != nil {
			return "", err
		}
		replace[source] = filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(replace[source], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, content, 0o600)
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

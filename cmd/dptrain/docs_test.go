package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the output in README.md")

// manual builds the binary and makes a folder to run it in, with the repository's configs and tables.
func manual(t *testing.T) (dir string, sh func(command string) (output string, status int)) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("commands of the documentation are those of a Unix shell")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "dptrain"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"configs", "testdata"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"train.csv": "customers.csv", "test.csv": "new.csv"} {
		text, err := os.ReadFile(filepath.Join(dir, "testdata", "quickstart", from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, to, string(text))
	}
	return dir, func(command string) (string, int) {
		c := exec.Command("sh", "-c", command)
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary.md"))
		out, _ := c.CombinedOutput()
		return string(out), c.ProcessState.ExitCode()
	}
}

// shape is an output without its figures, which noise and machines change, and without the width of its columns.
func shape(output string) string {
	output = regexp.MustCompile(`-?[0-9][0-9.,]*(e[+-]?[0-9]+)?`).ReplaceAllString(output, "#")
	var lines []string
	for _, line := range strings.Split(output, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(slices.Compact(lines), "\n") // how many lines of figures there are is a figure, too
}

// TestReadmeIsTrue runs every block of the README that begins with $ dptrain, in order, in one folder, and holds its output
// against what the README shows: to the letter where nothing is drawn or timed, else but for the figures. Files that a block
// shows, with their name as a comment in the first line, are written on the way.
func TestReadmeIsTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	path := filepath.Join("..", "..", "README.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, sh := manual(t)
	commands := 0
	fence := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	rewritten := fence.ReplaceAllStringFunc(string(text), func(block string) string {
		parts := fence.FindStringSubmatch(block)
		if name, found := strings.CutPrefix(strings.SplitN(parts[2], "\n", 2)[0], "# "); found && parts[1] == "yaml" && filepath.Base(name) == name {
			write(t, dir, name, parts[2])
		}
		if !strings.HasPrefix(parts[2], "$ dptrain") {
			return block
		}
		var out bytes.Buffer
		for i, call := range strings.Split("\n"+parts[2], "\n$ ") {
			if i == 0 {
				continue
			}
			command, want, _ := strings.Cut(call, "\n")
			got, status := sh(command)
			commands++
			if status != 0 {
				t.Errorf("%s: exit status = %d\n%s", command, status, got)
			}
			exact := strings.HasPrefix(command, "dptrain epsilon") || strings.HasPrefix(command, "dptrain explain")
			if exact && strings.TrimSpace(got) != strings.TrimSpace(want) || shape(got) != shape(want) {
				if !*update {
					t.Errorf("%s prints\n%s\nthe README shows\n%s", command, got, want)
				}
			}
			out.WriteString("$ " + command + "\n" + strings.TrimSpace(got))
			if strings.TrimSpace(got) != "" {
				out.WriteString("\n")
			}
			out.WriteString("\n")
		}
		return "```\n" + strings.TrimRight(out.String(), "\n") + "\n```"
	})
	if commands < 8 {
		t.Errorf("the README has %d commands to run, want at least 8", commands)
	}
	if *update {
		if err := os.WriteFile(path, []byte(rewritten), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestExamplesWork types every example of every command's help. Those that name tables and files that the repository does
// not have may say so, and nothing else.
func TestExamplesWork(t *testing.T) {
	if testing.Short() {
		t.Skip("long under the race detector, which has no more to see here")
	}
	dir, sh := manual(t)
	write(t, dir, "messages.jsonl", `{"message": "my card is gone", "plan": "free", "tenure_months": 3}`+"\n")
	write(t, dir, "config.yaml", "version: 1\n")
	write(t, dir, "customers.csv", "age,plan,churned\n30,free,no\n")
	sh("dptrain fit -c configs/quickstart.yaml -q")
	elsewhere := regexp.MustCompile(`(^|[ <])(adult|mnist|kdd99|runs/adult|runs/model|model\.safetensors|train\.yaml|config\.yaml|privacy-ledger\.jsonl|report\.json|events\.json)`)
	for _, c := range newRootCommand(&streams{}).Commands() {
		for _, line := range strings.Split(c.Example, "\n") {
			command := strings.TrimSpace(line)
			if command == "" || strings.HasPrefix(command, "#") {
				continue
			}
			if strings.HasPrefix(command, "dptrain fit") && !strings.Contains(command, "--dry-run") && !strings.Contains(command, "--fresh") {
				command += " --fresh"
				command = strings.Replace(command, "--resume --fresh", "--resume", 1)
			}
			out, status := sh(command)
			usual := []int{0}
			if elsewhere.MatchString(command) || strings.Contains(command, "configs/") && !strings.Contains(command, "quickstart") {
				usual = []int{0, int(statusConfig), int(statusData), int(statusResources)}
			}
			if !slices.Contains(usual, status) {
				t.Errorf("%s: exit status = %d\n%s", command, status, out)
			}
		}
	}
}

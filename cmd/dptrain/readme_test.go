package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readme is the text of README.md, and section the part of it from a heading to the next.
func readme(t *testing.T) (text string, section func(heading string) string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text = string(content)
	return text, func(heading string) string {
		t.Helper()
		_, after, found := strings.Cut(text, "\n"+heading+"\n")
		if !found {
			t.Fatalf("the README has no %q", heading)
		}
		part, _, _ := strings.Cut(after, "\n##")
		return part
	}
}

// TestReadmeLinksLead looks for the heading of every link within the page.
func TestReadmeLinksLead(t *testing.T) {
	text, _ := readme(t)
	prose := regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	var anchors []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose, -1) {
		anchor := regexp.MustCompile(`[^\pL\pN -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors = append(anchors, strings.ReplaceAll(anchor, " ", "-"))
	}
	links := regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(prose, -1)
	for _, link := range links {
		if !slices.Contains(anchors, link[1]) {
			t.Errorf("the README has no heading for #%s", link[1])
		}
	}
	if len(links) < 20 {
		t.Errorf("the README has %d links to its sections, want at least 20", len(links))
	}
}

// TestReadmeNamesEverything looks in the reference for every command, exit status and key of the config, and takes the
// config that it shows for one; only a table cannot have vectors of JSONL and of CSV at once.
func TestReadmeNamesEverything(t *testing.T) {
	_, section := readme(t)
	commands := section("## Commands")
	for _, c := range newRootCommand(&streams{}).Commands() {
		if !c.Hidden && c.Name() != "help" && !strings.Contains(commands, "`dptrain "+c.Name()) {
			t.Errorf("the README's commands have no %s", c.Name())
		}
	}
	statuses := strings.Join(regexp.MustCompile(`(?m)^\| [0-9, ]+ \|`).FindAllString(section("### Exit status"), -1), " ")
	for _, e := range statusExplanations() {
		if !slices.Contains(regexp.MustCompile(`[0-9]+`).FindAllString(statuses, -1), e.Code) {
			t.Errorf("the README's exit statuses have no %s", e.Code)
		}
	}
	config := section("## The config")
	for _, k := range keyTable() {
		name := k.path[strings.LastIndex(k.path, ".")+1:]
		if !regexp.MustCompile(`(^|[^\w])` + strings.TrimSuffix(name, "[]") + `:`).MatchString(config) {
			t.Errorf("the README's config has no %s", k.path)
		}
	}
	_, example, _ := strings.Cut(config, "```yaml\n")
	example, _, _ = strings.Cut(example, "```\n")
	example = regexp.MustCompile(`(?m)^.*\bname: embedding\b.*\n`).ReplaceAllString(example, "")
	dir := t.TempDir()
	write(t, dir, "example.yaml", example)
	if status, _, stderr := dptrain(t, dir, "validate", "-c", "example.yaml"); status != 0 {
		t.Errorf("the README's config: exit status = %d\n%s", status, stderr)
	}
}

// TestReadmeNamesFields runs commands with --json and looks for every field that they print in the README's table.
func TestReadmeNamesFields(t *testing.T) {
	_, section := readme(t)
	table := section("### JSON")
	dir := workshop(t)
	r := fit(t, dir)
	ledger := []string{"--set", "privacy.ledger=l.jsonl", "--set", "privacy.dataset=d", "--set", "privacy.max_total_epsilon=9"}
	for _, args := range [][]string{
		append([]string{"fit", "-c", "c.yaml", "-o", "again", "--set", "privacy.max_rows_per_person=2"}, ledger...),
		{"fit", "-c", "c.yaml", "-o", "judged", "--eval", "train.csv"},
		{"eval", "-m", *r.Model, "--data", "train.csv", "--by", "town"},
		{"eval", "-m", *r.Model, "--data", "train.csv", "--dp-epsilon", "1"},
		{"epsilon", "-c", "c.yaml", "--at-epsilon", "1", "--group-size", "2", "--curve"},
		{"epsilon", "--rows", "100", "--batch-size", "10", "--steps", "3", "--noise-multiplier", "2", "--delta", "1e-5"},
		{"validate", "-c", "c.yaml"},
		{"validate", "-c", "c.yaml", "--data", "c.yaml"},
		{"plan", "-c", "c.yaml"},
		{"tradeoff", "-c", "c.yaml", "--eval", "train.csv", "--epsilon", "1", "--runs", "1"},
		{"verify", "-m", *r.Model, "-r", *r.Report},
		{"ledger", "check", "l.jsonl"},
		{"selftest", "-c", "c.yaml"},
		{"audit", "-c", "c.yaml"},
		{"export", "-m", *r.Model, "--to", "onnx"},
		{"explain", "5"},
		{"version"},
	} {
		_, stdout, stderr := dptrain(t, dir, append(slices.Clone(args), "--json")...)
		var result map[string]any
		if err := json.Unmarshal([]byte(stdout), &result); err != nil {
			t.Errorf("dptrain %s: %v\n%s", strings.Join(args, " "), err, stderr)
			continue
		}
		row := regexp.MustCompile("(?m)^\\| `" + args[0] + "\\b.*$").FindString(table)
		for name := range result {
			if !strings.Contains(row, "`"+name+"`") {
				t.Errorf("the README's JSON of %s has no %s", args[0], name)
			}
		}
	}
}

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointDown holds the packages against the house: who may see whom. Tests may look up.
func TestImportsPointDown(t *testing.T) {
	allowed := map[string][]string{
		"cmd/dptrain":                  {"*"},
		"internal/train":               {"internal/data", "internal/privacy", "internal/privacy/accounting", "internal/privacy/audit", "internal/privacy/rng", "internal/train/nn", "internal/train/kernel", "internal/train/disk"},
		"internal/train/disk":          {},
		"internal/train/disk/disktest": {"internal/train/disk"},
		"internal/train/ledger":        {"internal/train/disk", "internal/privacy/accounting"},
		"internal/train/onnx":          {"internal/data", "internal/train", "internal/train/nn"},
		"internal/train/sheet":         {"internal/data", "internal/privacy/accounting", "internal/train"},
		"internal/train/nn":            {"internal/train/kernel"},
		"internal/train/kernel":        {"internal/privacy/isa"},
		"internal/privacy":             {"internal/privacy/accounting", "internal/privacy/rng", "internal/privacy/lattice"},
		"internal/privacy/audit":       {"internal/privacy/accounting"},
		"internal/privacy/accounting":  {},
		"internal/privacy/rng":         {"internal/privacy/isa"},
		"internal/privacy/lattice":     {"internal/privacy/isa"},
		"internal/privacy/isa":         {},
		"internal/data":                {},
	}
	// Each of these is one file's business in cmd/dptrain, and nobody else's.
	only := map[string]string{
		"github.com/spf13/viper":               "cmd/dptrain",
		"github.com/spf13/cobra":               "cmd/dptrain",
		"github.com/schollz/progressbar/v3":    "cmd/dptrain",
		"github.com/goccy/go-yaml/lexer":       "cmd/dptrain",
		"math/rand":                            "",
		"math/rand/v2":                         "",
		"gonum.org/v1/gonum/stat/distuv":       "",
		"golang.org/x/exp/rand":                "",
		"github.com/klauspost/compress/zstd":   "internal/data",
		"github.com/klauspost/compress/gzip":   "internal/data",
		"gonum.org/v1/gonum/dsp/fourier":       "internal/privacy/accounting",
		"github.com/goccy/go-yaml/parser":      "cmd/dptrain",
		"gonum.org/v1/gonum/stat/sampleuv":     "",
		"gonum.org/v1/gonum/stat/distmv":       "",
		"golang.org/x/term":                    "cmd/dptrain",
		"github.com/rogpeppe/go-internal/lock": "",
	}
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "dptrain/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; seen++ {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(p.ImportPath, "dptrain/")
		may, known := allowed[room]
		if !known {
			t.Errorf("%s is not a room of the house", room)
		}
		for _, i := range p.Imports {
			if own, found := strings.CutPrefix(i, "dptrain/"); found && !slices.Contains(may, own) && !slices.Contains(may, "*") {
				t.Errorf("%s imports %s", room, own)
			}
			if owner, limited := only[i]; limited && owner != room {
				t.Errorf("%s imports %s", room, i)
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("go list shows %d packages, want %d", seen, len(allowed))
	}
}

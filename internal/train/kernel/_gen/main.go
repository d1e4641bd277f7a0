// Command _gen writes the assembly of a package and its Go declarations: of kernel, or of the privacy side's lattice
// and rng.
//
//	_gen kernel|lattice|rng DIRECTORY
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

func main() {
	f := &file{Context: build.NewContext(), data: map[string]operand.Mem{}}
	f.ConstraintExpr("!purego")
	name, directory := os.Args[1], os.Args[2]
	switch name {
	case "kernel":
		f.kernel()
	case "lattice":
		f.lattice()
	case "rng":
		expandKey(f.avx512())
		encryptCounter(f.avx512())
	}
	if err := f.write(name, directory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// kernel emits the functions of package kernel.
func (f *file) kernel() {
	panel(f.avx512(), 12)
	wide(f.avx512(), 8)
	dots(f.avx512(), 5)
	panel(f.avx2(), 6)
	wide(f.avx2(), 4)
	dots(f.avx2(), 1)
	for _, v := range []isa{f.avx512(), f.avx2()} {
		squaredNorms(v)
		sparseProduct(v)
		sparseAddOuter(v)
		tanh(v)
		softmaxDelta(v)
	}
	// The rest runs at the speed of memory or of the divider, or seldom.
	for _, kernel := range []func(isa){sigmoidDelta, tanhBackward, relu, reluBackward, scaleRows, gather, transpose, heavyBall, adam, runningMean} {
		kernel(f.avx2())
	}
}

// lattice emits the functions of package lattice.
func (f *file) lattice() {
	for _, v := range []isa{f.avx512(), f.avx2()} {
		roundAdd(v)
		addProducts(v)
		scale(v)
	}
	collect(f.avx2())
	widen(f.avx2())
	settle(f.avx512())
}

// write compiles what was built and prints it to asm_amd64.s and asm_amd64.go of the package in dir.
func (f *file) write(name, dir string) error {
	out, err := os.Create(filepath.Join(dir, "asm_amd64.s"))
	if err != nil {
		return err
	}
	declarations, err := os.Create(filepath.Join(dir, "asm_amd64.go"))
	if err != nil {
		return err
	}
	origin := printer.Config{Argv: []string{"go", "generate", "./internal/..."}, Pkg: name}
	status := build.Main(&build.Config{
		ErrOut:    os.Stderr,
		MaxErrors: 10,
		Passes: []pass.Interface{
			pass.Compile,
			pass.FunctionPass(checkRegisters),
			&pass.Output{Writer: out, Printer: printer.NewGoAsm(origin)},
			&pass.Output{Writer: declarations, Printer: printer.NewStubs(origin)},
		},
	}, f.Context)
	if status != 0 {
		return fmt.Errorf("generation failed")
	}
	return nil
}

// checkRegisters refuses an AVX2 function that needs the registers or masks of AVX-512: the allocator would hand them out.
func checkRegisters(f *ir.Function) error {
	if !strings.HasSuffix(f.Name, "AVX2") {
		return nil
	}
	beyond := regexp.MustCompile(`\b(Z\d+|K\d|[XY](1[6-9]|2\d|3[01]))\b`)
	for _, i := range f.Instructions() {
		for _, op := range i.Operands {
			if beyond.MatchString(op.Asm()) {
				return fmt.Errorf("%s: %s uses %s", f.Name, i.Opcode, op.Asm())
			}
		}
	}
	return nil
}

package isa

import (
	"os"
	"runtime"
	"testing"
)

func TestBestLevelIsChosen(t *testing.T) {
	if os.Getenv("DPTRAIN_REQUIRE_ASM") == "1" && runtime.GOARCH == "amd64" && Best() == Generic {
		t.Errorf("Best() = %v, want assembly as DPTRAIN_REQUIRE_ASM is set", Best())
	}
	for _, name := range []string{"", "generic", "avx2", "avx512", "AVX2"} {
		want := supported()
		switch name {
		case "generic":
			want = Generic
		case "avx2":
			want = min(want, AVX2)
		}
		t.Setenv("DPTRAIN_KERNEL", name)
		if got := Best(); got != want {
			t.Errorf("Best() = %v with DPTRAIN_KERNEL=%q, want %v", got, name, want)
		}
	}
}

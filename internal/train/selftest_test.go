package train

import (
	"context"
	"testing"
)

func TestSelftestFindsNothing(t *testing.T) {
	for _, c := range SelftestCases() {
		r, err := Selftest(context.Background(), c)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		t.Logf("%s: %+v", c.Name, *r)
		if len(r.Faults) > 0 {
			t.Errorf("%s: %v", c.Name, r.Faults)
		}
	}
}

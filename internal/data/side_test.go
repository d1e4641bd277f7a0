package data

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// splitSpec splits a table of customers with some rows each.
func splitSpec(test float64, key string) Spec {
	low, high := 0.0, 1e6
	return Spec{
		Label:    Label{Name: "y", Classes: []string{"no", "yes"}},
		Features: []Feature{{Name: "x", Kind: Numeric, Min: &low, Max: &high}, {Name: "t", Kind: Hashed, Buckets: 50}},
		Split:    &Split{Test: test, By: "customer.id", Key: key},
	}
}

// splitTable writes rows of numbered customers, in which x is the number of the row.
func splitTable(t *testing.T, rows int, customer func(row int) string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("x,customer.id,t,y\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%s,town%d,%s\n", i, customer(i), i%30, []string{"no", "yes"}[i%2])
	}
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadSide(t *testing.T, path string, spec Spec, o LoadOptions) *Dataset {
	t.Helper()
	s, err := NewSchema(spec)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Load(context.Background(), []string{path}, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSidesAreFixed holds sides to HMAC-SHA-256 as OpenSSL computes it (printf alice | openssl dgst -sha256 -mac HMAC -macopt
// key:k1): a model's held-out rows must be the same for all time.
func TestSidesAreFixed(t *testing.T) {
	for text, first := range map[string]uint64{"alice": 0xaff3e2227d2581ae, "bob": 0xc122de3dad4ff809, "carol": 0x70441f2176e42d47} {
		share := float64(first>>11) * 0x1p-53
		for _, test := range []struct {
			test float64
			want Side
		}{{share * 0.999, TrainingRows}, {share*1.001 + 1e-15, HeldOutRows}} {
			if got := newDivider(&Split{Test: test.test, Key: "k1"}).side([]byte(text)); got != test.want {
				t.Errorf("%s is on side %d of a split of %v, want %d", text, got, test.test, test.want)
			}
		}
	}
}

// TestSidesPartTheTable checks that the sides are the table's rows, that customers stay together, and that the share is
// about right: of 2,000 customers 400 ± 6.5·√320, a false alarm of 1e-10 were the key drawn at random.
func TestSidesPartTheTable(t *testing.T) {
	const rows = 6000
	customer := func(row int) string { return fmt.Sprint("c", row*7919%2000) }
	path := splitTable(t, rows, customer)
	for _, partBytes := range []int{0, 200} {
		load := func(side Side) *Dataset {
			return loadSide(t, path, splitSpec(0.2, "k"), LoadOptions{Side: side, Group: "customer.id", partBytes: partBytes})
		}
		all, training, test := load(AllRows), load(TrainingRows), load(HeldOutRows)
		if all.Rows != rows || len(all.Null) != 0 || training.Rows+test.Rows != rows || training.Places() != rows || test.Places() != rows {
			t.Fatalf("%d rows are %d and %d, with %d and %d null", all.Rows, training.Rows, test.Rows, len(training.Null), len(test.Null))
		}
		sides := map[string]Side{}
		for row := range rows {
			side := TrainingRows
			if _, held := slices.BinarySearch(training.Null, int32(row)); held {
				side = HeldOutRows
			}
			if _, null := slices.BinarySearch(test.Null, int32(row)); null != (side == TrainingRows) {
				t.Fatalf("row %d is null on both sides, or on none", row)
			}
			if known, ok := sides[customer(row)]; ok && known != side {
				t.Fatalf("customer %s is on both sides", customer(row))
			}
			sides[customer(row)] = side
		}
		held := 0
		for _, side := range sides {
			if side == HeldOutRows {
				held++
			}
		}
		if held < 284 || held > 516 {
			t.Errorf("%d of 2000 customers are held out, want about 400", held)
		}
		if len(test.Groups.Names) != held || len(training.Groups.Names) != 2000-held {
			t.Errorf("%d and %d groups, want %d and %d", len(test.Groups.Names), len(training.Groups.Names), held, 2000-held)
		}
		// Rows, labels and places go together, in either part of the loading.
		at := 0
		for row := range rows {
			if _, null := slices.BinarySearch(training.Null, int32(row)); null {
				continue
			}
			if training.Labels[at] != all.Labels[row] || training.Dense[at] != all.Dense[row] ||
				!reflect.DeepEqual(training.Indices[training.Indptr[at]:training.Indptr[at+1]], all.Indices[all.Indptr[row]:all.Indptr[row+1]]) {
				t.Fatalf("row %d of the training rows is not row %d of the table", at, row)
			}
			at++
		}
	}
	if other := loadSide(t, path, splitSpec(0.2, "another"), LoadOptions{Side: TrainingRows}); slices.Equal(other.Null, loadSide(t, path, splitSpec(0.2, "k"), LoadOptions{Side: TrainingRows}).Null) {
		t.Error("another key gives the same split")
	}
}

// TestHeldOutRowsMustBeAsDeclared spoils one row of each side.
func TestHeldOutRowsMustBeAsDeclared(t *testing.T) {
	schema, err := NewSchema(splitSpec(0.5, "k"))
	if err != nil {
		t.Fatal(err)
	}
	for row := range 6 {
		path := filepath.Join(t.TempDir(), "t.csv")
		var b strings.Builder
		b.WriteString("x,customer.id,t,y\n")
		for i := range 6 {
			x := fmt.Sprint(i)
			if i == row {
				x = "secret"
			}
			fmt.Fprintf(&b, "%s,c%d,u,no\n", x, i)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, side := range []Side{AllRows, TrainingRows, HeldOutRows} {
			_, err := Load(context.Background(), []string{path}, schema, LoadOptions{Side: side})
			if want := fmt.Sprintf(`t.csv:%d:1: column "x" is not a number`, row+2); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("side %d: Load = %v, want %s", side, err, want)
			}
			d, err := Load(context.Background(), []string{path}, schema, LoadOptions{Side: side, NullBadRows: true})
			if err != nil || d.Places() != 6 || !slices.Contains(d.Null, int32(row)) {
				t.Errorf("side %d, bad rows null: %+v, %v", side, d, err)
			}
		}
	}
}

func TestSplitNeedsItsColumnOnlyWhereItIsUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("x,t,y\n1,u,no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := NewSchema(splitSpec(0.5, "k"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(context.Background(), []string{path}, schema, LoadOptions{}); err != nil {
		t.Errorf("Load without a side = %v", err)
	}
	if _, err := Load(context.Background(), []string{path}, schema, LoadOptions{Side: TrainingRows}); err == nil || !strings.Contains(err.Error(), `no column "customer.id"`) {
		t.Errorf("Load of the training rows = %v, want that the column is missing", err)
	}
}

package data

import (
	"slices"
	"strings"
	"testing"
)

func TestJSONPaths(t *testing.T) {
	spec := Spec{
		Label: Label{Name: "m.y", Classes: []string{"a", "b"}},
		Features: []Feature{
			{Name: "u.n", Kind: Categorical, Values: []string{"v", "w"}},
			{Name: "u.n.z", Kind: Categorical, Values: []string{"v", "w"}},
			{Name: "ключ \" ", Kind: Categorical, Values: []string{"v", "w"}},
		},
	}
	const first, missing = 0, 3 // columns of a feature, four wide: v, w, other, missing
	for _, c := range []struct {
		name, object string
		want         []uint32
	}{
		{"absent", `{}`, []uint32{missing, missing, missing}},
		{"nested", `{"u":{"n":"v"}}`, []uint32{first, missing, missing}},
		{"whole key", `{"u.n":"v"}`, []uint32{first, missing, missing}},
		{"whole key before path", `{"u.n":"v","u":{"n":"w"}}`, []uint32{first, missing, missing}},
		{"whole key after path", `{"u":{"n":"w"},"u.n":"v"}`, []uint32{first, missing, missing}},
		{"whole key that is null", `{"u":{"n":"v"},"u.n":null}`, []uint32{missing, missing, missing}},
		{"whole key of three", `{"u.n.z":"v"}`, []uint32{missing, first, missing}},
		{"partly joined key", `{"u.n":null,"u":{"n.z":"v"}}`, []uint32{missing, missing, missing}},
		{"path through a text", `{"u":"v"}`, []uint32{missing, missing, missing}},
		{"path through an array", `{"u":[{"n":"v"}]}`, []uint32{missing, missing, missing}},
		{"same key elsewhere", `{"n":"v","z":{"u":{"n":"v"}}}`, []uint32{missing, missing, missing}},
		{"escaped keys", `{"\u0075":{"\u006e":"v"},"\u043a\u043b\u044e\u0447 \" ":"w"}`, []uint32{first, missing, first + 1}},
		{"escaped value", `{"u":{"n":"\u0076"}}`, []uint32{first, missing, missing}},
	} {
		t.Run(c.name, func(t *testing.T) {
			object := strings.Replace(strings.Replace(c.object, "{", `{"m":{"y":"a"},`, 1), ",}", "}", 1)
			d, err := loadText(spec, JSONL, object, LoadOptions{})
			if err != nil {
				t.Fatalf("load %s: %v", object, err)
			}
			var got []uint32
			for i, column := range d.Indices {
				got = append(got, column-uint32(4*i))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("columns of %s = %v, want %v", object, got, c.want)
			}
		})
	}
}

// TestNullIsNotEmptyText: a declared value or class of no letters is not what null stands for.
func TestNullIsNotEmptyText(t *testing.T) {
	spec := oneFeature(Feature{Kind: Categorical, Values: []string{"v", ""}})
	spec.Label.Classes = []string{"a", ""}
	d, err := loadText(spec, JSONL, `{"x":"","y":""}`+"\n"+`{"x":null,"y":"a"}`+"\n"+`{"y":"a"}`, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []uint32{1, 3, 3}; !slices.Equal(d.Indices, want) || d.Labels[0] != 1 {
		t.Errorf("columns = %v, labels %v, want %v and 1 first", d.Indices, d.Labels, want)
	}
	_, err = loadText(spec, JSONL, `{"x":"v","y":null}`, LoadOptions{})
	if want := `stdin:1:14: column "y" has no value`; err == nil || err.Error() != want {
		t.Errorf("load of a null label: %v, want %s", err, want)
	}
}

func TestJSONBlanks(t *testing.T) {
	spec := oneFeature(Feature{Kind: Vector, Size: 4})
	d, err := loadText(spec, JSONL, "\t{ \"y\"\r:\t\"a\" , \"x\":[\r1 ,\t\"2\"\r, 3\r,4\t] } \r\n", LoadOptions{})
	if err != nil || !slices.Equal(d.Dense, []float32{1, 2, 3, 4}) {
		t.Errorf("vector among blanks = %+v, %v, want 1 to 4", d, err)
	}
}

// TestLongLines: a line may be longer than the reader's buffer.
func TestLongLines(t *testing.T) {
	long := `{"w":"` + strings.Repeat("w", 3*readBufferSize) + `","x":5,"y":"b"}`
	d, err := loadText(small(), JSONL, long+"\n\n"+long, LoadOptions{})
	if err != nil || !slices.Equal(d.Labels, []int32{1, 1}) || !slices.Equal(d.Dense, []float32{0, 0}) {
		t.Errorf("two long lines = %+v, %v, want 0 and class 1 twice", d, err)
	}
	_, err = loadText(small(), JSONL, long+"\n\n"+strings.Replace(long, "5", `"?"`, 1), LoadOptions{})
	if want := `stdin:3:196621: column "x" is not a number`; err == nil || err.Error() != want {
		t.Errorf("load of a long line: %v, want %s", err, want)
	}
}

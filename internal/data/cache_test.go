package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cached is a table in a folder of its own, old enough to be trusted.
type cached struct {
	path   string
	schema *Schema
}

const cachedTable = "x,t,u.n,e0,e1,y\n1,some words,v,1,2,a\n2,,w,3,4,b\nbad,,w,3,4,b\n,words again,v,5,6,a\n"

func newCached(t *testing.T, table string) *cached {
	c := &cached{writeFile(t, "t.csv", []byte(table)), mustSchema(t, declared())}
	c.age(t)
	return c
}

// age sets the table's time back, as if it had been written an hour ago.
func (c *cached) age(t *testing.T) {
	t.Helper()
	hourAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(c.path, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
}

// load loads the table with a cache, compares it with the one loaded without, and says whether the file was read.
func (c *cached) load(t *testing.T, o LoadOptions) (read bool) {
	t.Helper()
	want, err := Load(context.Background(), []string{c.path}, c.schema, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Cache = true
	o.Progress = func(int64, int64) { read = true }
	got, err := Load(context.Background(), []string{c.path}, c.schema, o)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	blocks := *got
	blocks.unmap = nil
	if !sameBlocks(&blocks, want) {
		t.Errorf("table from the cache = %+v, want %+v", blocks, *want)
	}
	return read
}

func TestCache(t *testing.T) {
	c := newCached(t, cachedTable)
	o := LoadOptions{NullBadRows: true, MaxRows: 4}
	if !c.load(t, o) || c.load(t, o) {
		t.Fatal("the table is not read once, and then its cache")
	}
	info, err := os.Stat(CachePath([]string{c.path}))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the cache has mode %v, %v, want 0600", info.Mode(), err)
	}
	// Whatever the cache depends on makes another of it, in the place of the old one.
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"content of the same size", func() { c.write(t, strings.Replace(cachedTable, "2,,w", "7,,w", 1)); c.age(t) }},
		{"other size", func() { c.write(t, cachedTable+"\n"); c.age(t) }},
		{"other schema", func() {
			spec := declared()
			spec.Features[0].Max = ptr(20.)
			c.schema = mustSchema(t, spec)
		}},
		{"no cache", func() { c.remove(t) }},
		{"other file under the name", func() { c.decay(t, func(b []byte) []byte { return []byte("x,y\n1,a\n") }) }},
		{"empty file under the name", func() { c.decay(t, func(b []byte) []byte { return nil }) }},
		{"cut short", func() { c.decay(t, func(b []byte) []byte { return b[:len(b)-1] }) }},
		{"longer", func() { c.decay(t, func(b []byte) []byte { return append(b, 0) }) }},
	} {
		step.change()
		if !c.load(t, o) || c.load(t, o) {
			t.Errorf("%s: the table is not read once, and then its cache", step.name)
		}
	}
	for _, at := range []int{0, 40, sectionAlign, 2 * sectionAlign, 3 * sectionAlign, 4 * sectionAlign, 5 * sectionAlign, 6 * sectionAlign} {
		c.decay(t, func(b []byte) []byte { b[at] ^= 4; return b }) // of the header, and of each section
		if !c.load(t, o) || c.load(t, o) {
			t.Errorf("byte %d has decayed: the table is not read once, and then its cache", at)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(c.path), "*")); len(left) != 2 {
		t.Errorf("files = %q, want the table and its cache", left)
	}
	if files, err := Files([]string{filepath.Join(filepath.Dir(c.path), "*")}); err != nil || len(files) != 1 {
		t.Errorf("files that * matches = %q, %v, want the table alone", files, err)
	}
}

func (c *cached) write(t *testing.T, table string) {
	t.Helper()
	if err := os.WriteFile(c.path, []byte(table), 0o600); err != nil {
		t.Fatal(err)
	}
}

// remove removes the cache, if there is one.
func (c *cached) remove(t *testing.T) {
	t.Helper()
	if err := os.Remove(CachePath([]string{c.path})); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}

// decay changes the bytes of the cache.
func (c *cached) decay(t *testing.T, change func([]byte) []byte) {
	t.Helper()
	path := CachePath([]string{c.path})
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, change(bytes.Clone(b)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFreshTablesAreNotTrusted: a table that was written just before its cache may be written again at the same time, as
// far as its time tells.
// TestCacheOfASide: the sides of a split are other tables.
func TestCacheOfASide(t *testing.T) {
	spec := declared()
	spec.Split = &Split{Test: 0.5, By: "x", Key: "k"}
	c := newCached(t, cachedTable)
	c.schema = mustSchema(t, spec)
	for _, side := range []Side{TrainingRows, HeldOutRows, AllRows} {
		if !c.load(t, LoadOptions{NullBadRows: true, Side: side}) {
			t.Errorf("side %v is read from the cache of another", side)
		}
	}
}

func TestFreshTablesAreNotTrusted(t *testing.T) {
	c := newCached(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\n")
	c.write(t, "x,t,u.n,e0,e1,y\n2,,,1,2,a\n")
	for range 2 {
		if !c.load(t, LoadOptions{}) {
			t.Error("the cache of a table that was just written is used")
		}
	}
}

func TestTablesThatCannotBeCached(t *testing.T) {
	good := newCached(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\n")
	load := func(path string, o LoadOptions) error {
		o.Cache = true
		d, err := Load(context.Background(), []string{path}, good.schema, o)
		if err == nil {
			_ = d.Close()
		}
		return err
	}
	var spec *SpecError
	if err := load(Stdin, LoadOptions{Stdin: strings.NewReader("")}); !errors.As(err, &spec) || spec.Key != "data.cache" {
		t.Errorf("cache of standard input: %v, want a SpecError for data.cache", err)
	}
	if err := load(good.path+".no", LoadOptions{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("cache of no file: %v, want %v", err, os.ErrNotExist)
	}
	bad := newCached(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\nx,,,1,2,a\n")
	if err := load(bad.path, LoadOptions{}); err == nil || !strings.HasSuffix(err.Error(), `t.csv:3:1: column "x" is not a number`) {
		t.Errorf("cache of a bad table: %v, want its fault", err)
	}
	busy := newCached(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\n")
	writer := func(int64, int64) { busy.write(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\n2,,,1,2,a\n") }
	if err := load(busy.path, LoadOptions{Progress: writer}); err == nil || !strings.HasSuffix(err.Error(), "was written to while it was read") {
		t.Errorf("cache of a table that is written to: %v, want a refusal", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Load(ctx, []string{busy.path}, busy.schema, LoadOptions{Cache: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("cache after cancel: %v, want %v", err, context.Canceled)
	}
	for _, c := range []*cached{good, bad, busy} {
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(c.path), "*")); len(left) != 1 {
			t.Errorf("files = %q, want the table alone", left)
		}
		if hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(c.path), ".*")); len(hidden) != 0 {
			t.Errorf("files = %q, want none", hidden)
		}
	}
	// The folder's name is in the way of the cache.
	if err := os.Mkdir(CachePath([]string{good.path}), 0o700); err != nil {
		t.Fatal(err)
	}
	var hinted interface{ Hint() string }
	if err := load(good.path, LoadOptions{}); err == nil || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "data.cache") {
		t.Errorf("cache in the place of a folder: %v, want an error with a hint", err)
	}
}

// TestAbandonedFilesAreRemoved: what a killed run leaves is a copy of records; what a running one has is left alone.
func TestAbandonedFilesAreRemoved(t *testing.T) {
	c := newCached(t, "x,t,u.n,e0,e1,y\n1,,,1,2,a\n")
	dir := filepath.Dir(c.path)
	left := filepath.Join(dir, ".t.csv"+CacheSuffix+"-123")
	if err := os.WriteFile(left, []byte("records"), 0o600); err != nil {
		t.Fatal(err)
	}
	running, err := createLocked(dir, ".t.csv"+CacheSuffix+"-*")
	if err != nil {
		t.Fatal(err)
	}
	defer running.Close()
	c.load(t, LoadOptions{})
	if _, err := os.Stat(running.Name()); err != nil {
		t.Errorf("the file of a running fit: %v", err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) && locksFiles {
		t.Errorf("the file of a killed fit: %v, want %v", err, os.ErrNotExist)
	}
}

// TestCacheOfManyParts writes sections longer than their buffers, from parts that end anywhere.
func TestCacheOfManyParts(t *testing.T) {
	var table strings.Builder
	table.WriteString("x,t,u.n,e0,e1,y\n")
	for i := range 3000 {
		fmt.Fprintf(&table, "%d,\"words of\nline %d\",v,%d,2,%c\n", i%11, i, i, 'a'+i%2)
		if i%7 == 0 {
			table.WriteString("none,,,1,2,a\n")
		}
	}
	c := newCached(t, table.String())
	for _, size := range []int{100, 1 << 12, 0} {
		c.remove(t)
		if !c.load(t, LoadOptions{NullBadRows: true, partBytes: size}) || c.load(t, LoadOptions{NullBadRows: true}) {
			t.Errorf("parts of %d bytes: the table is not read once, and then its cache", size)
		}
	}
}

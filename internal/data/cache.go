package data

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unsafe"
)

// A cache is an encoded table in a file beside the table's first one. It is mapped, so that a fit needs no memory for it,
// and read again by later fits of the same schema on the same files. It is a copy of the records: its mode is 0600, there is
// one for each table, whatever the schemas, and it lies where the records lie, not where results go.
//
// It stands for the table as long as the names, sizes and times of modification of the files, the schema and the version of
// this format are those it was made for, which a hash in it says. Nothing in it or in its name is a hash of content, but for
// checksums of 32 bits that guard against decay, and are as confidential as the rest.
//
// The file is a header and six sections, each from a multiple of sectionAlign on, in the processor's own order of bytes.
type cache struct {
	schema *Schema
	path   string
	key    [sha256.Size]byte
	files  []string
}

// CacheSuffix is what the name of a table's cache ends with; the rest of it is the name of the table's first file.
const CacheSuffix = ".dptrain-cache"

// CachePath is where the cache of the table in files is.
func CachePath(files []string) string { return files[0] + CacheSuffix }

const (
	cacheMagic   = "dptrain encoded table, confidential\n"
	cacheVersion = 1 // of the format, and of what rows are encoded to
	sectionAlign = 4096
)

// The sections of a cache.
const (
	denseSection = iota
	indptrSection
	indicesSection
	valuesSection
	labelsSection
	nullSection
	cacheSections
)

// A cacheHeader is the start of the file.
type cacheHeader struct {
	Magic     [36]byte
	Key       [sha256.Size]byte
	Created   int64 // when the file was made, in nanoseconds, by the clock of the files
	Rows      int64
	Entries   int64 // of the sparse block
	Null      int64
	Checksums [cacheSections]uint32 // CRC-32C
	Checksum  uint32                // of the header before it
}

// newCache is the cache of the table in files under a schema.
func newCache(files []string, s *Schema, o LoadOptions) (*cache, error) {
	c := &cache{schema: s, path: CachePath(files), files: files}
	var err error
	c.key, err = c.identify(o)
	return c, err
}

// identify is the key of what the cache stands for now.
func (c *cache) identify(o LoadOptions) (key [sha256.Size]byte, err error) {
	type file struct {
		Path     string
		Size     int64
		Modified int64
	}
	id := struct {
		Version, WordBits int
		Order             [2]byte // of bytes
		Spec              Spec
		NullBadRows       bool
		Side              Side
		Files             []file
	}{Version: cacheVersion, WordBits: bits.UintSize, Spec: c.schema.spec, NullBadRows: o.NullBadRows, Side: o.Side}
	binary.NativeEndian.PutUint16(id.Order[:], 1)
	for _, path := range c.files {
		if path == Stdin {
			return key, specError("data.cache", "does not go with standard input", "name a file, or leave out cache")
		}
		info, err := os.Stat(path)
		if err != nil {
			return key, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return key, err
		}
		id.Files = append(id.Files, file{path, info.Size(), info.ModTime().UnixNano()})
	}
	text, err := json.Marshal(id)
	return sha256.Sum256(text), err
}

// loadCached is Load by way of the cache, which it makes where there is none that stands for the table.
func loadCached(ctx context.Context, files []string, s *Schema, o LoadOptions) (*Dataset, error) {
	c, err := newCache(files, s, o)
	if err != nil {
		return nil, err
	}
	if d, err := c.open(false); err == nil && (d.Places() <= o.MaxRows || o.MaxRows == 0) {
		return d, nil
	} else if err == nil {
		_ = d.Close()
	}
	w, err := c.create()
	if err != nil {
		return nil, cacheError{err}
	}
	defer w.close()
	if _, err := load(ctx, files, s, o, w); err != nil {
		return nil, err
	}
	if now, err := c.identify(o); err != nil || now != c.key {
		return nil, &Error{File: files[0], msg: "was written to while it was read", hint: "run the command again"}
	}
	if err := w.commit(); err != nil {
		return nil, cacheError{err}
	}
	d, err := c.open(true)
	if err != nil {
		return nil, cacheError{err}
	}
	return d, nil
}

// open maps the file and checks that it stands for the table and has not decayed. Just says that it was made by this call of
// Load; else a table that was modified within moments of its making is not trusted: it may have been modified again
// without another time.
func (c *cache) open(just bool) (*Dataset, error) {
	refuse := func(why string) (*Dataset, error) { return nil, fmt.Errorf("%s %s", c.path, why) }
	memory, unmap, err := mapFile(c.path)
	if err != nil {
		return nil, err
	}
	var h cacheHeader
	_, err = binary.Decode(memory, binary.NativeEndian, &h)
	d := &Dataset{DenseWidth: c.schema.dense, SparseWidth: c.schema.sparse, unmap: unmap}
	defer func() {
		if d.unmap != nil {
			_ = unmap()
		}
	}()
	switch {
	case err != nil, h.checksum() != h.Checksum:
		return refuse("is no encoded table")
	case h.Key != c.key || !just && !c.settled(h.Created):
		return refuse("is of another table")
	}
	d.Rows = int(h.Rows)
	sections, end := h.sections(c.schema)
	if end != int64(len(memory)) {
		return refuse("is cut short")
	}
	for i, s := range sections {
		if checksum(memory[s.start:s.start+s.size]) != h.Checksums[i] {
			return refuse("has decayed")
		}
	}
	at := func(i int) []byte { return memory[sections[i].start:][:sections[i].size] }
	d.Dense, d.Indptr = castTo[float32](at(denseSection)), castTo[int](at(indptrSection))
	d.Indices, d.Values = castTo[uint32](at(indicesSection)), castTo[float32](at(valuesSection))
	d.Labels, d.Null = castTo[int32](at(labelsSection)), castTo[int32](at(nullSection))
	if !d.isWhole(len(c.schema.spec.Label.Classes)) {
		return refuse("is no encoded table")
	}
	kept := *d
	d.unmap = nil
	return &kept, nil
}

// isWhole reports whether row starts and labels are what an encoded table has.
func (d *Dataset) isWhole(classes int) bool {
	last := 0
	for _, end := range d.Indptr {
		if end < last || end > len(d.Indices) {
			return false
		}
		last = end
	}
	for _, label := range d.Labels {
		if label < 0 || int(label) >= classes {
			return false
		}
	}
	return d.Indptr[0] == 0 && last == len(d.Indices)
}

// settled reports whether the files were last modified well before the cache was made: more than the grain of any usual
// file system's times.
func (c *cache) settled(created int64) bool {
	const grain = 2 * time.Second // of FAT
	for _, path := range c.files {
		info, err := os.Stat(path)
		if err != nil || info.ModTime().UnixNano() > created-int64(grain) {
			return false
		}
	}
	return true
}

// A section is where one is in the file.
type section struct{ start, size int64 }

// sections says where they are, and where the file ends.
func (h *cacheHeader) sections(s *Schema) (sections [cacheSections]section, end int64) {
	const word = bits.UintSize / 8
	end = sectionAlign
	for i, size := range [cacheSections]int64{
		denseSection:   4 * h.Rows * int64(s.dense),
		indptrSection:  word * (h.Rows + 1),
		indicesSection: 4 * h.Entries,
		valuesSection:  4 * h.Entries,
		labelsSection:  4 * h.Rows,
		nullSection:    4 * h.Null,
	} {
		sections[i] = section{end, size}
		end += (size + sectionAlign - 1) / sectionAlign * sectionAlign
	}
	return sections, end
}

// bytes is the header as it is written.
func (h *cacheHeader) bytes() []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.NativeEndian, h) // of fixed size, to memory
	return b.Bytes()
}

// checksum is that of the header before its own.
func (h *cacheHeader) checksum() uint32 {
	b := h.bytes()
	return checksum(b[:len(b)-4])
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// castTo is b as values of T, in the processor's order. It begins at a multiple of T's size.
func castTo[T float32 | int | uint32 | int32](b []byte) []T {
	var one T
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}

// castFrom is the memory of values.
func castFrom[T float32 | int | uint32 | int32](values []T) []byte {
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(one)))
}

// A cacheError says that a cache cannot be kept.
type cacheError struct{ error }

func (e cacheError) Unwrap() error { return e.error }

// Hint is what to do about it.
func (e cacheError) Hint() string {
	return "data.cache keeps the encoded table beside the table: make room there, or leave it out"
}

// isCache reports whether a path is that of a cache or of what one is made in: no pattern means these.
func isCache(path string) bool { return strings.Contains(filepath.Base(path), CacheSuffix) }

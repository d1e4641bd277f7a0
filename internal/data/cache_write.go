package data

import (
	"bufio"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// A cacheWriter makes a cache of rows as they come. The dense block goes straight to its place in a file of another name,
// which gets its own at the end; the other sections wait in files of their own, since nobody knows how long one will be.
type cacheWriter struct {
	cache    *cache
	file     *os.File
	sections [cacheSections]*sectionWriter
	header   cacheHeader
}

// A sectionWriter writes one section.
type sectionWriter struct {
	file     *os.File
	out      *bufio.Writer
	checksum uint32
	table    *crc32.Table
}

func (w *sectionWriter) write(b []byte) error {
	w.checksum = crc32.Update(w.checksum, w.table, b)
	_, err := w.out.Write(b)
	return err
}

// create begins a cache. It first removes what earlier runs left that were killed at it.
func (c *cache) create() (*cacheWriter, error) {
	dir, pattern := filepath.Split(c.path)
	pattern = "." + pattern + "-*"
	if dir == "" {
		dir = "."
	}
	removeAbandoned(filepath.Join(dir, pattern))
	w := &cacheWriter{cache: c}
	for i := range w.sections {
		file, err := createLocked(dir, pattern)
		if err != nil {
			w.close()
			return nil, err
		}
		if i != denseSection {
			_ = os.Remove(file.Name()) // which leaves nothing behind, where it may be done to an open file
		}
		w.sections[i] = &sectionWriter{file: file, out: bufio.NewWriterSize(file, 1<<20), table: crc32.MakeTable(crc32.Castagnoli)}
	}
	w.file = w.sections[denseSection].file
	info, err := w.file.Stat()
	if err == nil {
		_, err = w.file.Seek(sectionAlign, io.SeekStart)
	}
	if err == nil {
		err = w.sections[indptrSection].write(castFrom([]int{0}))
	}
	if err != nil {
		w.close()
		return nil, err
	}
	w.header = cacheHeader{Key: c.key, Created: info.ModTime().UnixNano()}
	copy(w.header.Magic[:], cacheMagic)
	return w, nil
}

// add writes the rows of part, in which rows start at their first entry of the part.
func (w *cacheWriter) add(part *Dataset) error {
	entries := part.Indptr[part.Rows]
	ends := make([]int, part.Rows)
	for i, end := range part.Indptr[1 : part.Rows+1] {
		ends[i] = int(w.header.Entries) + end
	}
	null := make([]int32, len(part.Null))
	for i, n := range part.Null {
		null[i] = int32(w.header.Rows+w.header.Null) + n
	}
	for i, b := range [cacheSections][]byte{
		denseSection:   castFrom(part.Dense[:part.Rows*part.DenseWidth]),
		indptrSection:  castFrom(ends),
		indicesSection: castFrom(part.Indices[:entries]),
		valuesSection:  castFrom(part.Values[:entries]),
		labelsSection:  castFrom(part.Labels[:part.Rows]),
		nullSection:    castFrom(null),
	} {
		if err := w.sections[i].write(b); err != nil {
			return err
		}
	}
	w.header.Rows += int64(part.Rows)
	w.header.Entries += int64(entries)
	w.header.Null += int64(len(part.Null))
	return nil
}

// commit puts the sections together and gives the file its name: whole, or not at all.
func (w *cacheWriter) commit() error {
	places, end := w.header.sections(w.cache.schema)
	for i, s := range w.sections {
		if err := s.out.Flush(); err != nil {
			return err
		}
		w.header.Checksums[i] = s.checksum
		if s.file == w.file {
			continue
		}
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := w.file.Seek(places[i].start, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.Copy(w.file, s.file); err != nil {
			return err
		}
	}
	w.header.Checksum = w.header.checksum()
	if _, err := w.file.WriteAt(w.header.bytes(), 0); err != nil {
		return err
	}
	if err := w.file.Truncate(end); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := renameOpen(w.file, w.cache.path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(w.cache.path))
}

// close removes what is left of the files that the cache was made in.
func (w *cacheWriter) close() {
	for _, s := range w.sections {
		if s != nil {
			_ = s.file.Close()           // what counts was flushed and synced
			_ = os.Remove(s.file.Name()) // which fails for the one that has another name by now
		}
	}
}

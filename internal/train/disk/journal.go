package disk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// A Journal is a file to whose end entries are added, each on disk before it counts. It is JSON, one line an entry, and
// its lines are a chain: each carries the hash of the one before it and its own,
//
//	{"prev":"…","entry":{…},"hash":"…"}
//
// where hash is the SHA-256 of the line up to ,"hash". So a line that was changed, moved, put in or taken out is found. Not
// found are lines taken off the end, unless somebody else knows a hash, and a chain written anew: it is no signature.
type Journal struct {
	file  File
	size  int64  // bytes of whole lines
	last  string // hash of the last line
	spoil error  // why nothing can be added any more
}

// An Entry is a line of a journal.
type Entry struct {
	JSON json.RawMessage
	Hash string
}

// A DamagedError says where a journal is not what was written.
type DamagedError struct {
	Path string
	Line int // from 1
	Msg  string
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s:%d: %s", e.Path, e.Line, e.Msg) }

// The parts of a line.
const (
	lineStart   = `{"prev":"`
	lineEntry   = `","entry":`
	lineHash    = `,"hash":"`
	lineEnd     = "\"}\n"
	hashLength  = 2 * sha256.Size
	lineMinimum = len(lineStart) + len(lineEntry) + len(lineHash) + len(lineEnd) + 2*hashLength
)

// beforeFirst stands for the hash of the line before the first.
func beforeFirst() string { return strings.Repeat("0", hashLength) }

// ReadJournal returns the entries of the journal at path. cut says that the file ends inside a line: that of an entry
// which was being added when the process ended, or the disk was full. It never counted and is not among the entries.
// Any other fault is a *DamagedError. The entries share the memory of the file's content.
func ReadJournal(fsys FS, path string) (entries []Entry, cut bool, err error) {
	text, err := fsys.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	entries, rest, err := parseJournal(path, text)
	return entries, len(rest) > 0, err
}

// parseJournal returns the entries of whole lines and what is left of text.
func parseJournal(path string, text []byte) (entries []Entry, rest []byte, err error) {
	prev := beforeFirst()
	for {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return entries, text, nil
		}
		line := text[:end+1]
		text = text[end+1:]
		entry, msg := parseLine(line, prev)
		if msg != "" {
			return entries, nil, &DamagedError{path, len(entries) + 1, msg}
		}
		entries = append(entries, entry)
		prev = entry.Hash
	}
}

// parseLine returns the entry of a line, or what is wrong with it.
func parseLine(line []byte, prev string) (e Entry, msg string) {
	body, wellFormed := bytes.CutPrefix(line, []byte(lineStart))
	if !wellFormed || len(line) < lineMinimum || !bytes.HasSuffix(line, []byte(lineEnd)) {
		return e, "is no line of a journal"
	}
	if string(body[:hashLength]) != prev {
		return e, "does not follow from the line before it: lines are missing, or were put in or moved"
	}
	hashed := line[:len(line)-len(lineEnd)-hashLength-len(lineHash)]
	e.Hash = string(line[len(hashed)+len(lineHash) : len(line)-len(lineEnd)])
	if e.Hash != sum(hashed) || !bytes.HasPrefix(line[len(hashed):], []byte(lineHash)) {
		return e, "was changed: its hash is another"
	}
	content, wellFormed := bytes.CutPrefix(body[hashLength:], []byte(lineEntry))
	if !wellFormed {
		return e, "is no line of a journal"
	}
	e.JSON = json.RawMessage(content[:len(content)-(len(line)-len(hashed))])
	if !json.Valid(e.JSON) {
		return e, "holds no JSON"
	}
	return e, ""
}

// makeLine is the inverse of parseLine.
func makeLine(prev string, entry any) (line []byte, hash string, err error) {
	content, err := json.Marshal(entry)
	if err != nil {
		return nil, "", err
	}
	line = append([]byte(lineStart), prev...)
	line = append(line, lineEntry...)
	line = append(line, content...)
	hash = sum(line)
	line = append(line, lineHash...)
	line = append(line, hash...)
	return append(line, lineEnd...), hash, nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// CreateJournal makes a journal of one entry at path, whole or not at all, in place of what was there.
func CreateJournal(fsys FS, path string, mode fs.FileMode, first any) (*Journal, error) {
	line, hash, err := makeLine(beforeFirst(), first)
	if err != nil {
		return nil, err
	}
	if err := WriteFile(fsys, path, line, mode); err != nil {
		return nil, err
	}
	file, err := fsys.Append(path)
	if err != nil {
		return nil, err
	}
	return &Journal{file: file, size: int64(len(line)), last: hash}, nil
}

// OpenJournal opens the journal at path to add to it, and takes off a line that was cut. Its caller holds a lock on it.
func OpenJournal(fsys FS, path string) (*Journal, []Entry, error) {
	text, err := fsys.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	entries, rest, err := parseJournal(path, text)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{size: int64(len(text) - len(rest)), last: beforeFirst()}
	if len(entries) > 0 {
		j.last = entries[len(entries)-1].Hash
	}
	if j.file, err = fsys.Append(path); err != nil {
		return nil, nil, err
	}
	if len(rest) > 0 {
		if err := j.shorten(); err != nil {
			return nil, nil, errors.Join(err, j.Close())
		}
	}
	return j, entries, nil
}

// Append adds an entry and returns its hash once it is on disk. Where it errs the entry does not count, and nothing more
// can be added: what the disk holds is not known until the journal is opened again.
func (j *Journal) Append(entry any) (hash string, err error) {
	if j.spoil != nil {
		return "", j.spoil
	}
	line, hash, err := makeLine(j.last, entry)
	if err != nil {
		return "", err
	}
	if _, err = j.file.Write(line); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.spoil = err
		return "", errors.Join(err, j.shorten())
	}
	j.size, j.last = j.size+int64(len(line)), hash
	return hash, nil
}

// shorten takes off what is behind the last whole line.
func (j *Journal) shorten() error {
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	return j.file.Sync()
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

package main

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// maxConfigBytes bounds the size of a config, and so the memory and time that reading a hostile one takes: measured, 1 s
// and 0.5 GB at worst.
const maxConfigBytes = 1 << 20

// A source is a text to be read as YAML: a config file, or the value of one --set.
type source struct {
	name string // as errors give it
	text string // UTF-8, without byte order mark
	file bool   // errors give line and column
}

// errorAt is an error at a line and column of s, both from 1.
func (s *source) errorAt(line, column int, msg, hint string) *configError {
	e := &configError{File: s.name, msg: msg, hint: hint}
	if s.file {
		e.Line, e.Column = line, column
		if lines := strings.SplitN(s.text, "\n", line+1); line <= len(lines) {
			e.line = strings.TrimSuffix(lines[line-1], "\r")
		}
	}
	return e
}

// A lexeme is one token of the YAML that a config may use, found in its source.
type lexeme struct {
	kind         token.Type // StringType for every unquoted or quoted text
	text         string     // of a StringType, decoded
	quoted       bool
	line, column int  // from 1; columns count characters
	first        bool // on its line
}

// lexemes splits a source into tokens, without comments and the marks around the document, and refuses all of YAML that
// a config has no use for: several documents, directives, anchors, aliases, tags, complex keys, block text, and text over
// several lines. With an error come the tokens before it.
func lexemes(src *source) ([]lexeme, error) {
	if err := checkCharacters(src); err != nil {
		return nil, err
	}
	s := &scanner{src: src, masked: mask(src.text), line: 1, column: 1, first: true}
	for _, tk := range lexer.Tokenize(s.masked) {
		if err := s.take(tk); err != nil {
			return s.found, err
		}
	}
	if s.skipBlanks(); s.pos < len(s.masked) {
		return s.found, s.refuse() // the lexer has dropped something
	}
	return s.found, nil
}

// checkCharacters refuses what no config holds: broken UTF-8 and control characters.
func checkCharacters(src *source) error {
	line, column := 1, 1
	for i, r := range src.text {
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == utf8.RuneError && !strings.HasPrefix(src.text[i:], "\uFFFD"):
			return src.errorAt(line, column, "is not valid UTF-8", "save the config as UTF-8")
		case r == '\t', r == '\r' && strings.HasPrefix(src.text[i:], "\r\n"):
		case unicode.IsControl(r):
			return src.errorAt(line, column, fmt.Sprintf("control character U+%04X", r), `remove it, or write it as \u escape in double quotes`)
		}
		column++
	}
	return nil
}

// mask hides from the lexer what it was measured to do badly: tabs (dropped from unquoted text, not counted in columns,
// and 100,000 of them in quotes take 4 s), runs of "<" (as slow) and the carriage return of a line end in quotes
// (counted as a line). Byte offsets stay the same.
func mask(text string) string {
	return strings.NewReplacer("\t", " ", "<", "x", "\r\n", " \n").Replace(text)
}

// A scanner finds the lexer's tokens again in the source. Text, place and quoting are read there, since the lexer's own
// positions drift after comments, tags, trailing blanks and non-ASCII text, and its escapes take \xZZ: of its tokens only
// the order and the kind count, and one that does not stand where it should is refused.
type scanner struct {
	src    *source
	masked string // src.text after mask
	found  []lexeme

	pos          int // byte offset of what comes next
	line, column int // of pos, from 1
	first        bool
	tab          bool // a tab stands before pos on its line, where it would indent
	flow         int  // open brackets
	begun, ended bool // "---" or content has been read; "..." has been read
}

// take finds one token and what it means.
func (s *scanner) take(tk *token.Token) error {
	s.skipBlanks()
	if tk.Type == token.CommentType && s.sees("#") {
		if s.pos > 0 && !strings.ContainsRune(" \n", rune(s.masked[s.pos-1])) {
			return s.errorHere(`unexpected "#"`, "put a space before a comment, or the text in quotes")
		}
		end := strings.IndexByte(s.masked[s.pos:], '\n')
		if end < 0 {
			end = len(s.masked) - s.pos
		}
		s.advance(end)
		return nil
	}
	if s.tab && s.indenting() {
		return s.errorHere("a tab in the indentation", "indent with spaces")
	}
	if s.ended || tk.Type == token.DocumentHeaderType && s.begun {
		return s.errorHere("a second document starts here", "a config is one document: remove what follows the first")
	}
	s.begun = true
	switch tk.Type {
	case token.DocumentHeaderType, token.DocumentEndType, token.SequenceEntryType, token.CollectEntryType,
		token.MappingValueType, token.SequenceStartType, token.SequenceEndType, token.MappingStartType, token.MappingEndType:
		return s.takeMark(tk)
	case token.SingleQuoteType, token.DoubleQuoteType, token.InvalidType:
		return s.takeQuoted()
	case token.StringType, token.NullType, token.BoolType, token.InfinityType, token.NanType, token.FloatType,
		token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType, token.HexIntegerType:
		return s.takePlain(tk.Value)
	}
	return s.refuse()
}

// takeMark takes a token of structure.
func (s *scanner) takeMark(tk *token.Token) error {
	if !s.sees(tk.Value) {
		return s.refuse()
	}
	switch tk.Type {
	case token.DocumentHeaderType, token.DocumentEndType:
		s.ended = tk.Type == token.DocumentEndType
		s.advance(len(tk.Value))
		return nil
	case token.SequenceStartType, token.MappingStartType:
		s.flow++
	case token.SequenceEndType, token.MappingEndType:
		s.flow--
	case token.MappingValueType:
		// Readers differ over {a:1} and {a:}; only behind JSON's quoted keys may the blank be left out.
		afterQuotes := len(s.found) > 0 && s.found[len(s.found)-1].quoted
		if next := s.masked[s.pos+1:]; next != "" && next[0] != ' ' && next[0] != '\n' && !afterQuotes {
			return s.errorHere(`no space after ":"`, "write key: value; put text with a colon in quotes")
		}
	}
	s.add(lexeme{kind: tk.Type}, len(tk.Value))
	return nil
}

// takePlain takes unquoted text, which the lexer reads as value.
func (s *scanner) takePlain(value string) error {
	if !s.sees(value) || strings.Contains(value, "\n") || strings.ContainsRune("&*!|>%@`\"',[]{}#?:", rune(value[0])) {
		return s.refuse()
	}
	if strings.Contains(value, ": ") || strings.HasSuffix(value, ":") {
		return s.errorHere("a second colon in unquoted text", "separate keys by lines, in braces by commas; put text with a colon in quotes")
	}
	if i := strings.IndexAny(value, "[]{},"); i >= 0 && s.flow > 0 {
		return s.errorHere(fmt.Sprintf("%q inside unquoted text", value[i]), "close brackets in pairs, or put the text in quotes")
	}
	text := s.src.text[s.pos : s.pos+len(value)]
	if strings.Contains(text, "\t") {
		return s.errorHere("a tab inside unquoted text", `use spaces, or \t in double quotes`)
	}
	s.add(lexeme{kind: token.StringType, text: text}, len(value))
	return nil
}

// takeQuoted takes text in quotes: single ones know no escape but their own doubling, double ones JSON's escapes.
func (s *scanner) takeQuoted() error {
	rest, _, _ := strings.Cut(s.src.text[s.pos:], "\n")
	end := 0 // of the text in quotes
	var text string
	switch {
	case strings.HasPrefix(rest, "'"):
		for end = 1; end < len(rest) && (rest[end] != '\'' || strings.HasPrefix(rest[end+1:], "'")); end++ {
			if rest[end] == '\'' {
				end++
			}
		}
		if end < len(rest) {
			text = strings.ReplaceAll(rest[1:end], "''", "'")
		}
	case strings.HasPrefix(rest, `"`):
		for end = 1; end < len(rest) && rest[end] != '"'; end++ {
			if rest[end] == '\\' {
				end++
			}
		}
		if end < len(rest) {
			decoded, err := jsontext.AppendUnquote(nil, rest[:end+1])
			if err != nil {
				return s.errorHere("an escape or tab that text in double quotes cannot hold",
					`the escapes are JSON's: \" \\ \/ \b \f \n \r \t \uXXXX; text in single quotes has none`)
			}
			text = string(decoded)
		}
	}
	if end == 0 || end >= len(rest) {
		return s.refuse()
	}
	s.add(lexeme{kind: token.StringType, text: text, quoted: true}, end+1)
	return nil
}

// refuse says what is wrong with the text at pos, which is not a token that a config may use.
func (s *scanner) refuse() error {
	switch c := s.masked[min(s.pos, len(s.masked)-1)]; c {
	case '"', '\'':
		return s.errorHere("text in quotes that does not end on its line", "close the quotes")
	case '&', '*', '!', '|', '>', '%', '@', '`', '?', ':', ',', '[', ']', '{', '}':
		return s.errorHere(fmt.Sprintf("unquoted text cannot start with %q", c),
			"put the text in quotes; anchors, aliases, tags, directives, complex keys and block text have no use in a config")
	}
	return s.errorHere("text over several lines", "write it on one line, or mend the indentation of the next")
}

func (s *scanner) errorHere(msg, hint string) error {
	return s.src.errorAt(s.line, s.column, msg, hint)
}

// sees reports whether the source goes on with text, which is not empty.
func (s *scanner) sees(text string) bool {
	return text != "" && strings.HasPrefix(s.masked[s.pos:], text)
}

// add records a lexeme that is the next size bytes.
func (s *scanner) add(l lexeme, size int) {
	l.line, l.column, l.first = s.line, s.column, s.first
	s.found = append(s.found, l)
	s.advance(size)
}

// advance moves over the next size bytes, which hold no line break.
func (s *scanner) advance(size int) {
	s.column += utf8.RuneCountInString(s.masked[s.pos : s.pos+size])
	s.pos += size
	s.first = false
}

// indenting reports whether the column of what comes next says what it belongs to.
func (s *scanner) indenting() bool {
	afterDash := len(s.found) > 0 && s.found[len(s.found)-1].kind == token.SequenceEntryType
	return s.flow == 0 && (s.first || afterDash)
}

// skipBlanks moves to the next character that is not blank.
func (s *scanner) skipBlanks() {
	for ; s.pos < len(s.masked); s.pos++ {
		switch s.src.text[s.pos] {
		case '\n':
			s.line, s.column, s.first, s.tab = s.line+1, 1, true, false
		case '\t':
			s.column, s.tab = s.column+1, s.tab || s.indenting()
		case ' ', '\r':
			s.column++
		default:
			return
		}
	}
}

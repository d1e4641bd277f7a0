package data

import "bytes"

// A plainObject is the shape of the object that was read last: its keys, in order, and those of objects in it that declared
// names lead through. The next objects most often have the same ones, with nothing else but single values and arrays of
// numbers that count, and no escapes: such a line is read in one
// pass, without looking a key up. Where a line differs in any way, read gives up and the line is read in full: what is
// refused, and how, is decided there alone. Keys that are known to be distinct need no check for duplicates.
type plainObject struct {
	keys   []plainKey
	absent []int // the cells that none of the keys leads to; found by the first read
	known  bool  // absent is
	whole  bool  // the object was read to its end
}

type plainKey struct {
	start  []byte    // of the line from the key on: it and a colon
	node   *jsonNode // nil where no declared name leads through it
	number int       // the one cell that the key leads to, which is a number; -1 where it is not so
	opens  bool      // the value is an object, whose keys follow
	closes int       // objects that end behind the value
}

// learn forgets the shape; add then takes the keys of the next object as they come.
func (p *plainObject) learn() { p.keys, p.known, p.whole = p.keys[:0], false, false }

func (p *plainObject) add(quoted []byte, n *jsonNode) {
	if len(p.keys) < cap(p.keys) {
		p.keys = p.keys[:len(p.keys)+1]
	} else {
		p.keys = append(p.keys, plainKey{})
	}
	k := &p.keys[len(p.keys)-1]
	k.start, k.node, k.number = append(append(k.start[:0], quoted...), ':'), n, -1
	k.opens, k.closes = false, 0
}

// open says that the value of the key that was added last is an object that is read.
func (p *plainObject) open() { p.keys[len(p.keys)-1].opens = true }

// close says that an object ends: of the keys so far, unless it is empty. The root's end is that of the shape.
func (p *plainObject) close(root bool) {
	if len(p.keys) == 0 {
		return
	}
	p.keys[len(p.keys)-1].closes++
	p.whole = root
}

// know finds out which cells the keys lead to.
func (p *plainObject) know(r *jsonlReader) {
	p.known = true
	found := make([]bool, len(r.columns))
	for i := range p.keys {
		k := &p.keys[i]
		if k.node == nil {
			continue
		}
		for _, end := range k.node.ends {
			in := &r.inputs[end]
			if found[in.first] { // by its whole name and by its path: which one counts is decided in full
				p.whole = false
			}
			for c := range in.size {
				found[in.first+c] = true
			}
			if in.number && !in.vector && len(k.node.ends) == 1 {
				k.number = in.first
			}
		}
	}
	p.absent = p.absent[:0]
	for c, is := range found {
		if !is {
			p.absent = append(p.absent, c)
		}
	}
}

// read reads r.line, which is ASCII, into cells. Where it returns false they hold anything.
func (p *plainObject) read(r *jsonlReader, cells []cell) bool {
	line := r.line
	at := skipSpaces(line, 0)
	if p.whole && !p.known {
		p.know(r)
	}
	if !p.whole || line[at] != '{' {
		return false
	}
	for _, c := range p.absent {
		cells[c] = cell{null: true}
		r.columns[c] = at + 1
	}
	for i := range p.keys {
		k := &p.keys[i]
		at = skipSpaces(line, at+1)
		if !bytes.HasPrefix(line[at:], k.start) {
			return false
		}
		at = skipSpaces(line, at+len(k.start))
		if k.opens {
			if k.closes > 0 || at >= len(line) || line[at] != '{' {
				return false
			}
			continue
		}
		end := -1
		if k.number >= 0 {
			// The common case at speed.
			c := &cells[k.number]
			if x, e, ok := scanNumber(line, at); ok && isJSONNumber(line, at, e) {
				c.text, c.number, c.numeric, c.null = line[at:e], x, true, false
				r.columns[k.number] = at + 1
				end = e
			}
		}
		if end < 0 {
			if end = r.plainValue(k.node, at, cells); end < 0 {
				return false
			}
		}
		at = skipSpaces(line, end)
		for range k.closes {
			if at >= len(line) || line[at] != '}' {
				return false
			}
			at = skipSpaces(line, at+1)
		}
		if i < len(p.keys)-1 && (at >= len(line) || line[at] != ',') {
			return false
		}
	}
	return at == len(line)
}

// skipSpaces is the index of the first byte of line from at on that is no space.
func skipSpaces(line []byte, at int) int {
	for at < len(line) && line[at] == ' ' {
		at++
	}
	return at
}

// plainValue reads the value at r.line[at:] into the cells that n stands for, and returns where it ends, or -1.
func (r *jsonlReader) plainValue(n *jsonNode, at int, cells []cell) (end int) {
	if n == nil || len(n.ends) == 0 {
		_, end = plainScalar(r.line, at, false)
		return end
	}
	for _, i := range n.ends {
		in := &r.inputs[i]
		if in.vector {
			end = r.plainArray(in, at, cells)
		} else {
			cells[in.first], end = plainScalar(r.line, at, in.number)
			r.columns[in.first] = at + 1
		}
		if end < 0 {
			break
		}
	}
	return end
}

// plainArray reads the array of numbers at r.line[at:].
func (r *jsonlReader) plainArray(in *jsonInput, at int, cells []cell) (end int) {
	line := r.line
	if at == len(line) || line[at] != '[' {
		return -1
	}
	for i := range in.size {
		at = skipSpaces(line, at+1)
		if at == len(line) || line[at] != '-' && !isDigit(line[at]) {
			return -1
		}
		r.columns[in.first+i] = at + 1
		if cells[in.first+i], at = plainScalar(line, at, in.number); at < 0 {
			return -1
		}
		at = skipSpaces(line, at)
		after := byte(',')
		if i == in.size-1 {
			after = ']'
		}
		if at == len(line) || line[at] != after {
			return -1
		}
	}
	return at + 1
}

// plainScalar reads the single value at line[at:], and as a number where that is what is asked for. end is -1 where there
// is none without escapes.
func plainScalar(line []byte, at int, number bool) (c cell, end int) {
	if at == len(line) {
		return c, -1
	}
	for _, word := range [...]string{"null", "true", "false"} {
		if line[at] == word[0] {
			if !bytes.HasPrefix(line[at:], []byte(word)) {
				return c, -1
			}
			if word == "null" {
				return cell{null: true}, at + len(word)
			}
			return cell{text: line[at : at+len(word)]}, at + len(word)
		}
	}
	if line[at] != '"' {
		return plainNumber(line, at, number)
	}
	at++
	n := bytes.IndexByte(line[at:], '"')
	if n < 0 {
		return c, -1
	}
	text := line[at : at+n]
	for _, b := range text {
		if b < ' ' || b == '\\' {
			return c, -1
		}
	}
	return cell{text: text}, at + n + 1
}

// plainNumber reads the number at line[at:].
func plainNumber(line []byte, at int, number bool) (c cell, end int) {
	if x, end, ok := scanNumber(line, at); ok && isJSONNumber(line, at, end) {
		return cell{text: line[at:end], number: x, numeric: number}, end
	}
	if end = jsonNumberEnd(line, at); end < 0 {
		return c, -1
	}
	return cell{text: line[at:end]}, end
}

// isJSONNumber reports whether the number that scanNumber found from at to end is one of JSON as well: no zero before
// another digit, a digit before and after the point, and no exponent behind it.
func isJSONNumber(line []byte, at, end int) bool {
	if line[at] == '-' {
		at++
	}
	if end < len(line) && line[end]|0x20 == 'e' || !isDigit(line[at]) || !isDigit(line[end-1]) {
		return false
	}
	return line[at] != '0' || end == at+1 || line[at+1] == '.'
}

// jsonNumberEnd is where the number ends that line[at:] begins with (RFC 8259, section 6), or -1 where there is none.
func jsonNumberEnd(line []byte, at int) int {
	digits := func() bool {
		start := at
		for at < len(line) && isDigit(line[at]) {
			at++
		}
		return at > start
	}
	is := func(set string) bool { return at < len(line) && bytes.IndexByte([]byte(set), line[at]) >= 0 }
	if is("-") {
		at++
	}
	if is("0") {
		at++
	} else if !digits() {
		return -1
	}
	if is(".") {
		if at++; !digits() {
			return -1
		}
	}
	if is("eE") {
		if at++; is("+-") {
			at++
		}
		if !digits() {
			return -1
		}
	}
	return at
}

package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A part is a run of whole rows on its way from the source, which fills in the text, by way of a worker, which encodes
// it, to the loader.
type part struct {
	text   []byte
	read   int64 // bytes of the file that were read up to its end
	size   int64 // of the file
	out    *builder
	lines  int    // line feeds in text, or rows
	end    error  // of the source, instead of a part
	bad    error  // what is wrong with the row after those in out
	faults Faults // what is wrong with rows that out has as null ones
	ready  chan struct{}

	groupOf map[string]int32
	parquet parquetRows // instead of text
}

// read takes the parts of t in order. They are cut from the text in one goroutine and parsed and encoded in others; what
// a row becomes depends on it alone, so that neither the number of workers nor the size of a part changes the result.
func (l *loader) read(ctx context.Context, t *table) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	parts := l.o.Workers + 2 // one being read, one being taken
	free, work, ordered := make(chan *part, parts), make(chan *part, parts), make(chan *part, parts)
	for range parts {
		free <- &part{out: newBuilder(l.schema.dense, l.schema.sparse), ready: make(chan struct{}, 1), groupOf: make(map[string]int32)}
	}
	running.Go(func() {
		defer close(work)
		defer close(ordered)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case p := <-free: // neither send blocks: there are no more parts than places
				p.size = t.size
				p.end = t.rows.next(p)
				p.read = t.read.n.Load()
				ordered <- p
				if p.end != nil {
					p.ready <- struct{}{}
					return
				}
				work <- p
			}
		}
	})
	for range l.o.Workers {
		running.Go(func() {
			rows, cells := t.rows.reader(), make([]cell, l.cells)
			for p := range work {
				l.encode(p, rows, cells)
				p.ready <- struct{}{}
			}
		})
	}
	lines, idle := t.rows.before(), 0
	for p := range ordered {
		<-p.ready
		switch {
		case errors.Is(p.end, io.EOF):
			return nil
		case p.end != nil:
			return below(p.end, lines)
		}
		if p.out.data.Places() > 0 {
			idle = 0
		}
		err := l.take(p)
		for _, fault := range p.faults[:min(len(p.faults), l.o.Faults-len(l.faults))] {
			fault.File, fault.Line = t.name, fault.Line+lines
			l.faults = append(l.faults, fault)
		}
		if len(l.faults) > 0 && len(l.faults) == l.o.Faults {
			return l.faults
		}
		if l.o.Progress != nil {
			l.o.Progress(l.before+p.read, l.size)
		}
		if idle += len(p.text); err == nil && idle > maxRowBytes {
			err = noRowFor()
		}
		if err != nil {
			return below(err, lines)
		}
		lines += p.lines
		p.reset()
		free <- p
	}
	return ctx.Err()
}

// below counts the lines of an *Error from the start of the table, lines before the part that it counts from.
func below(err error, lines int) error {
	var ours *Error
	if errors.As(err, &ours) && ours.Line > 0 {
		ours.Line += lines
	}
	return err
}

// reset makes a part ready for other rows.
func (p *part) reset() {
	if cap(p.text) > 4*partBytes { // of an uncommonly long row
		p.text = nil
	}
	p.out.reset()
	p.faults = p.faults[:0]
	clear(p.groupOf)
}

// encode encodes the rows of a part, up to the first that is not as declared unless such rows are null.
func (l *loader) encode(p *part, rows rowReader, cells []cell) {
	p.lines = rows.reset(p)
	var split *divider
	if l.split >= 0 {
		split = newDivider(l.schema.spec.Split)
	}
	for {
		err := rows.next(cells)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil {
			if bad := l.encodeRow(p, cells); bad != nil {
				name, line, column := rows.where(bad.cell)
				err = &Error{Line: line, Column: column, UnknownLabel: bad.unknownLabel,
					msg: fmt.Sprintf("column %q %s", name, bad.msg), hint: bad.hint}
			}
		}
		if err == nil {
			if split != nil && split.side(cells[l.split].text) != l.o.Side {
				p.out.dropRow()
			}
			continue
		}
		var ours *Error
		oneRow := errors.As(err, &ours) && !ours.wholeTable
		switch {
		case oneRow && l.o.NullBadRows:
		case oneRow && len(p.faults)+1 < l.o.Faults: // the last may be the part's end
			p.faults = append(p.faults, ours)
		default:
			p.bad = err
			return
		}
		p.out.nullRow()
	}
}

// encodeRow encodes one row.
func (l *loader) encodeRow(p *part, cells []cell) *fault {
	if l.label >= 0 {
		class, bad := l.schema.class(cells[l.label])
		if bad != nil {
			bad.cell = l.label
			return bad
		}
		p.out.data.Labels = append(p.out.data.Labels, class)
	}
	if l.group >= 0 {
		g := p.out.data.Groups
		if g == nil {
			g = &Groups{}
			p.out.data.Groups = g
		}
		g.Of = append(g.Of, g.number(p.groupOf, string(cells[l.group].text)))
	}
	return l.schema.encode(p.out, cells)
}

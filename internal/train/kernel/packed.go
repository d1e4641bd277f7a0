package kernel

import "unsafe"

// panelWidth is the number of columns of a panel: two 64-byte vectors.
const panelWidth = 32

// A Packed is a matrix b [k×n] laid out for [ProductPacked]: panels of 32 columns, each [k×32] and contiguous, the last one
// filled up with zeros. The zero value is ready for PackTransposed and Resize, which reuse its memory. Any number of goroutines may multiply by one
// Packed between two that change it.
type Packed struct {
	k, n   int
	panels []float32 // [ceil(n/32) × k × 32], aligned to 64 bytes
}

// PackTransposed makes p a packed copy of wᵀ [k×n], where w is [n×k]: the weights of a dense layer of n outputs.
func (p *Packed) PackTransposed(w []float32, n, k int) {
	p.Resize(k, n)
	p.SetColumns(w, 0, n)
}

// SetColumns sets the columns [first, first+count) of the matrix to the rows of w [count×k]. Goroutines may set
// different columns at once.
func (p *Packed) SetColumns(w []float32, first, count int) {
	w = shape(w, count, p.k)
	for done := 0; done < count; {
		at := (first + done) % panelWidth
		width := min(panelWidth-at, count-done)
		transpose(p.panel(first + done - at)[at:], w[done*p.k:], width, p.k, panelWidth)
		done += width
	}
}

// panel returns the panel that starts at column j, a multiple of panelWidth: [k×32].
func (p *Packed) panel(j int) []float32 {
	return p.panels[j*p.k : (j+panelWidth)*p.k]
}

// Resize shapes p for a matrix [k×n] of which only the padding is set: to zero.
func (p *Packed) Resize(k, n int) {
	const align = 64 / 4
	size := (n + panelWidth - 1) / panelWidth * panelWidth * k
	if cap(p.panels) < size {
		buf := make([]float32, size+align)
		skip := 0
		if misaligned := uintptr(unsafe.Pointer(&buf[0])) % 64; misaligned != 0 {
			skip = int(64-misaligned) / 4
		}
		p.panels = buf[skip : skip+size : skip+size]
	}
	p.k, p.n, p.panels = k, n, p.panels[:size]
	if n%panelWidth != 0 {
		clear(p.panel(n / panelWidth * panelWidth))
	}
}

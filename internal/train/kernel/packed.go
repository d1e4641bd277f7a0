package kernel

import "unsafe"

// panelWidth is the number of columns of a panel: two 64-byte vectors.
const panelWidth = 32

// A Packed is a matrix b [k×n] laid out for [ProductPacked]: panels of 32 columns, each [k×32] and contiguous, the last one
// filled up with zeros. The zero value is ready for Pack, which reuses its memory. Any number of goroutines may multiply by one
// Packed between two calls of Pack.
type Packed struct {
	k, n   int
	panels []float32 // [ceil(n/32) × k × 32], aligned to 64 bytes
}

// Pack makes p a packed copy of b [k×n].
func (p *Packed) Pack(b []float32, k, n int) {
	b = shape(b, k, n)
	p.resize(k, n)
	for j := 0; j < n; j += panelWidth {
		panel := p.panel(j)
		width := min(panelWidth, n-j)
		for t := range k {
			copy(panel[t*panelWidth:], b[t*n+j:t*n+j+width])
		}
	}
}

// PackTransposed makes p a packed copy of wᵀ [k×n], where w is [n×k]: the weights of a dense layer of n outputs.
func (p *Packed) PackTransposed(w []float32, n, k int) {
	w = shape(w, n, k)
	p.resize(k, n)
	for j := 0; j < n; j += panelWidth {
		width := min(panelWidth, n-j)
		transpose(p.panel(j), w[j*k:], width, k, panelWidth)
	}
}

// panel returns the panel that starts at column j, a multiple of panelWidth: [k×32].
func (p *Packed) panel(j int) []float32 {
	return p.panels[j*p.k : (j+panelWidth)*p.k]
}

// resize shapes p for a matrix [k×n] of which only the padding is set: to zero.
func (p *Packed) resize(k, n int) {
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

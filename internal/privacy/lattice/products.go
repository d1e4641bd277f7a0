package lattice

import "math"

// Products is a sum of outer products on the lattice, each rounded by itself, so that it is exact in any order. It is for
// gradients of sparse inputs: their rows have few columns each, while the float32 sum of a range of rows would have to be
// rounded in most columns, where but one or two of the range's rows add anything.
//
// Products are rounded to multiples of [Lattice.ProductStep], of which C is at most 2²⁴, and summed as int32, which is half of what
// int64 would pass through the caches. Of a column that has taken as many products as an int32 is sure to hold, multiples of 2²⁴ are
// carried over to another int32, which few columns are in a step.
type Products struct {
	sum     []int32 // [columns×width], in product steps
	taken   []uint8 // by column: the products in sum, a rest counting as one, and carried where there is something in high
	high    []int32 // [columns×width], in 2²⁴ product steps: what was carried over
	width   int
	inverse float32 // 1/ProductStep
	shift   int     // log₂ of ProductStep/Step
}

const (
	productBits = 24  // C is at most 2²⁴ product steps
	mostTaken   = 127 // products of at most 2²⁴ each: their sum is below 2³¹
	carried     = 128 // a bit beyond
)

// NewProducts returns an empty sum for columns of width coordinates. It is for fewer than 2³¹ rows.
func NewProducts(l Lattice, columns, width int) *Products {
	_, exponent := math.Frexp(l.ProductStep / l.Step)
	return &Products{
		sum: make([]int32, columns*width), taken: make([]uint8, columns), high: make([]int32, columns*width),
		width: width, inverse: float32(1 / l.ProductStep), shift: exponent - 1,
	}
}

// Add adds the outer product of values and d to some columns:
//
//	for t, column := range columns {
//		for j := range d {
//			sum[int(column)·width+j] += float32(values[t]·d[j]) / ProductStep, rounded to the nearest integer, ties to even
//		}
//	}
//
// columns and values are of one length, columns strictly ascending, d: [width]; it panics otherwise, and where there is no such
// column. Values and d are finite, and |d[j]| and |values[t]·d[j]|, exactly, are at most C; else the integer added is unspecified, and the
// coordinates of other columns and j are as stated.
func (p *Products) Add(columns []uint32, values, d []float32) {
	if len(columns) != len(values) || len(d) != p.width {
		panic("lattice: lengths differ")
	}
	next := 0 // what comes before it has been seen
	for _, column := range columns {
		if int(column) < next {
			panic("lattice: columns do not ascend")
		}
		next = int(column) + 1
		if p.taken[column]&^carried == mostTaken {
			p.carry(int(column))
		}
		p.taken[column]++
	}
	addProducts(p.sum, columns, values, d, p.inverse)
}

// carry makes room in a column: what is left in sum is at least 0 and below 2²⁴, no more than a product. What is in high is below the
// number of slots, and so within int32.
func (p *Products) carry(column int) {
	from, to := column*p.width, (column+1)*p.width
	sum, high := p.sum[from:to], p.high[from:to]
	for j, v := range sum {
		high[j] += v >> productBits
		sum[j] = v & (1<<productBits - 1)
	}
	p.taken[column] = carried + 1
}

// CollectTo adds the coordinates of the columns [from, to) to dst [(to−from)×width], in lattice steps, and clears them. Different
// columns may be collected at once.
func (p *Products) CollectTo(dst []int64, from, to int) {
	if len(dst) != (to-from)*p.width {
		panic("lattice: lengths differ")
	}
	addWide(dst, p.sum[from*p.width:to*p.width], p.shift)
	for i, taken := range p.taken[from:to] {
		if taken < carried {
			continue
		}
		high := p.high[(from+i)*p.width:][:p.width]
		addWide(dst[i*p.width:(i+1)*p.width], high, productBits+p.shift)
	}
	clear(p.taken[from:to])
}

// addWide adds src times 2^shift to dst, of one length, and clears it.
func addWide(dst []int64, src []int32, shift int) {
	whole := len(src) &^ (wideBlock - 1)
	widen(dst[:whole], src[:whole], shift)
	widenGeneric(dst[whole:], src[whole:], shift)
}

// wideBlock is the number of elements that assembly widens at a time: a cache line of a sum of products.
const wideBlock = 16

func widenGeneric(dst []int64, src []int32, shift int) {
	for j, v := range src {
		dst[j] += int64(v) << shift
	}
	clear(src)
}

func addProductsGeneric(sum []int32, columns []uint32, values, d []float32, inverse float32) {
	for t, column := range columns {
		row := sum[int(column)*len(d):][:len(d)]
		for j, v := range d {
			product := values[t] * (v * inverse) // a power of two, which makes no float32 subnormal
			row[j] += int32(math.RoundToEven(float64(product)))
		}
	}
}

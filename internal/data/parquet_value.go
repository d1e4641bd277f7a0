package data

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// A parquetForm is what the values of a leaf are as cells.
type parquetForm struct {
	kind   format.Type
	size   int  // bytes of a value; 0: each has its own, or takes a bit
	number bool // values are numbers, of days where they are dates or times
	// cell makes a cell of a value, and appends its text to text.
	cell func(text []byte, v parquetValue) (grown []byte, c cell)
}

const (
	secondsADay = 86400
	// maxDecimal bounds the bytes of a decimal: it has up to 76 digits, as the widest type of a column that is in use.
	maxDecimal  = 32
	maxDigits   = 76
	julianEpoch = 2440588 // 1970-01-01 as a Julian day number
)

// formOf is the form of a leaf for an input; nil where its type has no text.
func formOf(leaf *parquetNode, in input) *parquetForm {
	f := &parquetForm{kind: leaf.Type.V}
	switch f.kind {
	case format.Int32, format.Float:
		f.size = 4
	case format.Int64, format.Double:
		f.size = 8
	case format.Int96:
		f.size = 12
	case format.FixedLenByteArray:
		if f.size = int(leaf.TypeLength.V); f.size < 1 {
			return nil
		}
	case format.Boolean, format.ByteArray:
	}
	if !f.logical(leaf, in) {
		return nil
	}
	return f
}

// logical sets what a leaf's logical type says, or else its converted type, which came before those.
func (f *parquetForm) logical(leaf *parquetNode, in input) bool {
	whole := f.kind == format.Int32 || f.kind == format.Int64
	switch l := logicalType(leaf.SchemaElement).(type) {
	case nil:
		return f.plain(in)
	case *format.StringType, *format.EnumType, *format.JsonType:
		f.cell = asText
		return f.kind == format.ByteArray
	case *format.IntType:
		f.cell, f.number = f.integer(in, l.IsSigned), true
		return whole
	case *format.DecimalType:
		f.cell, f.number = f.decimal(int(l.Scale)), true
		return l.Scale >= 0 && l.Scale <= l.Precision && l.Precision <= maxDigits && (whole || f.kind == format.ByteArray || f.kind == format.FixedLenByteArray && f.size <= maxDecimal)
	case *format.DateType:
		f.cell, f.number = f.moment(in, secondsADay, 1, time.DateOnly), true
		return f.kind == format.Int32
	case *format.TimestampType:
		f.cell, f.number = f.moment(in, 1, perSecond(l.Unit), timestampLayout+zone(l.IsAdjustedToUTC)), true
		return f.kind == format.Int64 && l.Unit.Value != nil
	case *format.TimeType:
		f.cell, f.number = f.moment(in, 1, perSecond(l.Unit), timeLayout), true // without a zone: some writers say UTC of any
		return whole && l.Unit.Value != nil
	case *format.UUIDType:
		f.cell = uuid
		return f.size == 16
	case *format.Float16Type:
		f.cell, f.number = float16(in), true
		return f.size == 2
	case *format.NullType: // which has no values
		f.cell = func(text []byte, _ parquetValue) ([]byte, cell) { return text, cell{invalid: true} }
		return true
	}
	return false // bytes of other formats: BSON, variants, shapes
}

// plain sets the form of a type that nothing more is said of.
func (f *parquetForm) plain(in input) bool {
	switch f.kind {
	case format.Boolean:
		f.cell = func(text []byte, v parquetValue) ([]byte, cell) {
			return ended(strconv.AppendBool(text, v.bits != 0), len(text))
		}
	case format.Int32, format.Int64:
		f.cell, f.number = f.integer(in, true), true
	case format.Float:
		f.number = true
		f.cell = func(text []byte, v parquetValue) ([]byte, cell) {
			return floatCell(text, in, math.Float32frombits(uint32(v.bits)))
		}
	case format.Double:
		f.number = true
		f.cell = func(text []byte, v parquetValue) ([]byte, cell) {
			x := math.Float64frombits(v.bits)
			if in.number && !math.IsNaN(x) && !math.IsInf(x, 0) {
				return text, cell{number: x, numeric: true}
			}
			return ended(appendShortest(text, x, 64), len(text))
		}
	case format.ByteArray:
		f.cell = asText
	case format.Int96: // what writers once made of timestamps: nanoseconds of a day, and its Julian day number
		f.cell, f.number = int96(in), true
	case format.FixedLenByteArray:
		return false
	}
	return true
}

// logicalType is what is said of a leaf's type; nil: nothing. Of a type that nobody knows it is one that nothing takes.
func logicalType(e *format.SchemaElement) format.LogicalTypeValue {
	switch {
	case e.LogicalType.Value != nil:
		return e.LogicalType.Value
	case !e.ConvertedType.Valid:
		return nil
	}
	millis, micros := format.TimeUnit{Value: new(format.MilliSeconds)}, format.TimeUnit{Value: new(format.MicroSeconds)}
	switch e.ConvertedType.V {
	case deprecated.UTF8:
		return new(format.StringType)
	case deprecated.Enum:
		return new(format.EnumType)
	case deprecated.Json:
		return new(format.JsonType)
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.Date:
		return new(format.DateType)
	case deprecated.TimeMillis:
		return &format.TimeType{Unit: millis}
	case deprecated.TimeMicros:
		return &format.TimeType{Unit: micros}
	case deprecated.TimestampMillis:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: millis}
	case deprecated.TimestampMicros:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{IsSigned: true}
	case deprecated.Bson, deprecated.Interval, deprecated.Map, deprecated.MapKeyValue, deprecated.List:
	}
	return new(format.BsonType)
}

// ended is a cell of the text from start on.
func ended(text []byte, start int) ([]byte, cell) {
	return text, cell{text: text[start:len(text):len(text)]}
}

func asText(text []byte, v parquetValue) ([]byte, cell) {
	return ended(append(text, v.bytes...), len(text))
}

// integer makes a number of the lower half of the bits, or of all.
func (f *parquetForm) integer(in input, signed bool) func([]byte, parquetValue) ([]byte, cell) {
	half := f.kind == format.Int32
	return func(text []byte, v parquetValue) ([]byte, cell) {
		x := int64(v.bits)
		switch {
		case half && signed:
			x = int64(int32(x))
		case half:
			x = int64(uint32(x))
		}
		switch {
		case in.number && (signed || half):
			return text, cell{number: float64(x), numeric: true}
		case in.number:
			return text, cell{number: float64(v.bits), numeric: true}
		case signed || half:
			return ended(strconv.AppendInt(text, x, 10), len(text))
		}
		return ended(strconv.AppendUint(text, v.bits, 10), len(text))
	}
}

// decimal makes a number of a whole one that counts units of 10^-scale, and has all the places of its scale: 12.30.
func (f *parquetForm) decimal(scale int) func([]byte, parquetValue) ([]byte, cell) {
	half, bytes := f.kind == format.Int32, f.kind == format.ByteArray || f.kind == format.FixedLenByteArray
	least, most := 1, maxDecimal
	if f.kind == format.FixedLenByteArray {
		least, most = f.size, f.size
	}
	return func(text []byte, v parquetValue) ([]byte, cell) {
		start, x := len(text), int64(v.bits)
		if half {
			x = int64(int32(x))
		}
		switch {
		case bytes && (len(v.bytes) < least || len(v.bytes) > most):
			return text, cell{invalid: true}
		case bytes && len(v.bytes) > 8:
			text = bigEndian(v.bytes).Append(text, 10)
		case bytes:
			x = int64(int8(v.bytes[0])) // whose sign is the number's
			for _, b := range v.bytes[1:] {
				x = x<<8 | int64(b)
			}
			fallthrough
		default:
			text = strconv.AppendInt(text, x, 10)
		}
		return ended(pointed(text, start, scale), start)
	}
}

// pointed puts a point before the last digits of the whole number from start on, with zeros where it has not as many.
func pointed(text []byte, start, digits int) []byte {
	if digits == 0 {
		return text
	}
	if text[start] == '-' {
		start++
	}
	zeros := max(0, digits+1-(len(text)-start))
	for range zeros + 1 {
		text = append(text, '0')
	}
	copy(text[start+zeros:], text[start:len(text)-zeros-1])
	for i := range zeros {
		text[start+i] = '0'
	}
	point := len(text) - 1 - digits
	copy(text[point+1:], text[point:len(text)-1])
	text[point] = '.'
	return text
}

// bigEndian is a number in two's complement.
func bigEndian(b []byte) *big.Int {
	x := new(big.Int).SetBytes(b)
	if b[0] >= 0x80 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return x
}

// ISO 8601, the fraction of a second as short as it goes.
const (
	timestampLayout = "2006-01-02T15:04:05.999999999"
	timeLayout      = "15:04:05.999999999"
)

// zone marks timestamps that are in UTC, and not in a zone that nobody noted.
func zone(utc bool) string {
	if utc {
		return "Z"
	}
	return ""
}

func perSecond(unit format.TimeUnit) int64 {
	switch unit.Value.(type) {
	case *format.MilliSeconds:
		return 1e3
	case *format.MicroSeconds:
		return 1e6
	}
	return 1e9
}

// moment makes a date or a time of an integer that counts units of so many seconds, or so many to a second, from 1970 on. As
// text it is ISO 8601. An input that is a number has days, so that dates and timestamps are on one scale: 2026-07-01T12:00 is
// 20635.5.
func (f *parquetForm) moment(in input, seconds, toSecond int64, layout string) func([]byte, parquetValue) ([]byte, cell) {
	half := f.kind == format.Int32
	return func(text []byte, v parquetValue) ([]byte, cell) {
		x := int64(v.bits)
		if half {
			x = int64(int32(x))
		}
		if in.numeric {
			return daysCell(text, in, float64(x)/(secondsADay/float64(seconds)*float64(toSecond)))
		}
		whole := x / toSecond
		t := time.Unix(whole*seconds, (x-whole*toSecond)*(1e9/toSecond)).UTC()
		return ended(t.AppendFormat(text, layout), len(text))
	}
}

// daysCell is a date or a time as a number.
func daysCell(text []byte, in input, days float64) ([]byte, cell) {
	if in.number {
		return text, cell{number: days, numeric: true}
	}
	return ended(appendShortest(text, days, 64), len(text))
}

// int96 makes a timestamp of twelve bytes. Its days go further than 64 bits of nanoseconds do, which end in 2262: tables say
// 9999-12-31 of what has no end.
func int96(in input) func([]byte, parquetValue) ([]byte, cell) {
	const day = secondsADay * 1_000_000_000
	return func(text []byte, v parquetValue) ([]byte, cell) {
		passed, days := int64(binary.LittleEndian.Uint64(v.bytes)), int64(int32(binary.LittleEndian.Uint32(v.bytes[8:])))-julianEpoch
		if passed < 0 || passed >= 2*day {
			return text, cell{invalid: true}
		}
		if in.numeric {
			return daysCell(text, in, float64(days)+float64(passed)/day)
		}
		return ended(time.Unix(days*secondsADay, passed).UTC().AppendFormat(text, timestampLayout), len(text))
	}
}

// uuid writes the bytes of an identifier as usual.
func uuid(text []byte, v parquetValue) ([]byte, cell) {
	start := len(text)
	if len(v.bytes) != 16 {
		return text, cell{invalid: true}
	}
	for i, b := range v.bytes {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, []byte{b})
	}
	return ended(text, start)
}

package data

import "math/bits"

// The hash of hashed and text columns is 64-bit FNV-1a (Fowler, Noll, Vo) over the feature's name, one byte 0xff that no
// UTF-8 text holds, and the value; then the finaliser of MurmurHash3 (Appleby's fmix64), because the high bits of FNV-1a
// alone are poor for short inputs; then the high word of the product with the number of buckets (Lemire 2019,
// arXiv:1805.10941), whose bias is below buckets/2^64. The name is part of it so that two columns over the same values do
// not confuse the same pairs. Models depend on every bit of it.

// bucketSeed is the state of the hash after the name of a feature.
func bucketSeed(name string) uint64 {
	const offsetBasis = 0xcbf29ce484222325
	return hashByte(hashBytes(offsetBasis, []byte(name)), 0xff)
}

func hashBytes(h uint64, text []byte) uint64 {
	for _, c := range text {
		h = hashByte(h, c)
	}
	return h
}

func hashByte(h uint64, c byte) uint64 {
	const prime = 0x100000001b3
	return (h ^ uint64(c)) * prime
}

// bucketOf is the bucket, in [0, buckets), of the hash state h.
func bucketOf(h uint64, buckets int) uint32 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	hi, _ := bits.Mul64(h, uint64(buckets))
	return uint32(hi)
}

// Package lattice has the mechanism's own arithmetic: the integer grid on which a run's sums are exact, the rounding of
// float32 sums to it, and the exact discrete Gaussian that is added on it. It knows nothing of rows, clipping or
// accounting, and has no randomness of its own.
//
// A run chooses its lattice g·ℤ from public numbers ([Choose]), rounds the float32 sum of each range of slots to it and
// adds that to an int64 sum ([RoundAdd]), so that ranges add up to the same bits in any order, and adds a discrete
// Gaussian of parameter s to each coordinate ([Gaussian.Add]). Where gradients are sparse it rounds the products of each row
// instead ([Products]). Below, u = 2⁻²⁴, P parameters, S of them sums of products, C the norm that bounds a row's contribution, R the
// largest number of drawn rows in a range, h the step that products are rounded to, a multiple of g, σ the noise multiplier,
// N = P·T draws in T steps.
//
// # Claim 2: what one row can change
//
// Nulling a row changes the integer sum, times g, by at most C·(1+η) in L2 norm, η = u·R²·(1+R·u) + √P·g/C + √S·h/2C, if a
// range's sum is one chain of fused multiply-adds over its drawn rows, and S coordinates are sums of products.
//
// Let a be what a row contributes to the coordinates of ranges and b what it contributes to those of products: the products of its
// inputs and scaled deltas, rounded to float32 where a kernel rounds them. That is a function of the row alone, and ‖(a, b)‖ is at most
// C(1−2⁻²²)(1+2⁻²⁴)²(1+2⁻⁵¹) < C: the clipping factor leaves room for two roundings a product, of the delta and of the product, and a
// scaled delta that would be subnormal, whose rounding may be more, is 0. The sums change by a + e and b + f, and
// ‖(a + e, b + f)‖ ≤ C + ‖e‖ + ‖f‖.
//
// Ranges: ‖e‖ ≤ u·C·R²·(1+R·u) + √P·g. Other ranges do not change. In the row's own, with R·u ≤ 1/2, let Eₖ be the chain's exact
// result at row k before its rounding, which moves it by at most u·‖Eₖ‖ in L2 norm. ‖Eₖ‖ ≤ C·Σ (1+u)ʲ over j < k ≤ kC·(1+R·u), so the
// errors of a chain of m rows add up to at most u·C·(1+R·u)·m(m+1)/2. The chain with the row has at most R rows and the one without
// it R−1: together u·C·(1+R·u)·(R(R+1) + (R−1)R)/2 = u·C·(1+R·u)·R². Exactly summed, the two differ by a. (A result below 2⁻¹²⁶ is off
// by up to 2⁻¹⁵⁰ instead. The sharp error of rounding, u/(1+u), leaves more than that: 2⁻⁴⁸·C against 2⁻¹⁴⁹·R·√P.) Rounding to the
// lattice moves each coordinate of each of the two sums by at most g/2: √P·g together.
//
// Products: ‖f‖ ≤ √S·h/2. They are computed in units of h, which changes no digit of one but where it is 0 on the lattice in any case:
// h ≤ 1 is a power of two, and no delta, being the gradient of a bias, is longer than C ≤ 2²⁴·h. Each is then rounded to a multiple
// of h, which moves it by at most h/2. What the row adds is thus an integer vector that is a function of the row alone, whatever other
// rows do; integers add exactly, in any order and through any number of partial sums, and of a null row, as of one that is not drawn,
// they are 0. No partial sum overflows: |bⱼ| ≤ C is at most 2²⁴·h, a row has one product in a coordinate, as its columns differ, and
// 127 of them are below 2³¹. Of a column that has taken 127, ⌊v/2²⁴⌋ is carried over to another int32 first; the rest is below 2²⁴
// and counts as one. What is carried over is at most one for each slot, of which a plan has fewer than 2³¹. (A row longer than C, which
// claim 1 rules out, could move an int32 by 2³²·h, not by its excess alone.)
//
// # Claim 3: discrete for continuous noise
//
// A continuous Gaussian of standard deviation s, rounded to integers, is post-processing of the Gaussian mechanism. Let Q
// be its distribution and P the discrete Gaussian, cut at 64·s, that is drawn instead. With Z = Σρ(z) over all integers,
//
//	Q(z) = ρ(z)·G(z)/(s·√2π),   G(z) = ∫ cosh(z·t/s²)·exp(−t²/2s²) dt over |t| ≤ 1/2,
//	Z = s·√2π·(1+θ),   0 < θ < 2.1·exp(−2π²s²)
//
// (Poisson summation), and the cut raises P by a factor below 1+2⁻²⁹⁵⁰. Terms in exp(−2π²s²) and 2⁻²⁹⁵⁰ are called tiny
// below; the rounded-up constants cover them from s = 8 on.
//
// Pointwise. By Jensen's inequality, G ≥ exp(mean of −z·t/s² − t²/2s²) = exp(−1/24s²). By cosh v ≤ exp(v²/2), with
// x = z²/s⁴ ≤ 2¹²/s² and exp(v) ≤ 1+v+v², G ≤ 1 + x/24 + x²/320 ≤ exp(170.9/s²) for s ≥ 2¹⁰. So for |z| ≤ 64·s
//
//	P(z) ≤ exp(0.05/s²)·Q(z),   Q(z) ≤ exp(171/s²)·P(z),
//
// and N independent draws multiply these factors. If the run with continuous noise is (ε, δ)-differentially private, then
// for every event P ≤ e^(0.05N/s²)·Q on one data set, Q ≤ e^ε·Q′ + δ, and Q′ ≤ e^(171N/s²)·P′ + N·2⁻²⁹⁵⁰ on the other: the
// run with discrete noise is
//
//	(ε + 172·N/s², δ·e^(N/20s²) + N·e^(ε+1)·2⁻²⁹⁵⁰)-differentially private
//
// if N ≤ s². [Lattice.ExtraEpsilon] is that first term, 2.3·10⁻¹² at s = 2³⁸ and N = 10⁹, for every point of δ(ε). An account
// made at (1−10⁻⁵)·δ pays for the second, and half of that share remains, wherever the first is below 10⁻³, ε below 1000 and δ above 10⁻¹⁰⁰.
//
// In total variation. By log cosh x ≥ x²/2 − x⁴/12 and Jensen's inequality again, now over a symmetric t,
//
//	log G(z) ≥ z²/24s⁴ − z⁴/960s⁸ − 1/24s²,
//
// and under P, E z² = s² and E z⁴ = 3s⁴, but for tiny terms: KL(P‖Q) = E log P/Q ≤ 3/(960·s⁴) = 1/(320·s⁴). KL adds up over
// draws, and by Pinsker's inequality the distance is at most √(N/640)/s² < √N/(25·s²): [Lattice.TotalVariation]. (To
// leading order KL is 1/(576·s⁴).) This bound is for the report: at (1+e^ε) times it in δ it would also do for accounting.
//
// # The range of integers
//
// |sum| ≤ slots·C·(1+η)/g and |noise| ≤ 64·s by construction; [Choose] keeps them below 2⁶² together, so nothing wraps.
//
// # The sampler
//
// A discrete ziggurat (Buchmann, Cabarcas, Göpfert, Hülsing and Weiden, SAC 2013, eprint 2013/510) with integers for
// heights, so that its table needs no high precision. The area under ρ is covered by 1024 horizontal strips. Strip i spans
// the heights from cᵢ/H to (cᵢ+kᵢ)/H, whole numbers of 1/H that add up to 1, and holds the Nᵢ = 2Xᵢ+1 integers |z| ≤ Xᵢ,
// among them every z with ρ(z) > cᵢ/H.
//
// Of a word, 10 bits pick the strip. The other 54, the first of them turned over, are a number r, and r·Nᵢ = z′·2⁵⁴ + low
// picks the integer z = z′ − Xᵢ if low ≥ 2⁵⁴ − kᵢ·Nᵢ; else all starts anew. The low parts that belong to one z′ are an
// arithmetic progression of step Nᵢ across [0, 2⁵⁴), and an interval of length kᵢ·Nᵢ holds exactly kᵢ of them (Lemire 2019,
// arXiv:1805.10941, takes the largest kᵢ). So each (i, z) has probability kᵢ·2⁻⁶⁴: proportional to the strip's height. Given
// both, y is uniform on the strip's heights, and z is returned if y ≤ ρ(z), else all starts anew. The heights of z's strips
// below ρ(z) add up to ρ(z), so a round returns z with probability ρ(z)·H·2⁻⁶⁴ and the draw is P exactly.
//
// Two shortcuts change nothing of this. Where |z| is at most the largest integer that is under the curve at the strip's
// upper edge, no y is drawn. Else y is a 64-bit word, compared in float64 with a margin for its rounding; where that does
// not tell, by integer intervals, with further bits of y until they do. Floating point thus decides only how wide strips
// are, where too wide is harmless, and comparisons that it can be sure of.
//
// # The order of the words
//
// A block of draws takes a word each, and most draws are settled by it. Those that are not go on afterwards, in order,
// with the words that follow the block's. Which word a draw takes next depends on earlier words alone, never on its
// own value, so draws stay independent and each is P.
//
// With AVX-512 a block is looked at in floating point first, which settles most draws and leaves the others to the
// integers, with the same word and so the same result. Let w be the word as a signed number. Then r·2¹⁰ = w − i + 2⁶³, and
// r·N/2⁵⁴ = X + 1/2 + x with x = (w−i)·N·2⁻⁶⁴, so that z is ⌊x + 1/2⌋ and low/2⁵⁴ is x + 1/2 − z. What is computed instead is
// x̂ = fl(fl(w)·N·2⁻⁶⁴). It is off by at most N·2⁻⁵⁵ for the first rounding, as |w| ≤ 2⁶³, N·2⁻⁵⁴ for the second, as |x̂| ≤ N/2,
// and N·2⁻⁵⁴ for i < 2¹⁰: less than N·2⁻⁵² − N·2⁻⁵⁴ together. If x̂ is nearer than 1/2 − N·2⁻⁵² to an integer, x is nearer than
// 1/2 − N·2⁻⁵⁴ to the same one. That is z, and low ≥ N ≥ 2⁵⁴ − k·N in a strip whose k is the largest: the word is not refused.
// For m the largest integer that needs no y, |w| < m·2⁶⁴/N gives |x| < m + N·2⁻⁵⁴ < m + 1/2 and |z| ≤ m. A draw for which both
// hold is settled. Either may fail where the integers settle: that costs time alone.
package lattice

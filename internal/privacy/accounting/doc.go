// Package accounting turns a description of what a mechanism did, an [Event], into what it promised: ε for a δ, δ for
// an ε, the whole trade-off between a membership attacker's two errors. It is pure arithmetic. It sees no data, draws
// no randomness, does no I/O and keeps no ledger: the event is the ledger.
//
// # From definition to printed digit
//
//  1. A mechanism M is (ε, δ)-differentially private if P[M(D) ∈ S] ≤ e^ε·P[M(D′) ∈ S] + δ for every set S of outputs
//     and all neighbours D, D′. Which tables are neighbours is the [Adjacency]. The smallest δ for an ε is the
//     hockey-stick divergence H(ε) = sup_S P(S) − e^ε·Q(S), over the worst pair of neighbours and in both directions.
//  2. For the sum of vectors of norm at most C with Gaussian noise of standard deviation σ·C, the worst pair is
//     one-dimensional. Under Poisson sampling with probability q it is (1−q)·N(0, σ²) + q·N(1, σ²) against N(0, σ²) where a record is
//     added, removed or nulled, and against (1−q)·N(0, σ²) + q·N(−1, σ²) where it is replaced; for a group of k records the
//     mixtures are binomial (Zhu, Dong, Wang 2022, arXiv:2106.08567; Ganesh 2024, arXiv:2401.10294). One argument, in
//     search.go, covers them all. Laplace noise on a number is a pair as it stands; a mechanism of which only ε and δ
//     are known is randomised response (Kairouz, Oh, Viswanath 2015, arXiv:1311.0776).
//  3. Nested events are flattened to a list of such pairs, each with a count, by rules that are equalities
//     (event.go): what is composed in another order or another nesting gives the same list, hence the same digits.
//  4. At q = 1 any list of Gaussians is one Gaussian mechanism with μ² = Σ 1/σᵢ² (Dong, Roth, Su 2022, arXiv:1905.02383,
//     Corollary 3.3), whose H is a closed form (Balle, Wang 2018, arXiv:1805.06530, Theorem 8). gaussian.go evaluates
//     it in logarithms, with a stated error on the logarithm that is charged to both ends: it never under-reports, and
//     it is tight to a relative 1e-9.
//  5. Else the moments K(λ) = log E_Q[(P/Q)^(λ+1)] add up over the list, at every real order α = λ+1 > 1. Each is one
//     integral, by the trapezoidal rule with a proven error (moments.go). By Proposition 12 of Canonne, Kamath, Steinke
//     2020, arXiv:2004.00010, every order gives a valid ε; the smallest is found by a search on a function that has one
//     minimum (rdp.go). It is an upper bound on the truth, typically 5 to 10 % above it at ε ≥ 1.
//  6. The loss log dP/dQ itself is put on lattices of one step d (lattice.go), from the masses of cells (pair.go): from above by
//     connecting the dots, in both directions; from below by merging cells so that every atom's likelihood ratio is exact. Each
//     moves every H one way, and composition keeps that (Zhu, Dong, Wang 2022, Theorem 10, and data processing). Both are of
//     second order: together T runs widen ε by about T·(λ+1)·d²/8, λ being the tilt of the next step.
//  7. The lattices are composed (compose.go) by a Fourier transform on a window, after weighting the losses by e^(λ·loss): so the part of
//     the distribution that decides is its bulk, and errors are relative to δ whether it is 1e-5 or 1e-30. λ is where the moment
//     bound is least; any other is as valid.
//  8. The search (search.go) refines d until the interval is as narrow as was asked for, or a fixed amount of work is done; what it
//     returns is valid either way. Where few runs decide, whose losses are far above the others', it splits runs at a loss and composes
//     either part by itself (split.go). Of the upper ends of steps 5 and 8 the smaller is the claim.
//  9. Every answer is an [Interval] that contains the truth. [FormatUp] rounds the upper end up.
//
// What an accountant cannot bound it refuses by an [UnsupportedError] that names the event.
//
// # Errors
//
// What steps 6 to 8 leave out or get wrong, which way, and what it costs:
//
//	mass of far tails        upper: to +∞, counted in δ; lower: as one outcome     1e-4·δ in all, for an interval of width 1e-3
//	losses above a top       upper: split, top and +∞; lower: one outcome          what a run has above 2ε and the others take below ε
//	losses beyond ±690       the same, and cells with masses below 1e-290 whole    width, where one run decides at ε of hundreds
//	discretisation           one-sided by construction                             the interval's width, nearly all of it
//	mass above the window    upper: added at the window's end                      below 1e-6 of tilted mass, less in each refinement
//	mass wrapped into it     upper: counted where it fell; lower: subtracted       as above; from below, e^(−λ·length) in δ at most
//	rounding in transforms   charged to both ends in norm (Cauchy, Schwarz)        4e-16·(log₂N + 5)·(T + 4)·‖v‖
//	rounding elsewhere       charged to both ends, relative to δ                   1e-10 + 4e-15·T, and more where exponents are large
//	more jumps than counted  upper: to +∞; lower: subtracted                       1e-7·δ
//	rounding of cell masses  moves mass to a neighbouring cell: both kept          not charged; about 1e-16·z² of it, z deviations out
//
// # Accountants
//
// "rdp" is step 5 for every event that has moments; "pld" is the rest too. [New] builds both, [NewPLD] one of another width, [ForGroups] one for
// persons of several records; the [Accountant] they share is where another one slots in. All of them price events whose parameters were
// fixed in advance; a [Filter] bounds those that were chosen on the way.
//
// # Limits
//
// The work bounds how narrow intervals get. Those of a relative width of 1e-3 are had for q down to 1e-7, ten million runs and δ down to 1e-30,
// in seconds at worst, but for a few settings of millions of runs that are near neither a Gaussian nor a few jumps: there they can be some
// per cent wide. Laplace noise and randomised responses in their thousands, whose atoms are on no lattice, have a loose lower end. Sampling
// without replacement and shuffling have no event, and a list that names one is refused: nothing accounts for them as if they were
// Poisson.
//
// # Assumptions
//
// The noise is exactly Gaussian or Laplace, the coins of Poisson sampling are exact and independent of the noise, the divisor that
// turns a sum into a mean is public, and each event of a composition may depend on the outputs of those before it but its
// parameters (q, σ, how many) may not.
package accounting

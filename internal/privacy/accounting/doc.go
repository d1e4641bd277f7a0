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
//     one-dimensional: N(1, σ²) against N(0, σ²); under Poisson sampling with probability q, (1−q)·N(0, σ²) + q·N(1, σ²)
//     against N(0, σ²) (Mironov, Talwar, Zhang 2019, arXiv:1908.10530, Theorem 4; as dominating pairs Zhu, Dong,
//     Wang 2022, arXiv:2106.08567). Replacing one record doubles the distance at q = 1.
//  3. Nested events are flattened to a list of such pairs, each with a count, by rules that are equalities
//     (event.go): what is composed in another order or another nesting gives the same list, hence the same digits.
//  4. At q = 1 any list is one Gaussian mechanism with μ² = Σ 1/σᵢ² (Dong, Roth, Su 2022, arXiv:1905.02383,
//     Corollary 3.3), whose H is a closed form (Balle, Wang 2018, arXiv:1805.06530, Theorem 8). gaussian.go evaluates
//     it in logarithms, with a stated error on the logarithm that is charged to both ends: it never under-reports, and
//     it is tight to a relative 1e-9.
//  5. At q < 1 the moments K(λ) = log E_Q[(P/Q)^(λ+1)] add up over the list, at every real order α = λ+1 > 1. Each is one
//     integral, by the trapezoidal rule with a proven error (moments.go). By Proposition 12 of Canonne, Kamath, Steinke
//     2020, arXiv:2004.00010, every order gives a valid ε; the smallest is found by a search on a function that has one
//     minimum (rdp.go). It is an upper bound on the truth, typically 5 to 10 % above it at ε ≥ 1.
//  6. Every answer is an [Interval] that contains the truth. The upper end is the claim; [FormatUp] rounds it up.
//
// What an accountant cannot bound it refuses by an [UnsupportedError] that names the event.
//
// # Accountants
//
// "rdp" is step 5 for every event. "pld" is step 4 where the event is exactly Gaussian, and step 5 elsewhere. [New]
// builds both; the [Accountant] they share is where another one slots in.
//
// # Assumptions
//
// The noise is exactly Gaussian, the coins of Poisson sampling are exact and independent of the noise, the divisor that
// turns a sum into a mean is public, and each event of a composition may depend on the outputs of those before it but its
// parameters (q, σ, how many) may not.
package accounting

// Package audit says what an attacker's success tells about ε: lower bounds from guesses who was in the table. It is
// pure arithmetic and knows nothing of how a run was attacked.
//
// # The experiment
//
// m canaries are each put into the table, or left out, by a fair coin of its own. An attacker who sees all that the run
// gives out guesses the coins, r of them, and is right v times. If the run promises much, v is close to r/2; so a large v
// refutes the promise, with a probability of at most α that a kept one is refuted. The lower bound at confidence 1−α is
// the largest ε that is refuted.
//
// # Three bounds
//
// [OneRun] (Steinke, Nasr and Jagielski 2023, arXiv:2305.08846, Theorem 5.2) holds for every (ε, δ)-private run, whatever
// the canaries do to each other, and however the attacker chooses which coins to guess. It looks at ε and δ alone, and
// is therefore weak: 1,000 perfect guesses give no more than 4.27 at α = 10⁻⁶.
//
// [Family.FDP] (Mahloujifar, Melis and Chaudhuri 2025, arXiv:2410.22235, Algorithm 3) asks for as little, but uses the whole
// curve of attacks that a run of the claimed kind permits, not one point of it. Both bounds allow for runs that keep their
// promise and, with a small probability, reveal nearly everybody at once; so neither comes near the truth.
//
// [Family.Independent] asks for more. If each canary has coordinates of the noise to itself, in which nothing else depends
// on the table, and slot, coins and noise of its own, then the guesses are independent given the coins. A guess at a fair coin is
// right with probability at most (1 + δ(0))/2, δ(0) being the total variation distance of what neighbours give out; so v is
// stochastically at most Binomial(m, (1 + δ(0))/2), whether or not the canaries have the same chances. That is the
// strongest of the three. Its premise is a matter of construction, not of trust in the noise: if a faulty program
// should draw one canary's noise for another, the bound may be off, but then the program is faulty, which is what the audit asks.
//
// # What the bounds on a family mean
//
// The last two hold a run against the runs of its own kind with other noise: same sampling, same number of steps, noise
// multiplier σ′. Refuted is the statement "whatever an attacker achieves, a run with σ′ permits it", and the bound is the
// ε, at the claim's δ, of the smallest σ′ that is refuted. It is a lower bound on the run's own ε if the run is of its
// kind at all; that the claim itself is refuted needs no such premise.
package audit

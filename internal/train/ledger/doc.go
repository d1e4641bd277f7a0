// Package ledger keeps the budget of a data set: what all runs on it may spend together, and what each has.
//
// A ledger is a journal (package disk). Its first line fixes the terms: data set, unit, adjacency, δ, the ε that all runs
// together may cost, and the privacy filter (package accounting) that counts them. Every other line is what one run spends,
// with the totals up to there. It is written before the run draws any noise, charged whole, and never taken back.
//
// # What holds
//
// Whoever chooses the runs, after seeing whatever came of those before, the outputs of all together are (ε, δ)-private with the ε
// and δ of the terms. For the filter that is the argument of [accounting.Filter], at (1−10⁻⁵)·δ and (1−5·10⁻¹⁰)·ε. The
// rest pays for what runs do beyond the accountant's mechanisms (package privacy): the factors by which their noise
// differs from the Gaussian multiply, so their extra ε adds up, at most 5·10⁻¹⁰ of ε, a fixed bound; and the chances that a
// range holds too many drawn rows add up, at most 10⁻⁵ of δ, given whatever came before. Under add/remove adjacency each run
// draws its own secret map from rows to slots. Give the map to the attacker as a further output: it is the same for both
// neighbours, coupled on the rows they share, so it only helps the attacker, and given it each step nulls one slot.
//
// # What does not
//
// A ledger counts what is entered. A run without it, on the same records, is not in the sum. Two data sets that share records
// are one data set. Whoever can write the file can write another: the chain shows a change, but a new chain is as good, and so
// is one with its last lines gone, unless a report names one of them. A lock (flock) lets one process at a time add a line; on
// a network file system it is as good as that system's locks.
package ledger

// Package train is learning: it plans a job, runs the loop, evaluates models, and writes model and report. It sees
// gradients of records only after package privacy has clipped, summed and noised them; all it does with those is
// post-processing, and all it decides before is a function of public numbers.
//
//	Options ─► NewPlan ─► Plan            σ calibrated, every choice made; no record read
//	Plan, Dataset, key ─► Fit ─► Fitted   T noisy means, one optimizer
//	                                      reserved and kept in an Attempt, so that another can go on
//	Plan, Fitted ─► NewReport, Model ─► Write
//	model and report files ─► Verify       planned, priced and derived again
//
// # How a step is laid out in memory
//
// A step reads rows in the order of their slots, range by range (package privacy); the order of every float32 sum is fixed by that,
// so what follows changes where data are and never a bit of the result. Layouts follow from the config and the number of
// workers alone ([newLayout]).
//
// Few parameters beside those of sparse inputs, at most 16,384: each worker takes ranges of its own. A range passes in groups of rows
// whose inputs, activations and deltas take half a megabyte, half of a small second-level cache: the rows are gathered, with
// the next ones on their way from memory, run forward and backward, clipped and added up while they are there. So a row
// crosses the memory bus once a step, which is all that logistic regression costs. The float32 sum and the worker's integer
// sum stay in the cache beside them.
//
// Weights of sparse inputs have no ranges. As soon as a row is clipped, the products of its inputs and deltas are rounded to the
// lattice, one by one, and added to the worker's int32 sum (lattice.Products), which costs what adding them to a float32 sum would: a
// row has few columns, but a range's rows have half of them, and rounding those took longer than all sums. What the rows have in the
// table is asked for by the group, so that waits for memory overlap: that is a third of the time of a step on a table that no
// cache holds.
//
// Many parameters: a sum for each worker would go through the third-level cache for every range. The workers take a wave
// of up to 2048 rows, several ranges, together. First they share its groups: forward, backward, norms, clipping; what the
// wave holds takes at most 24 MiB. Then they share the sum, in blocks of whole outputs, about 24,576 parameters: 96 KiB of
// float32 and twice that of integers, which stay in the second-level cache while all rows of the wave pass by. Each block
// goes to the lattice after each range from there. Ranges are as long as the error bound allows, since that is what going
// to the lattice costs: one pass over the sums for each 224 rows.
//
// Last, block by block again: noise, the noisy mean, the optimizer, the average, and the packing of the weights for the next
// step, all while the block is in the cache, by all workers. They meet twice a step, or three times a wave, and wait awake.
//
// What is kept for each parameter: the parameter, the average and the optimizer's one or two numbers, 12 or 16 bytes; the integer
// sum, 8, of each worker with 4 of float32 or, in waves, of all; for weights of sparse inputs, two sums of 4 of each worker; and, where
// there is room, the other weights packed for the forward pass, 4 (the backward pass reads the parameters themselves: as fast). There is
// no gradient: a block's noisy mean goes to the optimizer from the cache. A checkpoint, and the model in the end, go to the file from
// where they are. So beside the table a fit takes at most 24 bytes for each parameter and worker, and 64 MiB: TestFitKeepsToItsMemory.
// Two kinds of fit take more. Adam on one core takes 28 where rows are so long, more than 14,000 numbers, inputs and twice the units of
// all layers, that a wave of them does not fit, which is more than that above 16 million parameters. Where rows stand in other slots than
// those of their numbers, under add_or_remove_one, a row takes 4 bytes and a slot a fifth of one: more than that above some 10 million
// rows. Norms of rows are computed when they are read. (Kept, they were a wait for memory: 100-2 at a batch of 32768 takes five sixths of
// the time without.)
//
// Gathered rows are not laid a multiple of a kilobyte apart, where the columns that products walk down would fall on few
// lines of a cache (package nn). Nothing is allocated from one step to the next.
//
// # Ceilings
//
// Measured on two cores of an AMD EPYC of the fourth Zen generation (1 MiB of second-level cache each, 32 MiB of third):
// 117 GFLOP/s a core of fused multiply-adds, AVX2 and AVX-512 alike; reads of 115 GB/s from the second-level cache, 98
// (two cores: 178) from the third, 24 (33) from memory. make bench prints each net's share of the first; at an expected
// batch of 4096:
//
//	100-2               4 %   8 GB/s of rows at random from a table that the third-level cache just does not hold
//	1024-10            40 %   9 GB/s of rows: neither ceiling; gathering, computing and the norms of rows take turns
//	100-128-64-2       77 %
//	60-1000-10         67 %   60 inputs and 10 outputs leave the middle layer's activations to pass often
//	784-1000-10        90 %
//	1024-512-512-100   91 %
//	4096-77, sparse     5 %   of 12 nonzeros: each row waits for 12 rows of weights in the third-level cache twice
//
// DP costs a dense net at most a quarter of a step, mostly less than a tenth, at batches of 1024 and more; the sparse one a tenth to a fifth,
// which is the noise at small batches and norms at large ones.
package train

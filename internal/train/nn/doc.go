// Package nn is dense feed-forward classifiers with exact per-example gradient norms; a net without hidden layers is
// logistic regression. It knows parameters and rows, and neither privacy nor files.
//
// # Parameters
//
// All parameters live in one flat float32 vector of length [Net.Params], layer after layer:
//
//	first layer   sparse weights [sparse×out], dense weights [out×dense], bias [out]
//	other layers  weights [out×in], bias [out]
//
// A row of the dense weights belongs to one output, a row of the sparse weights to one input column, so that a sparse
// input touches contiguous memory.
//
// # Per-example gradients without storing them
//
// For a dense layer z = W·a + b the gradient of one row's loss is δ⊗a for W and δ for b, so its squared norm is
// ‖δ‖²·(‖a‖² + 1) (Goodfellow 2015, arXiv:1510.01799, section 4), and the sum of gradients scaled row by row by s is
// the matrix product of the rows s·δ with the rows a. One forward and one backward pass therefore give exact norms
// and the clipped sum, with three matrix products as in plain gradient descent.
//
// # Row purity
//
// A row's activations and deltas are a function of (parameters, row) alone, bit for bit: they do not depend on the
// rows that share its group, on their number or on its place among them. Sums over rows are one chain of float32
// additions a coordinate, in the order of the rows, continuing the value found in memory. The sensitivity bound of
// package privacy rests on both; weights of sparse inputs it sums by itself ([Batch.AddProducts]).
package nn

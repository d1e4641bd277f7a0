// Package data turns a table in a file into numbers under a declared schema.
//
// It learns nothing from records. Everything that shapes the encoding, such as bounds, bin edges, categories, classes,
// bucket counts and what replaces a missing cell, is part of the [Spec], which is public. The encoding of a row is a
// pure function of (schema, row): it does not depend on other rows, on their number or on their order. The package
// never puts the text of a cell, nor a header or key found in a file, into an error: errors say file, line and column,
// and quote declared names only.
//
// # What a row becomes
//
// A row has a dense part of [Schema.DenseWidth] float32 columns and a sparse part of [Schema.SparseWidth] columns.
// Features follow each other in declared order in both. With n the declared number of edges, values, buckets or elements:
//
//	kind                 dense columns            sparse columns, each 0 or 1 before row_norm
//	numeric              1, in [-1, 1]            1: missing (none with impute)
//	numeric with edges   0                        n+1 bins, then 1: missing (none with impute)
//	categorical          0                        n values, then 1: any other, then 1: missing
//	hashed               0                        n buckets, then 1: missing
//	text                 0                        n buckets
//	vector               n                        0
//
// A sparse row has strictly ascending, distinct columns: words that share a bucket count once. What the norm of a row is
// computed from is therefore exactly what is stored.
//
// # Rows that are not as declared
//
// A row with the wrong number of fields, a cell that is not a number, a value of Parquet that its type does not have, a label
// that is no class: one such row ends the run, because leaving it out would make the table another. Under on_bad_row: null it
// counts as a null row instead. It keeps its place among the rows and contributes nothing to any sum, as if it had been nulled
// by hand; privacy is that of the table with the row nulled, because
//   - whether a row is null, like what it is encoded to, is a function of (schema, row) alone. Two tables that differ in one
//     row are therefore encoded to tables that differ in one slot: from a row to null, from null to a row, or from one row to
//     another by way of null. Each of these is a step that the accounting covers already;
//   - under add_or_remove_one an empty slot is what most slots are, and a null row is an empty slot;
//   - the number of null rows is computed from records, and neighbours differ in it. It is never printed nor written.
//
// What cannot be told to be one row's fault stays an error: an unclosed quote, which takes in the rows after it, a row that
// is too long, a header, a page or a compressed stream that is broken, and another number of rows than declared.
//
// # Values of Parquet
//
// A value of a Parquet file counts as the text that CSV would hold, so that a row is encoded to the same from both:
//
//	integers, float, double  the shortest decimal that is no other number of the type: 5 for 5.0, 0.1 for the float nearest to it
//	half                     the float of its value: 0.099975586 for the half nearest to 0.1
//	decimal                  all the places of its scale: 12.30
//	boolean                  true, false
//	text, enum, JSON         as it is
//	UUID                     hexadecimal in five groups
//	date, timestamp, time    ISO 8601, the fraction as short as it goes; timestamps in UTC end in Z
//	null                     an empty cell; so is each of a column of the null type
//
// In numeric and vector features dates and timestamps are days since 1970-01-01, and times the part of a day that has passed:
// one scale, so that a date column that became one of timestamps means the same. From CSV such features take numbers alone.
//
// # What never changes
//
// A model is bound to its encoding, so these are fixed for all time: the order of columns above, the hash (see
// bucketSeed) and what a word is (see splitWords). Tests hold them by golden values.
package data

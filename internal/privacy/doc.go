// Package privacy is the mechanism: sample, clip, sum, noise, count. An auditor reads it first. It sees gradients and
// gives out noisy means; it knows nothing of tables, nets or files.
//
// # What is promised
//
// A table's rows stand in numbered slots, and neighbouring tables differ in what stands in one of them ([Slots]). A
// [Plan] is a function of public numbers alone. For every pair of neighbours, the noisy means that T calls of
// [Mechanism.Step] and the plan's queries ([NewQuery]) give out, taken together, are (ε, δ)-indistinguishable with the ε of
// [Plan.Epsilon], even where the gradients of each step depend on all that was given out before: what function of a row
// a step sums may, too, as where a step asks again for what a query gave and a crash lost.
//
// # Why
//
// Let v be a row's scaled gradient in exact arithmetic and C the clipping norm.
//
//	claim 1   ‖v‖ ≤ C. Norms are upper bounds in float64, and the factor is rounded down ([Flat.Scale]).
//	claim 2   Nulling one drawn slot moves the integer sum, times the lattice step g, by at most C(1+η) in L2 norm, and
//	          a slot drawn but null gives the same bits as a slot not drawn. A row's gradient is a function of the
//	          parameters and the row alone ([Gradients]); each coordinate's float32 sum over a range of slots is one
//	          chain in slot order, rounded to the lattice where the range ends ([Ranges]), or, where gradients are
//	          [Sparse], each product of each row is rounded to it; integers add exactly in any order, in either way that
//	          [Mechanism] goes about it. η is at most u·R²(1+R·u) + √P·g/C + √S·h/2C, u = 2⁻²⁴, R the drawn slots in a
//	          range, S the sparse coordinates, h what their products are rounded to (package lattice).
//	claim 3   The noise is a discrete Gaussian of σ·C·(1+η) on the lattice. It differs from a continuous Gaussian
//	          rounded to the lattice by a factor e^κ at most, κ the extra ε of package lattice.
//	claim 4   Rounding a continuous Gaussian added to a lattice point is post-processing. A step is therefore the
//	          Gaussian mechanism of noise multiplier σ on the drawn slots, and T steps are its adaptive composition.
//	claim 5   Each slot joins each step by a coin that is exactly Bernoulli(q′), and q′ is accounted ([Sampler]).
//
// Accounting is done at δ(1−10⁻⁵). What is left pays for the chance that some range holds more than R drawn slots
// ([Ranges.Tail], a two-thousandth of it), for the factor e^κ on δ, and for the noise being cut at 64 standard deviations.
//
// The tail is paid once, not e^ε times. Whether a range holds too many is a function of the coins alone, which are the
// same for both neighbours. Let a run that draws too many give out a symbol ⊥ instead: on those coins both tables give ⊥, on
// the others claim 2 holds with R, so this run is (ε, δ(1−10⁻⁵))-private. For a set S of outcomes of the real run, P(S) is at most
// the other run's P⊥(S) plus the tail, and P⊥′(S) is at most P′(S). (The real run leaves out the slots beyond R then, which
// bounds its memory. Whatever it did would do.)
//
// The divisor is public: the expected number of drawn slots, never the number drawn. An empty draw is a step like any
// other: it draws noise and is charged.
//
// # Threat model
//
// The attacker knows the config, the source, and every row but one, chooses that row and the declared domain, and sees
// all that a fit gives out: model, report, log, checkpoint, ledger, what is printed; but not the machine at work.
// Critical is what reveals rows outright if it goes wrong, Theoretical what has been shown to weaken a guarantee where
// an attacker takes pains, Negligible what has not. Behind each line stand the tests that fail without its defence; testdata/mutants
// breaks the defences one at a time and requires that they do.
//
//	Critical     What the mechanism gives out. Sample, clip, sum, noise and count are one call.
//	             TestSelftestFindsNothing, TestAuditComesNearTheClaim, TestNullingARowMovesTheSumByTheClippingNormAtMost,
//	             TestNormsMatchGradients, TestNullingARowMovesAQueryByItsBoundAtMost
//	Critical     Hostile rows: overflow, NaN, doubles, undeclared values. They are clipped, or null and change no bit.
//	             TestNullRowsChangeNoBit, TestDrawnNullEqualsNotDrawn, TestScaleKeepsRowsWithinTheClippingNorm, TestNullRowsLeaveTheirSlotsEmpty
//	Critical     Noise of the wrong size, shape, or drawn twice.
//	             TestStepDrawsTheNoiseItClaims, TestStepDrawsNormalNoise, TestNoiseIsIndependent, TestDrawsFollowRho,
//	             TestDrawsMatchCanonne, TestQueriesShareNoNoise, TestNoiseOfCountsIsDiscreteLaplace
//	Critical     Sampling other than accounted: shuffling, fixed batches, coins that repeat, a divisor that was drawn.
//	             TestPoissonSampling, TestCoinsAreIndependent, TestFullBatchDrawsEverySlotOnce, TestScatterIsUniform, TestScatterKeepsTheRowsBefore,
//	             TestPlanAccountsForWhatItRuns
//	Critical     Weak randomness: a predictable generator, a failing source, streams that overlap, a key used again.
//	             TestStreamsMatchOpenSSL, TestStreamsShareNoBlock, TestNewKeyRefusesAFailingSource, TestRunsDifferUnlessSeeded,
//	             TestResumedRunsDrawFreshRandomness
//	Critical     An ε that is too small, or is said of a run that has none.
//	             TestEpsilonOfReferenceTable, TestEpsilonWhereOthersFail, TestConformance, TestCalibrationIsTight, TestNoiselessRunClaimsNothing,
//	             TestMaxEpsilonIsHeldAgainstTheClaim, TestQueriesAreCharged
//	Critical     Steps that drew noise and are not charged: crashes, kills, full disks, stops that depend on what was seen.
//	             TestEveryStepIsCharged, TestFitDrawsWhatItsPlanCharges, TestCrashNeverUndercharges, TestStoppedRunsAreChargedWhatTheyDrew,
//	             TestKilledAtEveryStep, TestRandomKills
//	Critical     Many fits on one table. Those that name a ledger share its budget.
//	             TestParallelRunsNeverOverspend, TestParallelFitsShareABudget, TestLedgerSurvivesEveryFault
//	Critical     Records in what is printed or written beside the model.
//	             TestNoFieldIsOfARecord, TestConfigFieldsDoNotDependOnRecords, TestNoCellIsPrinted, TestMalformedTables, FuzzCSV, FuzzJSONL,
//	             TestPrivateRowCountIsNotTold, TestProgressHidesTheRate
//	Critical     The operator's mistakes: a misspelt key, a stray variable, a seed, an output overwritten, the wrong table.
//	             TestMalformedConfigs, FuzzConfig, TestPrecedence, TestFitRefusesBadInput, TestResumeRefuses, TestSecondFitIsKeptOut
//	Theoretical  Floating point: low bits of the noise, sums that move by more than C, norms that are too small, bits that depend on
//	             workers or on other rows.
//	             TestTableGivesTheDistribution, TestUnderDecidesLikeExactArithmetic, TestRoundAddMatchesExactRounding,
//	             TestProductsRoundToNearestEven, TestChooseKeepsItsPromises, TestWorkersAndGroupsDoNotChangeTheSum, TestRowsArePure,
//	             TestAssemblyLevelsAgree, TestNoiseIsAsCloseToContinuousAsClaimed
//	Theoretical  Tampering with files: a changed byte of log or ledger, forged totals, a model that is no model.
//	             TestJournalShowsEveryChange, TestForgedTotalsAreFound, FuzzDecodeModel, TestReadSafetensorsRefuses
//	Negligible   The chance that a range holds more drawn slots than η allows for, noise cut at 64 standard deviations, coins rounded up by
//	             2⁻⁶⁴. All are in δ or ε.
//	             TestRangesKeepTheirTail, TestLogBinomialTailIsABound, TestCoinsAreRoundedUp
//
// # What is not promised
//
//   - Whoever sees the process at work sees more than the model: running time, memory and the order in which it is touched depend on
//     the rows and on the noise. What fit prints of times is left out where the number of rows is private, and that is all.
//   - Whoever holds the table, the machine or its operating system is trusted: keys and rows are in memory, and in whatever
//     memory is swapped or dumped to.
//   - A log or a ledger that is restored from a copy does not know of the noise drawn since; a chain of hashes that is written anew
//     is a chain. Neither is signed.
//   - Several rows of one person; what the config declares; exact metrics of eval and predictions for private rows.
package privacy

// Package train is learning: it plans a job, runs the loop, evaluates models, and writes model and report. It sees
// gradients of records only after package privacy has clipped, summed and noised them; all it does with those is
// post-processing, and all it decides before is a function of public numbers.
//
//	Options ─► NewPlan ─► Plan            σ calibrated, every choice made; no record read
//	Plan, Dataset, key ─► Fit ─► Fitted   T noisy means, one optimizer
//	Plan, Fitted ─► NewReport, Model ─► Write
package train

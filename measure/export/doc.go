// Package export writes results as files for other programs: CSV, XLSX and Parquet. All three hold the
// same table, a row a group or stratum, and every row says where it comes from: measure and version,
// snapshot and data-as-of, period, policy, filter, audience, reference and software, so that a row that
// was copied elsewhere can still be traced.
//
// A number that is not there is an empty cell, never 0: a score whose denominator is 0, or a figure that
// is hidden for small numbers, of which the column suppressed tells.
package export

// Package facts is the home of what can be rebuilt from the EHR: mapped records in immutable
// snapshots, one DuckDB file each.
//
//	DIR/CURRENT                      the id of the live snapshot; replaced by atomic rename, last of all
//	DIR/FENCE                        the number of the newest run; a run that is not the newest cannot publish
//	DIR/snapshots/<id>/facts.duckdb  read-only once it is there
//	DIR/runs/<id>/                   a sync in flight; kept until it is published
//	DIR/history/<id>.json            what is remembered of a run, whatever became of it; the newest 200
//
// A snapshot has three schemas. base holds one row a resource, as mapped, by which increments are
// merged. unit holds what measures count, one table a unit, derived from base when the snapshot is
// published: merged patients resolved, events linked, stays followed up. meta holds where all of it
// came from, and how good it is: issues are kept with their resources, by number, and counted with
// everything else when a snapshot is made, so that they speak of all that it holds after any number of
// increments. The columns that a measure may name are those of the views patient, encounter, stay and
// event in the main schema; docs/measures.md lists them.
//
// Every unit carries stratum, the number of its combination of the nine dimensions in unit.stratum.
// A measure is counted once by that number and rolled up to any dimension or cross afterwards, so
// one scan of the units serves all nine.
package facts

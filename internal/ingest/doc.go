// Package ingest is the nightly run: fetch, decode, map, stage, merge, verify, publish.
//
//	Source.Fetch     files in the run folder: from a server, or a folder that a hospital was handed
//	fhir.Blocks      whole lines, with their numbers and offsets
//	fhir.Decoder     the elements we use; what is refused goes to the quarantine
//	mapping.Mapper   a record and its issues
//	facts.Writer     staged
//	facts.Run        merged, derived
//	Results          every measure by every dimension, counted once and stored
//	facts.Run        published; CURRENT moves last
//
// A run that fails or is killed leaves what is being served untouched, and what it downloaded where
// the next run finds it. The staging is always repeated from the files, so an interrupted run and an
// uninterrupted one end in the same snapshot.
package ingest

// Package bulk is a client of FHIR Bulk Data export (http://hl7.org/fhir/uv/bulkdata), versions 1.0
// to 3.0 and the 4.0 ballot as far as they differ on the wire.
//
// One Exporter makes one export into one folder, the run folder:
//
//	kick-off -> 202, status URL          export.json   which request, which job
//	poll     -> 200, manifest            export.json   which files
//	download -> every file, verified     files.ndjson  one line a finished file
//	            Patient-00001.ndjson     as received, gzip or not; never under this name unless whole
//	DELETE   -> the server may forget    export.json   closed
//
// Each step is on disk before the next begins, so that Run on the same folder goes on where a
// killed process stopped: it polls the same job, or fetches only what is missing. A file is written
// as .part, synced and renamed, and its size and SHA-256 are checked again before it is believed.
//
// The bytes are read under guard: OpenNDJSON tells gzip by its first bytes and stops a bomb.
//
// A file's rows are not read here beyond counting lines. Error files are, since they decide whether
// the export is whole; deleted files can be, with ReadDeleted.
package bulk

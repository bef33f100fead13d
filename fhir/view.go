package fhir

import "unsafe"

// view returns b as a string without copying it. The parser owns the bytes and overwrites them at
// its next call, which is why a Resource is valid until then and no longer.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b)) // #nosec G103 -- the lifetime is Decode's contract
}

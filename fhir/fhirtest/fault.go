package fhirtest

import (
	"fmt"
	"slices"
	"strings"
)

// Fault names one way in which a real server was seen to misbehave. Each switches on one behaviour;
// any number may be on together.
type Fault string

// The faults of the conversation: tokens, kick-off, polling, manifest, redirects.
const (
	// RetryAfterDate gives Retry-After as an HTTP date.
	RetryAfterDate Fault = "retry-after-date"
	// RetryAfterEpoch gives Retry-After as seconds since 1970.
	RetryAfterEpoch Fault = "retry-after-epoch"
	// RetryAfterHours asks for five hours of patience while the job is done after the usual polls.
	RetryAfterHours Fault = "retry-after-hours"
	// RateLimit answers the first request of every URL below the base with 429 and Retry-After.
	RateLimit Fault = "rate-limit"
	// OneJob refuses a kick-off with 429 while the client has a job that it did not DELETE.
	OneJob Fault = "one-job"
	// Transient500 answers the first poll of a job, and the first request of each file, with 500 and
	// an OperationOutcome of code transient.
	Transient500 Fault = "transient-500"
	// Job404 forgets the first job after its first poll.
	Job404 Fault = "job-404"
	// Delete405 answers DELETE of a job with 405.
	Delete405 Fault = "delete-405"
	// ShortToken gives tokens that live two seconds.
	ShortToken Fault = "short-token"
	// NoTokenType leaves token_type out of the token response.
	NoTokenType Fault = "no-token-type"
	// TokenNeededAnyway says requiresAccessToken false of files that need the token.
	TokenNeededAnyway Fault = "token-needed-anyway"
	// NoErrorKey leaves error out of the manifest.
	NoErrorKey Fault = "no-error-key"
	// RelativeURLs gives Content-Location, request and the file URLs without scheme and host.
	RelativeURLs Fault = "relative-urls"
	// RedirectFiles redirects every file to another origin, which refuses a token.
	RedirectFiles Fault = "redirect-files"
	// RedirectHTTP redirects every file to another origin over plain HTTP.
	RedirectHTTP Fault = "redirect-http"
	// ClockSkew runs the Date header and transactionTime ten minutes fast.
	ClockSkew Fault = "clock-skew"
	// PartialExport loses the last Encounter file and says so in an error file.
	PartialExport Fault = "partial-export"
	// IgnoresType exports every type it has whatever _type asks for.
	IgnoresType Fault = "ignores-type"
	// NoAdverseEvent offers AdverseEvent neither in bulk nor by search.
	NoAdverseEvent Fault = "no-adverse-event"
	// CountMismatch gives counts of Encounter files that are seven too high.
	CountMismatch Fault = "count-mismatch"
	// ManyTinyFiles gives one file a person for Patient and Encounter, up to Config.TinyFiles each.
	ManyTinyFiles Fault = "many-tiny-files"
)

// The faults of the files.
const (
	// ExpiredFile answers 410 for every file of the first job.
	ExpiredFile Fault = "expired-file"
	// ResetMidFile cuts the connection in the middle of the first answer for each file.
	ResetMidFile Fault = "reset-mid-file"
	// TruncatedLastLine ends each file in the middle of its last line.
	TruncatedLastLine Fault = "truncated-last-line"
	// BOMCRLFBlankLines starts each file with a byte order mark, ends lines in CRLF, and puts blank
	// lines between them.
	BOMCRLFBlankLines Fault = "bom-crlf-blank-lines"
	// TwoObjectsPerLine puts every tenth resource on the line of the one before.
	TwoObjectsPerLine Fault = "two-objects-per-line"
	// Duplicates repeats every fifth line.
	Duplicates Fault = "duplicates"
	// OutOfOrder goes backwards through the people, newer versions before older.
	OutOfOrder Fault = "out-of-order"
	// WrongContentEncoding labels plain files as gzip.
	WrongContentEncoding Fault = "wrong-content-encoding"
	// NestedGzip compresses the files twice.
	NestedGzip Fault = "nested-gzip"
	// GzipBomb makes the first Encounter file a small gzip of Config.Bomb bytes.
	GzipBomb Fault = "gzip-bomb"

	// The rest put one bad line into the first Encounter file.

	// BadLine is not JSON.
	BadLine Fault = "bad-line"
	// HugeLine is a resource of Config.HugeLine bytes.
	HugeLine Fault = "huge-line"
	// DeepJSON nests 100,000 arrays.
	DeepJSON Fault = "deep-json"
	// DuplicateKeys has the key status twice.
	DuplicateKeys Fault = "duplicate-keys"
	// OddText holds a lone surrogate, an escaped NUL, a byte that is not UTF-8 and a huge number.
	OddText Fault = "odd-text"
	// WrongVersion holds an Encounter in the shape of R5 and one in that of R3.
	WrongVersion Fault = "wrong-version"
)

// The faults of the app launch: discovery, keys, tokens of users, and what they read. ShortToken,
// NoTokenType and NoAdverseEvent strike there, too.
const (
	// RedirectingDiscovery sends whoever asks for smart-configuration to another origin.
	RedirectingDiscovery Fault = "redirecting-discovery"
	// DiscoveryWithoutS256 says that only the code challenge method plain is supported.
	DiscoveryWithoutS256 Fault = "discovery-without-s256"
	// KeysDown answers 503 where the key of id_tokens should be.
	KeysDown Fault = "keys-down"
	// HugeKeys publishes a key set of more than 1 MiB.
	HugeKeys Fault = "huge-keys"
	// CodeTwice lets an authorization code be used again and again.
	CodeTwice Fault = "code-twice"
	// RefusesRefresh refuses every refresh token that it gave.
	RefusesRefresh Fault = "refuses-refresh"
	// IDTokenWithoutKeyID leaves kid out of the id_token's header, as the SMART launcher does.
	IDTokenWithoutKeyID Fault = "id-token-without-kid"
	// RelativeFHIRUser gives fhirUser relative to the FHIR base.
	RelativeFHIRUser Fault = "relative-fhir-user"
	// WrongNonce puts the nonce of another request into the id_token.
	WrongNonce Fault = "wrong-nonce"
	// WrongIDTokenAudience makes out the id_token to another app.
	WrongIDTokenAudience Fault = "wrong-id-token-audience"
	// WrongIDTokenIssuer says that another server issued the id_token.
	WrongIDTokenIssuer Fault = "wrong-id-token-issuer"
	// ExpiredIDToken gives id_tokens that expired an hour ago.
	ExpiredIDToken Fault = "expired-id-token"
	// SlowAnswers waits for Config.Latency before every search and read.
	SlowAnswers Fault = "slow-answers"
	// ForbidsAdverseEvent answers 403 for AdverseEvent whatever the token says.
	ForbidsAdverseEvent Fault = "forbids-adverse-event"
	// EventsByPatient searches AdverseEvent by patient, as for FHIR R5, instead of subject.
	EventsByPatient Fault = "events-by-patient"
	// StrangersResource slips a resource of another patient into every search in a chart.
	StrangersResource Fault = "strangers-resource"
	// InvalidResource slips a resource that is no valid FHIR into every search in a chart.
	InvalidResource Fault = "invalid-resource"
	// Unsorted ignores _sort.
	Unsorted Fault = "unsorted"
)

// Faults lists every fault.
func Faults() []Fault {
	return []Fault{
		RetryAfterDate, RetryAfterEpoch, RetryAfterHours, RateLimit, OneJob, Transient500, Job404,
		Delete405,
		ShortToken, NoTokenType, TokenNeededAnyway, NoErrorKey, RelativeURLs, RedirectFiles, RedirectHTTP,
		ClockSkew, PartialExport, IgnoresType, NoAdverseEvent, CountMismatch, ManyTinyFiles,
		ExpiredFile, ResetMidFile, TruncatedLastLine, BOMCRLFBlankLines, TwoObjectsPerLine, Duplicates,
		OutOfOrder, WrongContentEncoding, NestedGzip, GzipBomb,
		BadLine, HugeLine, DeepJSON, DuplicateKeys, OddText, WrongVersion,
		RedirectingDiscovery, DiscoveryWithoutS256, KeysDown, HugeKeys, CodeTwice, RefusesRefresh,
		IDTokenWithoutKeyID, RelativeFHIRUser, WrongNonce, WrongIDTokenAudience, WrongIDTokenIssuer,
		ExpiredIDToken, SlowAnswers, ForbidsAdverseEvent, EventsByPatient, StrangersResource,
		InvalidResource, Unsorted,
	}
}

// ParseFault returns the fault of that name.
func ParseFault(name string) (Fault, error) {
	if f := Fault(name); slices.Contains(Faults(), f) {
		return f, nil
	}
	names := make([]string, 0, len(Faults()))
	for _, f := range Faults() {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("fault %q is none of %s", name, strings.Join(names, ", "))
}

// Package bedside makes the page in the chart's content: what one patient's record says of
// language, interpreters, missing equity data and harm events, read from the EHR with the token of
// the person who looks, mapped by the same rules as everything else, and nothing guessed.
//
// What is not about the patient whose chart is open is passed over and counted, never shown. What
// cannot be read becomes a Notice; only without the Patient there is no View at all. A View may be
// up to two minutes old for the session that it was read in, and is never seen by another.
package bedside

// Package bedside makes the page in the chart's content: what one patient's record says of language,
// interpreters, missing equity data and harm events, read from the EHR with the token of the person
// who looks, mapped by the same rules as everything else, and nothing guessed.
package bedside

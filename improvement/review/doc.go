// Package review is the equity review of harm events: of each event that harmed a patient, or nearly
// did, somebody asks whether inequity contributed, and writes down what else did. It holds the codes of
// the answers, the rules by which one or two reviewers come to one, and how well they agree.
package review

package review

import "github.com/equitylens/equitylens/store/decisions"

// Clean is what becomes of a free text.
func Clean(text string, most int) (string, Problem) { return clean(text, most) }

// Read reads a review from its document.
func Read(d *decisions.Document) (Review, error) { return read(d) }

// Document is a review as the store keeps it.
func Document(r Review) (decisions.Document, error) { return r.document() }

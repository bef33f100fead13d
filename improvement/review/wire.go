package review

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/equitylens/equitylens/internal/phi"
	"github.com/equitylens/equitylens/store/decisions"
	"github.com/equitylens/equitylens/store/facts"
)

// idBytes is how much of the digest is an id: enough that no two events of any hospital share one.
const idBytes = 20

// IDOf returns the id of the review of an event: 40 hexadecimal digits of the SHA-256 of its key. Who
// has it can tell whether it belongs to an event whose id they know already, and learns no other.
func IDOf(k Key) string {
	sum := sha256.Sum256([]byte(k.Source + "\x00" + k.ID.Reveal()))
	return hex.EncodeToString(sum[:idBytes])
}

// format names the form of the body of a document. A program that writes another one counts it up.
const format = "equitylens-review/1"

// errFormat: the body is of a form that this program does not read.
var errFormat = errors.New("the form of the review is not " + format)

// wire is the body of a document. The id of the event is in it as it is: the store is a place for that.
type wire struct {
	Format     string      `json:"format"`
	Source     string      `json:"source"`
	Event      string      `json:"event"`
	Needed     int         `json:"needed"`
	Seen       Particulars `json:"seen"`
	Opinions   []Opinion   `json:"opinions"`
	Settlement *Settlement `json:"settlement,omitempty"`
	Reopenings []Reopening `json:"reopenings,omitempty"`
}

// The terms by which reviews are found.
const (
	TermState     = "state"
	TermNeeded    = "needed"
	TermAnswer    = "answer"
	TermDetection = "detection"
)

// document is the review as the store keeps it, but for who wrote it, when, and as which version.
func (r *Review) document() (decisions.Document, error) {
	body, err := json.Marshal(wire{
		Format: format, Source: r.Key.Source, Event: r.Key.ID.Reveal(), Needed: r.Needed, Seen: r.Seen,
		Opinions: r.Opinions, Settlement: r.Settlement, Reopenings: r.Reopenings,
	})
	if err != nil {
		return decisions.Document{}, fmt.Errorf("write review %s: %w", r.ID, err)
	}
	terms := map[string]string{TermState: string(r.State), TermNeeded: strconv.Itoa(r.Needed)}
	if s := r.Settlement; s != nil {
		terms[TermAnswer], terms[TermDetection] = string(s.Answer), string(s.Detection)
	}
	return decisions.Document{Kind: decisions.Review, ID: r.ID, Terms: terms, Body: body}, nil
}

// read is the inverse of Review.document.
func read(d *decisions.Document) (Review, error) {
	var w wire
	if err := json.Unmarshal(d.Body, &w); err != nil {
		// What encoding/json says may quote the body.
		return Review{}, fmt.Errorf("read review %s: its body is not that of a review", d.ID)
	}
	if w.Format != format {
		return Review{}, fmt.Errorf("read review %s: %w", d.ID, errFormat)
	}
	r := Review{
		ID: d.ID, Key: Key{Source: w.Source, ID: phi.New(w.Event)}, Needed: w.Needed, Opinions: w.Opinions,
		Settlement: w.Settlement, Reopenings: w.Reopenings, Seen: w.Seen, Version: d.Version,
	}
	if IDOf(r.Key) != d.ID {
		return Review{}, fmt.Errorf("read review %s: it is of another event", d.ID)
	}
	before := 0
	for _, o := range r.Reopenings {
		if o.Opinions < before || o.Opinions > len(r.Opinions) {
			return Review{}, fmt.Errorf("read review %s: opinions are missing", d.ID)
		}
		before = o.Opinions
	}
	r.State = r.state()
	return r, nil
}

// particulars is what is kept of an event.
func particulars(e *facts.EventHead) Particulars {
	p := Particulars{
		Actuality: e.Actuality, Category: e.Category, Severity: e.Severity, Outcome: e.Outcome, Site: e.Site,
	}
	if !e.Date.IsZero() {
		p.Date = e.Date.Format(dayLayout)
	}
	if !e.Detected.IsZero() {
		p.Known = e.Detected.Format(dayLayout)
	}
	return p
}

package trail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query chooses events. What is left zero chooses nothing; everything that is set must hold.
type Query struct {
	// From and To bound the moment of the record: From itself is in, To is not.
	From, To time.Time
	// ID is that of the event.
	ID string
	// Patient is somebody whom the event is about: a phi.ID, which nothing prints by accident. Nil
	// is anybody.
	Patient Patient
	// Agent is the identifier of a program or a person who acted: its value, or system|value.
	Agent string
	// Type, Subtype, Outcome and Action are codes.
	Type, Subtype, Outcome, Action string
	// Count is how many events are wanted at most; 0 means 50.
	Count int
	// Cursor is Page.Next of the page before.
	Cursor string
}

// Patient is the id of one.
type Patient interface {
	// Reveal returns the text itself.
	Reveal() string
}

// about is the id of the patient; empty for anybody.
func (q Query) about() string {
	if q.Patient == nil {
		return ""
	}
	return q.Patient.Reveal()
}

// Page is a part of the answer, the event that was appended last first.
type Page struct {
	Events []json.RawMessage
	// Next begins the next page; empty at the end. A page may be short, or empty, and have a next
	// one: a search looks through so much and no more at a time.
	Next string
	// Damaged counts the lines that were passed over because they are none of ours. Lines that hold
	// nothing of what is asked for are not looked at.
	Damaged int
}

var (
	// ErrCursor refuses a cursor that no page has given.
	ErrCursor = errors.New("not a cursor of the audit trail")
	// ErrNoEvent says that no event has an id.
	ErrNoEvent = errors.New("no such event in the audit trail")
)

const (
	defaultCount = 50
	// maxScan is how many bytes one Search looks through, line by line; a chunk that is passed over as
	// a whole counts for less by cheaper.
	maxScan = 256 << 20
	cheaper = 8
	// scanSize is how much is passed over at once, or not.
	scanSize = 256 << 10
	// late is how much later than it was recorded an event may have been appended.
	late = time.Hour
)

// Search answers a query. Events are appended meanwhile; a page is not changed by them.
func (t *Trail) Search(ctx context.Context, q Query) (Page, error) {
	return search(ctx, t.cfg.Dir, q, reach{budget: maxScan, chunk: scanSize})
}

// Load returns the event of an id. The error wraps ErrNoEvent where there is none.
func (t *Trail) Load(ctx context.Context, id string) (json.RawMessage, error) {
	q := Query{ID: id, Count: 1}
	for {
		page, err := t.Search(ctx, q)
		switch {
		case err != nil:
			return nil, err
		case len(page.Events) > 0:
			return page.Events[0], nil
		case page.Next == "":
			return nil, ErrNoEvent
		}
		q.Cursor = page.Next
	}
}

// cursor is a place in a trail: everything before an offset of a file, and all earlier files.
type cursor struct {
	number int
	offset int64
}

func (c cursor) String() string {
	return strconv.Itoa(c.number) + "." + strconv.FormatInt(c.offset, 10)
}

func parseCursor(text string) (cursor, error) {
	file, offset, _ := strings.Cut(text, ".")
	n, err := strconv.Atoi(file)
	at, fault := strconv.ParseInt(offset, 10, 64)
	c := cursor{n, at}
	if err != nil || fault != nil || n < 1 || at < 0 || c.String() != text {
		return c, ErrCursor
	}
	return c, nil
}

// reach is how many bytes a search looks through at most, and at a time.
type reach struct{ budget, chunk int64 }

// search reads the files of a folder from the end, as far as it may.
func search(ctx context.Context, folder string, q Query, far reach) (Page, error) {
	numbers, err := segments(folder)
	if err != nil {
		return Page{}, fmt.Errorf("search audit trail: %w", err)
	}
	slices.Reverse(numbers)
	if q.Count <= 0 {
		q.Count = defaultCount
	}
	s := scan{q: q, want: q.needles(), reach: far}
	from := cursor{number: int(^uint(0) >> 1)}
	if q.Cursor != "" {
		if from, err = parseCursor(q.Cursor); err != nil {
			return Page{}, err
		}
	}
	for _, number := range numbers {
		if number > from.number {
			continue
		}
		limit := int64(-1)
		if number == from.number {
			limit = from.offset
		}
		more, err := s.file(ctx, filepath.Join(folder, segmentName(number)), number, limit)
		if err != nil {
			return Page{}, fmt.Errorf("search audit trail: %w", err)
		}
		if !more {
			break
		}
	}
	return s.page, nil
}

// scan is a search under way.
type scan struct {
	reach
	q    Query
	want [][]byte
	page Page
}

// file looks through a file up to limit; -1 is all of it. It reports whether earlier files are to be
// looked at too.
func (s *scan) file(ctx context.Context, path string, number int, limit int64) (bool, error) {
	file, err := os.Open(path) // #nosec G304 -- a file of the trail
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	if limit < 0 || limit > info.Size() {
		limit = info.Size()
	}
	if !s.q.To.IsZero() && s.before(firstMoment(file)) {
		return true, nil
	}
	more := true
	err = chunks(file, limit, s.chunk, func(c chunk) (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		more, err = s.take(c, number)
		return more, err
	})
	return more, err
}

// before reports whether all that was appended after an event of a moment is too late.
func (s *scan) before(at time.Time) bool {
	return !s.q.To.IsZero() && at.After(s.q.To.Add(late))
}

// after reports whether all that was appended before an event of a moment is too early.
func (s *scan) after(at time.Time) bool {
	return !s.q.From.IsZero() && at.Before(s.q.From.Add(-late))
}

// take takes in what matches; false means that the page is full, or that nothing earlier can match.
func (s *scan) take(c chunk, number int) (bool, error) {
	at := s.moment(c)
	last := !at.IsZero() && s.after(at)
	if s.before(at) || !holds(c.text, s.want) && c.text != nil {
		s.budget -= int64(len(c.text))/cheaper + 1
		return !last && !s.full(c.at, number), nil
	}
	more, err := c.lines(func(text []byte, at int64) (bool, error) {
		s.budget -= int64(len(text)) + 1
		return s.line(text) && !s.full(at, number), nil
	})
	return more && !last, err
}

// moment is when the first event of a chunk was recorded, where that is of use; else zero.
func (s *scan) moment(c chunk) time.Time {
	if s.q.From.IsZero() && s.q.To.IsZero() {
		return time.Time{}
	}
	return momentOf(c.first())
}

// full reports whether the page is, and notes where the next one begins: before what was looked at
// last.
func (s *scan) full(at int64, number int) bool {
	if len(s.page.Events) < s.q.Count && s.budget > 0 {
		return false
	}
	if at > 0 || number > 1 {
		s.page.Next = cursor{number, at}.String()
	}
	return true
}

// line takes a line in if it matches; false means that no earlier one can.
func (s *scan) line(text []byte) bool {
	if text != nil && !holds(text, s.want) {
		return true
	}
	l, err := parseLine(text)
	if err != nil {
		s.page.Damaged++
		return true
	}
	var e brief
	if json.Unmarshal(l.Event, &e) != nil {
		s.page.Damaged++
		return true
	}
	if s.after(e.Recorded) {
		return false
	}
	if e.matches(s.q) {
		s.page.Events = append(s.page.Events, bytes.Clone(l.Event))
	}
	return true
}

// holds reports whether a text holds all that is wanted.
func holds(text []byte, all [][]byte) bool {
	for _, want := range all {
		if !bytes.Contains(text, want) {
			return false
		}
	}
	return true
}

// needles are texts that every event of the answer holds as they are, so that most lines need not
// be parsed: values to the end of their string.
func (q Query) needles() [][]byte {
	var out [][]byte
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
	agent := q.Agent[strings.LastIndexByte(q.Agent, '|')+1:]
	for _, text := range []string{q.ID, q.about(), agent, q.Type, q.Subtype, q.Outcome, q.Action} {
		if text != "" && strings.Trim(text, plain) == "" {
			out = append(out, []byte(text+`"`))
		}
	}
	return out
}

// brief is what of an AuditEvent can be searched.
type brief struct {
	ID       string    `json:"id"`
	Recorded time.Time `json:"recorded"`
	Action   string    `json:"action"`
	Outcome  string    `json:"outcome"`
	Type     struct{ Code string }
	Subtype  []struct{ Code string }
	Agent    []struct {
		Who struct {
			Identifier struct{ System, Value string }
			Reference  string
		}
	}
	Entity []struct {
		What struct{ Reference string }
	}
}

func (e brief) matches(q Query) bool {
	is := func(want, have string) bool { return want == "" || want == have }
	if !is(q.ID, e.ID) || !is(q.Action, e.Action) || !is(q.Outcome, e.Outcome) ||
		!is(q.Type, e.Type.Code) || e.Recorded.Before(q.From) ||
		!q.To.IsZero() && !e.Recorded.Before(q.To) {
		return false
	}
	if q.Subtype != "" && !slices.ContainsFunc(e.Subtype, func(c struct{ Code string }) bool {
		return c.Code == q.Subtype
	}) {
		return false
	}
	return e.by(q.Agent) && e.about(q.about())
}

func (e brief) by(agent string) bool {
	if agent == "" {
		return true
	}
	for _, one := range e.Agent {
		id := one.Who.Identifier
		if id.Value == agent || id.System+"|"+id.Value == agent || one.Who.Reference == agent {
			return true
		}
	}
	return false
}

func (e brief) about(patient string) bool {
	if patient == "" {
		return true
	}
	for _, one := range e.Entity {
		if one.What.Reference == "Patient/"+patient {
			return true
		}
	}
	return false
}

// firstMoment is when the first event of a file was recorded; zero where that cannot be said.
func firstMoment(file io.ReaderAt) time.Time {
	r := bufio.NewReader(io.NewSectionReader(file, 0, maxLine))
	text, err := r.ReadBytes('\n')
	if err != nil {
		return time.Time{}
	}
	return momentOf(text[:len(text)-1])
}

// momentOf is when the event of a line was recorded; zero where that cannot be said.
func momentOf(text []byte) time.Time {
	l, err := parseLine(text)
	if err != nil {
		return time.Time{}
	}
	var e brief
	if json.Unmarshal(l.Event, &e) != nil {
		return time.Time{}
	}
	return e.Recorded
}

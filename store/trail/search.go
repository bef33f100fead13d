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
	// Damaged counts the lines that were passed over because they are none of ours.
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
	// maxScan is how many bytes one Search looks through.
	maxScan = 256 << 20
	// late is how much later than it was recorded an event may have been appended.
	late = time.Hour
)

// Search answers a query. Events are appended meanwhile; a page is not changed by them.
func (t *Trail) Search(ctx context.Context, q Query) (Page, error) {
	return search(ctx, t.cfg.Dir, q, maxScan)
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

// search reads the files of a folder from the end, budget bytes at most.
func search(ctx context.Context, folder string, q Query, budget int64) (Page, error) {
	numbers, err := segments(folder)
	if err != nil {
		return Page{}, fmt.Errorf("search audit trail: %w", err)
	}
	slices.Reverse(numbers)
	if q.Count <= 0 {
		q.Count = defaultCount
	}
	s := scan{q: q, want: q.needles(), budget: budget}
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
	q      Query
	want   [][]byte
	budget int64
	page   Page
	lines  int
}

// file looks through a file up to limit; -1 is all of it.
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
	if !s.q.To.IsZero() && firstMoment(file).After(s.q.To.Add(late)) {
		return true, nil
	}
	more := true
	err = backward(file, limit, func(text []byte, at int64) (bool, error) {
		if s.lines++; s.lines%256 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		s.budget -= int64(len(text)) + 1
		if more = s.line(text); !more {
			return false, nil
		}
		if len(s.page.Events) == s.q.Count || s.budget <= 0 {
			more = false
			if at > 0 || number > 1 {
				s.page.Next = cursor{number, at}.String()
			}
		}
		return more, nil
	})
	return more, err
}

// line takes a line in if it matches; false means that no earlier one can.
func (s *scan) line(text []byte) bool {
	l, err := parseLine(text)
	if err != nil {
		s.page.Damaged++
		return true
	}
	for _, want := range s.want {
		if !bytes.Contains(l.Event, want) && (s.q.From.IsZero() || s.lines%64 != 0) {
			return true
		}
	}
	var e brief
	if json.Unmarshal(l.Event, &e) != nil {
		s.page.Damaged++
		return true
	}
	if !s.q.From.IsZero() && e.Recorded.Before(s.q.From.Add(-late)) {
		return false
	}
	if e.matches(s.q) {
		s.page.Events = append(s.page.Events, bytes.Clone(l.Event))
	}
	return true
}

// needles are texts that every event of the answer holds as they are, so that most lines need not
// be parsed.
func (q Query) needles() [][]byte {
	var out [][]byte
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
	for _, text := range []string{q.ID, q.about(), q.Agent} {
		if text != "" && strings.Trim(text, plain) == "" {
			out = append(out, []byte(text))
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
	l, err := parseLine(text[:len(text)-1])
	if err != nil {
		return time.Time{}
	}
	var e brief
	if json.Unmarshal(l.Event, &e) != nil {
		return time.Time{}
	}
	return e.Recorded
}

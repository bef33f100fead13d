package audit

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Form is the event of a request that is made again and again, with room for what differs: its id,
// its moment and its request. To fill a form in costs a hundredth of making the event anew.
type Form struct {
	newID func() string
	now   func() time.Time
	parts [][]byte
	holes []hole
}

// hole is a place in a form.
type hole int

const (
	idHole hole = iota
	momentHole
	requestHole
)

// momentForm is how FHIR writes an instant of which milliseconds are known, in UTC.
const momentForm = "2006-01-02T15:04:05.000Z"

// Form makes the form of a request; a.Request is passed over.
func (b Builder) Form(a Access) (Form, error) {
	out := Form{newID: uuid.NewString, now: time.Now}
	if b.NewID != nil {
		out.newID = b.NewID
	}
	if b.Now != nil {
		out.now = b.Now
	}
	// Nobody can know these two, so that nothing in the event is mistaken for a hole. The third is
	// found by its key, which cannot stand within a value.
	id, request := uuid.NewString(), uuid.NewString()
	at := out.now()
	b.NewID = func() string { return id }
	b.Now = func() time.Time { return at }
	a.Request = request
	text, err := b.Access(a)
	if err != nil {
		return out, err
	}
	const key = `"recorded":"`
	marks := []struct {
		hole hole
		text string
		skip int
	}{
		{idHole, `"` + id + `"`, 1}, {requestHole, `"` + request + `"`, 1},
		{momentHole, key + at.UTC().Format(momentForm) + `"`, len(key)},
	}
	for {
		first, end := -1, 0
		var found hole
		for _, mark := range marks {
			i := bytes.Index(text, []byte(mark.text))
			if i >= 0 && (first < 0 || i+mark.skip < first) {
				first, end, found = i+mark.skip, i+len(mark.text)-1, mark.hole
			}
		}
		if first < 0 {
			break
		}
		out.parts, out.holes = append(out.parts, text[:first]), append(out.holes, found)
		text = text[end:]
	}
	out.parts = append(out.parts, text)
	if len(out.holes) != len(marks) {
		return out, errors.New("make audit form: it has not the holes that it should have")
	}
	return out, nil
}

// Fill makes the event of a request. Its id is one that needs no escape in JSON; of another one the
// event is made without a form.
func (f Form) Fill(request string) ([]byte, bool) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
	if request == "" || strings.Trim(request, plain) != "" {
		return nil, false
	}
	const room = 100 // Two UUIDs and a moment.
	size := room
	for _, part := range f.parts {
		size += len(part)
	}
	out := make([]byte, 0, size)
	for i, part := range f.parts {
		out = append(out, part...)
		if i == len(f.holes) {
			break
		}
		switch f.holes[i] {
		case idHole:
			out = append(out, f.newID()...)
		case momentHole:
			out = f.now().UTC().AppendFormat(out, momentForm)
		case requestHole:
			out = append(out, request...)
		}
	}
	return out, true
}

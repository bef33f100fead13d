package dashboard

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/equitylens/equitylens/fhir/audit"
)

// forms keeps the forms of events of the audit trail, so that a page that is kept is not slowed down by
// the record of who looks at it: to make an event anew takes longer than all else.
type forms struct {
	mu  sync.Mutex
	all map[string]audit.Form
}

const (
	// mostForms bounds the forms that are kept; each is some 2 KiB.
	mostForms = 2048
	// longestFormed bounds the queries of which a form is kept, in bytes.
	longestFormed = 1024
)

// event makes an event about no patient, by a form where that is possible.
func (f *forms) event(b audit.Builder, a audit.Access) ([]byte, error) {
	if len(a.Query) > longestFormed {
		return b.Access(a)
	}
	// No zero byte stands in an identifier, nor in a query as it came.
	key := strings.Join([]string{
		a.Agent.Client, a.Agent.Address, a.Agent.Subject, a.Agent.Issuer,
		strconv.Quote(a.Agent.Name), strings.Join(a.Agent.Roles, " "), a.Agent.Token,
		string(a.Interaction), a.Outcome.Words, strconv.Itoa(int(a.Outcome.Grade)), a.Query,
	}, "\x00")
	f.mu.Lock()
	form, ok := f.all[key]
	f.mu.Unlock()
	if !ok {
		var err error
		if form, err = b.Form(a); err != nil {
			return nil, fmt.Errorf("make a form: %w", err)
		}
		f.mu.Lock()
		if f.all == nil || len(f.all) >= mostForms {
			f.all = map[string]audit.Form{}
		}
		f.all[key] = form
		f.mu.Unlock()
	}
	if text, ok := form.Fill(a.Request); ok {
		return text, nil
	}
	return b.Access(a)
}

package evidence

import (
	"bytes"
	"cmp"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/improvement/form"
	"github.com/equitylens/equitylens/measure/report"
)

// bundle writes the summary reports of all results as one FHIR Bundle, and after them the questionnaire
// with its answers, each action as a Task with its Goal, and the declared conditions as Flags.
func (b *builder) bundle(out *bytes.Buffer) error {
	reports, err := report.New(report.Config{
		Canonical: b.o.Canonical, Organization: b.o.Organization, Version: b.o.Software,
		Now: func() time.Time { return b.m.Made },
	})
	if err != nil {
		return err
	}
	decided, err := form.Collection(b.m.Made, b.decided()...)
	if err != nil {
		return err
	}
	all := reports.Bundle(b.m.Results)
	all.Entry = append(all.Entry, decided.GetEntry()...)
	text, err := r4.Marshal(all)
	if err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	_, _ = out.Write(append(bytes.TrimSpace(text), '\n'))
	return nil
}

// decided is what people decided, as resources. Free text is in none that is for the public.
func (b *builder) decided() []form.Entry {
	w := form.Writer{Organization: b.o.Organization, Narrative: !b.public()}
	base := cmp.Or(b.o.Canonical, report.DefaultCanonical)
	var entries []form.Entry
	add := func(kind, id string, resource proto.Message) {
		entries = append(entries, form.Entry{URL: base + "/" + kind + "/" + id, Resource: resource})
	}
	if a := b.m.Assessment; a != nil {
		entries = append(entries, form.Entry{
			URL: form.QuestionnaireURL, Resource: form.Questionnaire(b.m.Questionnaire),
		})
		add("QuestionnaireResponse", a.ID, w.QuestionnaireResponse(b.m.Questionnaire, a))
	}
	for i := range b.m.Acts {
		a := &b.m.Acts[i].Action
		add("Task", a.ID, w.ActionTask(a))
		add("Goal", a.ID, w.Goal(a))
	}
	for i := range b.m.Conditions {
		c := &b.m.Conditions[i]
		add("Flag", c.ID, w.Flag(c, b.m.Made))
	}
	return entries
}

package bedside

import (
	"context"
	"fmt"
	"sync"

	"github.com/equitylens/equitylens/auth/scope"
	"github.com/equitylens/equitylens/mapping"
)

// Need is what two resources say of interpreters in one encounter. It holds no id and no name.
type Need struct {
	// Fact is the need that holds for the encounter, and all statements of it.
	Fact
	Language mapping.Value
	// Status is that of the encounter; Use and UseFrom say what is documented of an interpreter.
	Status  string
	Use     mapping.InterpreterUse
	UseFrom string
}

// Need reads the Patient and the current Encounter alone, at once. Both are needed: without either
// the error wraps one of those of this package.
func (r *Reader) Need(ctx context.Context, a Access) (Need, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Patience)
	defer cancel()
	q, err := r.inquire(a)
	if err != nil {
		return Need{}, fmt.Errorf("bedside: %w", err)
	}
	if a.Encounter.Empty() || !allows(a.Scopes, kindEncounter, scope.Read) {
		_, err := q.oneEncounter(ctx) // It sends nothing then, and says why.
		return Need{}, inWords("bedside", err)
	}
	var (
		who      chartOwner
		one      encounter
		whoErr   error
		visitErr error
		both     sync.WaitGroup
	)
	both.Go(func() {
		if who, whoErr = q.patient(ctx); whoErr != nil {
			cancel()
		}
	})
	both.Go(func() { one, visitErr = q.oneEncounter(ctx) })
	both.Wait()
	if whoErr != nil {
		return Need{}, inWords("bedside", whoErr)
	}
	if visitErr != nil {
		return Need{}, inWords("bedside", visitErr)
	}
	return needOf(who, one), nil
}

// NeedOf is Need from documents that are already there. They are held to the same rules: valid R4,
// and about the patient and the encounter of a, of which nothing else is looked at.
func (r *Reader) NeedOf(a Access, patient, encounter []byte) (Need, error) {
	who, err := r.owner(patient, a.Patient)
	if err != nil {
		return Need{}, inWords("bedside: read Patient", err)
	}
	one, err := r.thisEncounter(encounter, a)
	if err != nil {
		return Need{}, inWords("bedside: read Encounter", err)
	}
	return needOf(who, one), nil
}

func needOf(who chartOwner, one encounter) Need {
	value := mapping.ResolveNeed(one.contact.Need, who.says.Need)
	return Need{
		Fact: Fact{Value: value, Sources: append(append([]Source{}, one.contact.Needs...),
			who.says.Needs...)},
		Language: who.says.Language,
		Status:   one.contact.Status, Use: one.contact.Use, UseFrom: one.contact.UseFrom,
	}
}

// inWords puts what was being done before an error.
func inWords(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

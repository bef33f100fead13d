package measure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Check compiles every expression of every definition against the documented columns, and says in
// an analyst's words what is wrong with each.
func (e *Engine) Check(ctx context.Context) error {
	var faults []error
	for i := range e.definitions {
		d := &e.definitions[i]
		for _, rate := range d.Rates() {
			for _, p := range []Population{
				InitialPopulation, Denominator, DenominatorExclusion, Numerator, MeasurePopulation, MeasureExclusion,
			} {
				if text := rate.Populations[p]; text != "" {
					err := e.compile(ctx, d, text, "BOOLEAN")
					faults = append(faults, at(err, "measure %s, group %s, %s", d.ID, rate.ID, p))
				}
			}
		}
		for p, text := range d.Observe {
			err := e.compile(ctx, d, text, "DOUBLE")
			faults = append(faults, at(err, "measure %s, observe %s", d.ID, p))
		}
	}
	return errors.Join(faults...)
}

func at(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// compile asks the database for the type of an expression.
func (e *Engine) compile(ctx context.Context, d *Definition, text, want string) error {
	anyPeriod := Period{Start: time.Unix(0, 0).UTC(), End: time.Unix(0, 0).UTC()}
	statement := fmt.Sprintf("DESCRIBE SELECT (\n%s\n) AS expression FROM %s", text, view(d.Unit, anyPeriod))
	var kind string
	err := e.snapshot.Query(ctx, statement, func(rows *sql.Rows) error {
		var name string
		var null, key, standard, extra sql.NullString
		return rows.Scan(&name, &kind, &null, &key, &standard, &extra)
	})
	if err != nil {
		return explain(err, d.Unit)
	}
	if want == "BOOLEAN" && kind != "BOOLEAN" {
		return fmt.Errorf("%q is a %s, not a condition that is true or false", text, strings.ToLower(kind))
	}
	if want == "DOUBLE" && !number.MatchString(kind) {
		return fmt.Errorf("%q is a %s, not a number", text, strings.ToLower(kind))
	}
	return nil
}

var (
	number        = regexp.MustCompile(`INT|DOUBLE|FLOAT|DECIMAL`)
	unknownColumn = regexp.MustCompile(`(?s)Referenced column "([^"]+)" not found.*?Candidate bindings: (.*)`)
	notAValue     = regexp.MustCompile(`Could not convert string '([^']*)' to `)
	quotedName    = regexp.MustCompile(`"([^"]+)"`)
	prefix        = regexp.MustCompile(`(?s)^[A-Z][A-Za-z ]+ Error: (.*?)(\n|$)`)
)

// explain turns what the database says into words for someone who writes measures.
func explain(err error, unit Unit) error {
	text := err.Error()
	if m := unknownColumn.FindStringSubmatch(text); m != nil {
		var near []string
		for _, q := range quotedName.FindAllStringSubmatch(m[2], -1) {
			near = append(near, q[1])
		}
		return fmt.Errorf("%q is not a column of %s; near it are %s (docs/measures.md lists all)",
			m[1], unit, strings.Join(near, ", "))
	}
	if m := notAValue.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%q is not a value that this column can have (docs/measures.md lists them)", m[1])
	}
	if m := prefix.FindStringSubmatch(text); m != nil {
		return errors.New(strings.TrimSpace(m[1]))
	}
	return err
}

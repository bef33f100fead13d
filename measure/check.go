package measure

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/equitylens/equitylens/mapping"
)

// Check compiles every expression of every definition against the documented columns, and says in
// an analyst's words what is wrong with each.
func (e *Engine) Check(ctx context.Context) error {
	var faults []error
	for i := range e.definitions {
		d := &e.definitions[i]
		c := &checker{engine: e, d: d}
		var err error
		if c.values, err = e.values(ctx, d); err != nil {
			faults = append(faults, at(err, "measure %s", d.ID))
			continue
		}
		for _, x := range d.expressions() {
			faults = append(faults, at(c.check(ctx, x), "measure %s, %s", d.ID, x.place))
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

// written is an expression that an analyst wrote, and where.
type written struct {
	place string
	text  string
	// number says that it observes a number; else it is a condition.
	number bool
}

// expressions lists those of a definition, in the order of their evaluation. What every group
// shares is listed once.
func (d *Definition) expressions() []written {
	var out []written
	for _, p := range allPopulations() {
		if text := d.Populations[p]; text != "" {
			out = append(out, written{string(p), text, false})
		}
	}
	for _, g := range d.Groups {
		for _, p := range allPopulations() {
			if text := g.Populations[p]; text != "" {
				out = append(out, written{fmt.Sprintf("group %s, %s", g.ID, p), text, false})
			}
		}
	}
	for _, p := range allPopulations() {
		if text := d.Observe[p]; text != "" {
			out = append(out, written{"observe " + string(p), text, true})
		}
	}
	return out
}

// checker checks the expressions of one definition.
type checker struct {
	engine *Engine
	d      *Definition
	values map[string][]string
}

func (c *checker) check(ctx context.Context, x written) error {
	if err := expressionFault(x.text); err != nil {
		return err
	}
	if column, value, wrong := wrongValue(x.text, c.values); wrong {
		return fmt.Errorf("%q is not a value of %s; it has %s",
			value, column, strings.Join(c.values[column], ", "))
	}
	return c.compile(ctx, x)
}

// compile asks the database for the type of an expression. The column beside it makes an expression
// that counts rows a mistake.
func (c *checker) compile(ctx context.Context, x written) error {
	statement := fmt.Sprintf("DESCRIBE SELECT (\n%s\n) AS expression, no FROM %s", x.text,
		anyView(c.d))
	kind := ""
	err := c.engine.snapshot.Query(ctx, statement, func(rows *sql.Rows) error {
		var name, of string
		var null, key, standard, extra sql.NullString
		if err := rows.Scan(&name, &of, &null, &key, &standard, &extra); err != nil {
			return err
		}
		if name == "expression" {
			kind = of
		}
		return nil
	})
	if err != nil {
		return explain(err, c.d.Unit)
	}
	if !x.number && kind != "BOOLEAN" {
		return fmt.Errorf("%q is %s, not a condition that is true or false", x.text, inWords(kind))
	}
	if x.number && !number.MatchString(kind) {
		return fmt.Errorf("%q is %s, not a number", x.text, inWords(kind))
	}
	return c.try(ctx, x)
}

// try runs an expression on one row that holds nothing, which finds a text that cannot be read as
// the number or the date that it is compared with.
func (c *checker) try(ctx context.Context, x written) error {
	statement := fmt.Sprintf("SELECT (\n%s\n) AS expression"+
		" FROM (SELECT 1) AS one LEFT JOIN %s ON false", x.text, anyView(c.d))
	err := c.engine.snapshot.Query(ctx, statement, func(*sql.Rows) error { return nil })
	if err != nil {
		return explain(err, c.d.Unit)
	}
	return nil
}

func anyView(d *Definition) string {
	epoch := time.Unix(0, 0).UTC()
	return view(d.Unit, Period{Start: epoch, End: epoch})
}

// inWords names a type of the database for a reader.
func inWords(kind string) string {
	switch {
	case strings.HasPrefix(kind, "ENUM"):
		return "a code"
	case kind == "VARCHAR":
		return "a text"
	case kind == "DATE" || strings.HasPrefix(kind, "TIMESTAMP"):
		return "a date"
	case kind == "BOOLEAN":
		return "a condition"
	case number.MatchString(kind):
		return "a number"
	}
	return "of type " + strings.ToLower(kind)
}

// values lists, for each column of a measure's view that has a closed set of values, that set: the
// codes of the database's own types, and those of the texts whose codes mapping fixes.
func (e *Engine) values(ctx context.Context, d *Definition) (map[string][]string, error) {
	yesNo := []string{mapping.Yes, mapping.No}
	closed := map[string][]string{
		"interpreter_need": yesNo, "age_band": mapping.AgeBands(),
		"sex": {"male", "female", "other"},
		"language_group": {mapping.English, mapping.Spanish, mapping.Chinese, mapping.Sign,
			mapping.Other},
		"limited_english": {
			string(mapping.LimitedEnglishYes), string(mapping.LimitedEnglishNo),
			string(mapping.LimitedEnglishProbable), string(mapping.LimitedEnglishUnknown),
		},
		"actuality": {mapping.Actual, mapping.Potential, ""},
	}
	var states []string
	for _, s := range mapping.States() {
		states = append(states, string(s))
	}
	values := map[string][]string{}
	err := e.snapshot.Query(ctx, "DESCRIBE FROM "+anyView(d), func(rows *sql.Rows) error {
		var name, kind string
		var null, key, standard, extra sql.NullString
		if err := rows.Scan(&name, &kind, &null, &key, &standard, &extra); err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(kind, "ENUM"):
			for _, m := range enumValue.FindAllStringSubmatch(kind, -1) {
				values[name] = append(values[name], m[1])
			}
		case strings.HasSuffix(name, "_state"):
			values[name] = states
		case closed[name] != nil:
			values[name] = closed[name]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the columns of %s: %w", d.Unit, err)
	}
	return values, nil
}

var (
	enumValue     = regexp.MustCompile(`'([^']*)'`)
	number        = regexp.MustCompile(`^(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DOUBLE|FLOAT|DECIMAL.*)$`)
	unknownColumn = regexp.MustCompile(`(?s)column "([^"]+)" not found.*?Candidate bindings: (.*)`)
	manyRows      = regexp.MustCompile(`must appear in the GROUP BY|aggregate function|window func`)
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
		return fmt.Errorf("%q is not a column of %s; near it are %s (docs/measures.md lists all; "+
			"a value stands in single quotes)", m[1], unit, strings.Join(near, ", "))
	}
	if manyRows.MatchString(text) {
		return errOneRow
	}
	if m := notAValue.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%q is not a value that this column can have (docs/measures.md lists them)",
			m[1])
	}
	if m := prefix.FindStringSubmatch(text); m != nil {
		return errors.New(strings.TrimSpace(m[1]))
	}
	return err
}

package export

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// columns lists the names of the fields of Row, which are those of the Parquet schema.
func columns() []string {
	kind := reflect.TypeFor[Row]()
	names := make([]string, kind.NumField())
	for i := range names {
		names[i], _, _ = strings.Cut(kind.Field(i).Tag.Get("parquet"), ",")
	}
	return names
}

// cells lists the values of a row: text, bool, float64, or nil where a number is absent. A time is its
// RFC 3339 text.
func (row Row) cells() []any {
	fields := reflect.ValueOf(row)
	values := make([]any, fields.NumField())
	for i := range values {
		switch v := fields.Field(i).Interface().(type) {
		case *float64:
			if v != nil {
				values[i] = *v
			}
		case time.Time:
			values[i] = v.Format(time.RFC3339)
		default:
			values[i] = v
		}
	}
	return values
}

// text writes a value without loss: a number by the shortest digits that read back as the same.
func text(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case string:
		return inert(v)
	}
	return ""
}

// inert keeps a spreadsheet from running what a label of the data says, and a screen from turning it around
// or obeying it. Only text is touched: a negative number stays a number.
// https://owasp.org/www-community/attacks/CSV_Injection
func inert(v string) string {
	v = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\r', r == '\n':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return -1
		}
		return r
	}, v)
	if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
		return "'" + v
	}
	return v
}

package incident

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// What a table may hold at most.
const (
	// MaxBytes bounds a file: a million reports of a line each are smaller.
	MaxBytes   = 128 << 20
	maxRows    = 200_000
	maxColumns = 200
	// maxCell bounds a cell that is read; nothing that is asked for is as long.
	maxCell = 1024
)

var (
	// ErrTooLarge: a file holds more than is read at once.
	ErrTooLarge = fmt.Errorf("the file is larger than %d MiB or holds more than %d rows; divide it",
		MaxBytes>>20, maxRows)
	// ErrEncoding: a file is not UTF-8.
	ErrEncoding = errors.New("the file is not UTF-8: save it as CSV UTF-8")
	// ErrNoHeader: a file does not begin with a line that names its columns.
	ErrNoHeader = errors.New("the first line does not name the columns that are required")
)

// record is a line of a table.
type record struct {
	// row is the line of the file on which it starts, counted from 1, the header included.
	row   int
	cells []string
}

// text takes off a byte order mark and refuses what is not UTF-8.
func text(raw []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return nil, fmt.Errorf("%w (it is UTF-16 now)", ErrEncoding)
	case bytes.IndexByte(raw, 0) >= 0:
		return nil, fmt.Errorf("%w (it holds zero bytes)", ErrEncoding)
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) {
		line := 1
		for len(raw) > 0 {
			r, n := utf8.DecodeRune(raw)
			if r == utf8.RuneError && n == 1 {
				break
			}
			if r == '\n' {
				line++
			}
			raw = raw[n:]
		}
		return nil, fmt.Errorf("%w (line %d)", ErrEncoding, line)
	}
	return raw, nil
}

// delimiter finds what divides the cells: what a first line such as "sep=;" says, else what occurs most
// often in the header outside of quotes. skip is how many bytes that first line takes.
func delimiter(raw []byte) (comma rune, skip int) {
	first, _, more := bytes.Cut(raw, []byte("\n"))
	if said, ok := bytes.CutPrefix(bytes.TrimRight(first, "\r"), []byte("sep=")); ok && len(said) == 1 && more {
		if bytes.ContainsAny(said, ",;\t") {
			return rune(said[0]), len(first) + 1
		}
	}
	quoted, most := false, 0
	counts := map[rune]int{}
	for _, r := range string(first) {
		switch r {
		case '"':
			quoted = !quoted
		case ',', ';', '\t':
			if !quoted {
				counts[r]++
			}
		}
	}
	comma = ','
	for _, r := range ",;\t" {
		if counts[r] > most {
			comma, most = r, counts[r]
		}
	}
	return comma, 0
}

// cut reads the lines of a table. The error names the line at which the table breaks.
func cut(in io.Reader) ([]record, error) {
	raw, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if len(raw) > MaxBytes {
		return nil, ErrTooLarge
	}
	if raw, err = text(raw); err != nil {
		return nil, err
	}
	comma, skip := delimiter(raw)
	reader := csv.NewReader(bytes.NewReader(raw[skip:]))
	reader.Comma, reader.FieldsPerRecord = comma, -1
	before := bytes.Count(raw[:skip], []byte("\n"))
	var out []record
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return nil, fmt.Errorf("line %d: the quotes of a cell do not pair: %w", broken.Line+before, broken.Err)
		}
		if err != nil {
			return nil, fmt.Errorf("read the table: %w", err)
		}
		if len(out) > maxRows {
			return nil, ErrTooLarge
		}
		row, _ := reader.FieldPos(0)
		for i, c := range cells {
			cells[i] = unguard(strings.TrimSpace(c))
		}
		if strings.Join(cells, "") == "" {
			continue // What a spreadsheet leaves below a table.
		}
		out = append(out, record{row: row + before, cells: cells})
	}
}

// unguard takes off the quote that exports put before a cell that a spreadsheet would run.
func unguard(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

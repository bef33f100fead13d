package export

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

// WriteCSV writes the table as RFC 4180 CSV in UTF-8.
func (t Table) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	if err := w.Write(columns()); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	for _, row := range t.Rows() {
		values := row.cells()
		line := make([]string, len(values))
		for i, v := range values {
			line[i] = text(v)
		}
		if err := w.Write(line); err != nil {
			return fmt.Errorf("write csv: %w", err)
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// WriteParquet writes the table as one Parquet file.
func (t Table) WriteParquet(out io.Writer) error {
	w := parquet.NewGenericWriter[Row](out, parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("EquityLens", t.Software, ""))
	_, err := w.Write(t.Rows())
	if err := errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	return nil
}

// The sheets of the workbook.
const (
	figuresSheet = "figures"
	readMeSheet  = "read me"
)

// WriteXLSX writes the table as a workbook: the figures, with their header held in place and a filter
// on it, and a sheet that says what they are.
func (t Table) WriteXLSX(out io.Writer) (err error) {
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := t.fill(book); err != nil {
		return fmt.Errorf("write xlsx: %w", err)
	}
	if _, err := book.WriteTo(out); err != nil {
		return fmt.Errorf("write xlsx: %w", err)
	}
	return nil
}

func (t Table) fill(book *excelize.File) error {
	if err := book.SetSheetName(book.GetSheetName(0), figuresSheet); err != nil {
		return err
	}
	names := columns()
	if err := book.SetSheetRow(figuresSheet, "A1", &names); err != nil {
		return err
	}
	rows := t.Rows()
	for i, row := range rows {
		values := row.cells()
		for j, v := range values {
			if s, ok := v.(string); ok {
				values[j] = inert(s)
			}
		}
		if err := book.SetSheetRow(figuresSheet, "A"+strconv.Itoa(i+2), &values); err != nil {
			return err
		}
	}
	err := book.SetPanes(figuresSheet, &excelize.Panes{
		Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft",
	})
	if err != nil {
		return err
	}
	last, err := excelize.CoordinatesToCellName(len(names), len(rows)+1)
	if err != nil {
		return err
	}
	if err := book.AutoFilter(figuresSheet, "A1:"+last, nil); err != nil {
		return err
	}
	return t.explain(book)
}

// explain adds the sheet that is read first by who did not make the file.
func (t Table) explain(book *excelize.File) error {
	if _, err := book.NewSheet(readMeSheet); err != nil {
		return err
	}
	lines := [][2]string{
		{"What this is", "Quality measures by group, a row a group or stratum, written by EquityLens " +
			t.Software + "."},
		{"Empty cells", "A number that is not there: a score without a denominator, or one that does " +
			"not apply. It is never 0."},
		{"suppressed", "Figures of the row are hidden for small numbers, or so that those of another row " +
			"cannot be derived."},
		{"overlapping", "A person may be in several strata of this dimension; they add up to more than all."},
		{"difference, ratio", "Against the reference named in the row. They say nothing of a cause."},
		{"state", "known, or why the group of a person is not known. Those rows are shares to mend."},
	}
	for i, line := range lines {
		if err := book.SetSheetRow(readMeSheet, "A"+strconv.Itoa(i+1), &[]string{line[0], line[1]}); err != nil {
			return err
		}
	}
	return book.SetColWidth(readMeSheet, "A", "B", 40) //nolint:mnd // As wide as a sentence needs.
}

package dashboard

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// fileWidth is the width of a picture in a file, in user units: that of the page.
const fileWidth = chart.Wide

// The files of all figures of a page. Every other file is named for the figure that it holds.
const (
	tableFile  = "figures"
	reportFile = "report"
)

// The endings of files, with what their content is. They are fixed here, because what the machine
// thinks of an ending is not ours to know.
const (
	endingCSV     = "csv"
	endingXLSX    = "xlsx"
	endingParquet = "parquet"
	endingJSON    = "json"
	endingSVG     = "svg"
	endingPNG     = "png"
)

func kindOf(ending string) string {
	switch ending {
	case endingCSV:
		return "text/csv; charset=utf-8"
	case endingXLSX:
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case endingParquet:
		return "application/vnd.apache.parquet"
	case endingJSON:
		return "application/fhir+json; charset=utf-8"
	case endingSVG:
		return "image/svg+xml"
	case endingPNG:
		return "image/png"
	}
	return "application/octet-stream"
}

// file serves the files of a builder's pages: its figures as pictures and as tables, and the results
// behind them as tables and as FHIR.
func (d *Dashboard) file(b builder) http.Handler {
	return d.serve(b, func(r *http.Request, v *visit, s *sheet) (*written, error) {
		name := r.PathValue(fileName)
		body, err := d.fileOf(name, v, s)
		if err != nil {
			return nil, err
		}
		made := &written{header: http.Header{}, body: body}
		for header, value := range map[string]string{
			"Content-Type":           kindOf(strings.TrimPrefix(path.Ext(name), ".")),
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Disposition": mime.FormatMediaType("attachment",
				map[string]string{"filename": v.fileName(s, name)}),
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		} {
			made.header.Set(header, value)
		}
		return made, made.zip()
	})
}

// fileOf makes the file of a name.
func (d *Dashboard) fileOf(name string, v *visit, s *sheet) ([]byte, error) {
	var out bytes.Buffer
	stem, ending, _ := strings.Cut(name, ".")
	if made, ok := s.extra[name]; ok {
		return made()
	}
	var err error
	switch stem {
	case tableFile:
		err = resultsAs(&out, export.Table{Results: s.results, Gaps: s.gaps, Software: v.software}, ending)
	case reportFile:
		err = d.report(&out, s, ending)
	default:
		err = v.figureAs(&out, s, stem, ending, fileWidth)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file: %w", err)
	}
	return out.Bytes(), nil
}

// resultsAs writes what was counted. A page without results has no such file.
func resultsAs(out *bytes.Buffer, table export.Table, ending string) error {
	if len(table.Results) == 0 {
		return errNotFound
	}
	switch ending {
	case endingCSV:
		return table.WriteCSV(out)
	case endingXLSX:
		return table.WriteXLSX(out)
	case endingParquet:
		return table.WriteParquet(out)
	}
	return errNotFound
}

// report writes the results as a FHIR MeasureReport, or several as a Bundle. What is suppressed is absent
// in the results, and said to be.
func (d *Dashboard) report(out *bytes.Buffer, s *sheet, ending string) error {
	if len(s.results) == 0 || ending != endingJSON {
		return errNotFound
	}
	marshal := func() ([]byte, error) {
		if len(s.results) > 1 {
			return r4.MarshalIndent(d.cfg.Reports.Bundle(s.results))
		}
		return r4.MarshalIndent(d.cfg.Reports.MeasureReport(s.results[0]))
	}
	text, err := marshal()
	if err != nil {
		return fmt.Errorf("write a report: %w", err)
	}
	_, _ = out.Write(text)
	return nil
}

// figureAs writes one figure: as a picture, or as the table beside it.
func (v *visit) figureAs(out *bytes.Buffer, s *sheet, id, ending string, width int) error {
	for _, f := range s.figures {
		if f.ID != id {
			continue
		}
		if ending == endingCSV && len(f.Table.Rows) > 0 {
			return f.Table.Plain(v.from(s)).WriteCSV(out)
		}
		if f.Chart == nil {
			return errNotFound
		}
		return v.drawAs(out, s, v.sourced(f), ending, width)
	}
	return errNotFound
}

// drawAs draws a figure that has a picture. What an SVG says as text, a PNG says in a chunk of its own.
func (v *visit) drawAs(out *bytes.Buffer, s *sheet, f figure.Figure, ending string, width int) error {
	switch ending {
	case endingSVG:
		return chart.SVG(out, f.Chart, chart.Options{Width: width})
	case endingPNG:
		var plain bytes.Buffer
		err := chart.PNG(&plain, f.Chart, chart.Options{Width: width})
		if err != nil {
			return err
		}
		text := append([]string{f.Title}, f.Sentences...)
		for _, one := range v.from(s) {
			if one.Value != "" {
				text = append(text, one.Name+": "+one.Value)
			}
		}
		picture, ok := captioned(plain.Bytes(), strings.Join(text, "\n"))
		if !ok {
			return errors.New("draw a picture: it has no header")
		}
		_, _ = out.Write(picture)
		return nil
	}
	return errNotFound
}

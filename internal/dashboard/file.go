package dashboard

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/equitylens/equitylens/measure/export"
	"github.com/equitylens/equitylens/server/chart"
	"github.com/equitylens/equitylens/server/figure"
)

// fileWidth is the width of a picture in a file, in user units: that of the page.
const fileWidth = 720

// file serves the files of a builder's pages: its figures as pictures, and the figures behind them as
// tables.
func (d *Dashboard) file(b builder) http.Handler {
	return d.serve(b, func(r *http.Request, v *visit, s *sheet) (*written, error) {
		name := r.PathValue(fileName)
		body, err := d.fileOf(name, v, s)
		if err != nil {
			return nil, err
		}
		made := &written{header: http.Header{}, body: body}
		kind := mime.TypeByExtension(path.Ext(name))
		if kind == "" {
			kind = "application/octet-stream"
		}
		for header, value := range map[string]string{
			"Content-Type": kind, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Content-Disposition":     mime.FormatMediaType("attachment", map[string]string{"filename": name}),
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
		} {
			made.header.Set(header, value)
		}
		return made, made.zip()
	})
}

// fileOf makes the file of a name.
func (d *Dashboard) fileOf(name string, _ *visit, s *sheet) ([]byte, error) {
	var out bytes.Buffer
	table := export.Table{Results: s.results, Gaps: s.gaps, Software: d.cfg.Software}
	stem, ending, _ := strings.Cut(name, ".")
	var err error
	switch {
	case stem == tableFile && ending == "csv":
		err = table.WriteCSV(&out)
	case stem == tableFile && ending == "xlsx":
		err = table.WriteXLSX(&out)
	case stem == tableFile && ending == "parquet":
		err = table.WriteParquet(&out)
	default:
		err = picture(&out, s.figures, stem, ending)
	}
	if err != nil {
		return nil, fmt.Errorf("make a file: %w", err)
	}
	return out.Bytes(), nil
}

// tableFile is the name of the file of all figures of a page.
const tableFile = "figures"

// picture draws the figure of an id.
func picture(out *bytes.Buffer, figures []figure.Figure, id, ending string) error {
	for _, f := range figures {
		if f.ID != id || f.Chart == nil {
			continue
		}
		switch ending {
		case "svg":
			return chart.SVG(out, f.Chart, chart.Options{Width: fileWidth})
		case "png":
			return chart.PNG(out, f.Chart, chart.Options{Width: fileWidth})
		}
	}
	return errNotFound
}

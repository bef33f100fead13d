package population

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// WriteNDJSON writes the whole population to dir, as a hospital hands out an export: parts files of
// each type, named like Encounter.000.ndjson or Encounter.000.ndjson.gz. Memory does not grow with
// the population. On an error the files are left as they are, some of them cut short.
func (p *Population) WriteNDJSON(ctx context.Context, dir string, parts int, compress bool) error {
	g := newGenerator(p.settings)
	parts = max(1, min(parts, p.settings.patients))
	for part := range parts {
		if err := p.writePart(ctx, g, dir, part, parts, compress); err != nil {
			return err
		}
	}
	return p.writeOrganizations(dir, compress)
}

// Part bounds: the people of part of parts.
func (p *Population) bounds(part, parts int) (first, last int) {
	return p.settings.patients * part / parts, p.settings.patients * (part + 1) / parts
}

func (p *Population) writePart(
	ctx context.Context, g *generator, dir string, part, parts int, compress bool,
) (err error) {
	outputs := make([]*output, 0, Organization)
	defer func() {
		for _, o := range outputs {
			err = errors.Join(err, o.close())
		}
	}()
	for kind := range Organization {
		o, err := create(dir, kind, part, compress)
		if err != nil {
			return err
		}
		outputs = append(outputs, o)
	}
	first, last := p.bounds(part, parts)
	var buf []byte
	var list []item
	return g.each(ctx, first, last, func() error {
		for kind := range Organization {
			buf, list = buf[:0], g.items(list[:0], kind, everything)
			for _, it := range list {
				buf = append(g.append(buf, it), '\n')
			}
			if _, err := outputs[kind].Write(buf); err != nil {
				return fmt.Errorf("write %s lines: %w", kind, err)
			}
		}
		return nil
	})
}

func (p *Population) writeOrganizations(dir string, compress bool) error {
	o, err := create(dir, Organization, 0, compress)
	if err != nil {
		return err
	}
	var buf []byte
	for i := range sites {
		buf = append(appendOrganization(buf, i), '\n')
	}
	_, err = o.Write(buf)
	return errors.Join(err, o.close())
}

// output is one file, buffered and perhaps compressed.
type output struct {
	io.Writer
	closers []func() error
}

const fileBuffer = 1 << 18

func create(dir string, kind Type, part int, compress bool) (*output, error) {
	name := fmt.Sprintf("%s.%03d.ndjson", kind, part)
	if compress {
		name += ".gz"
	}
	f, err := os.Create(filepath.Join(dir, name)) // #nosec G304 -- the caller's folder
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	b := bufio.NewWriterSize(f, fileBuffer)
	o := &output{Writer: b, closers: []func() error{b.Flush, f.Close}}
	if compress {
		z, err := gzip.NewWriterLevel(b, gzip.BestSpeed)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		z.ModTime = time.Time{}
		o.Writer = z
		o.closers = append([]func() error{z.Close}, o.closers...)
	}
	return o, nil
}

func (o *output) close() error {
	var errs []error
	for _, c := range o.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

package fhirtest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/equitylens/equitylens/fhir/fhirtest/population"
)

// How often the line faults strike, and where the bad lines go.
const (
	everyRepeat = 5
	everyJoin   = 10
	everyBlank  = 4
	badAfter    = 3
	depth       = 100_000
	chunk       = 1 << 20
)

// errCut is why a file ends in the middle.
var errCut = errors.New("connection cut by fault")

// liner writes lines with the faults of the files.
type liner struct {
	out    io.Writer
	faults map[Fault]bool
	bad    []badLine
	seen   int
	// begun says that something was written.
	begun bool
	// stopAfter cuts the connection in the line after so many; 0 never does.
	stopAfter int
	// held is the line not written yet, because the last one may be cut short.
	held    []byte
	holding bool
}

func (s *Server) newLiner(out io.Writer, f exportFile) *liner {
	l := &liner{out: out, faults: s.faults}
	if f.kind == population.Encounter && f.part == 0 {
		l.bad = s.badLines()
	}
	return l
}

// line takes one resource.
func (l *liner) line(line []byte) error {
	if l.seen == badAfter {
		if err := l.putBad(); err != nil {
			return err
		}
	}
	l.seen++
	if l.stopAfter > 0 && l.seen > l.stopAfter {
		if err := l.release(false); err != nil {
			return err
		}
		_, _ = l.out.Write(line[:len(line)/2])
		return errCut
	}
	if err := l.hold(line); err != nil {
		return err
	}
	if l.faults[Duplicates] && l.seen%everyRepeat == 0 {
		return l.hold(line)
	}
	return nil
}

// hold writes the line held before and keeps this one.
func (l *liner) hold(line []byte) error {
	err := l.release(false)
	l.held, l.holding = append(l.held[:0], line...), true
	return err
}

// release writes the held line. The last line of a file always ends.
func (l *liner) release(last bool) error {
	if !l.holding {
		return nil
	}
	l.holding = false
	ending := "\n"
	if l.faults[BOMCRLFBlankLines] {
		ending = "\r\n"
		if l.seen%everyBlank == 0 {
			ending = "\r\n\r\n"
		}
		if !l.begun {
			if _, err := io.WriteString(l.out, "\ufeff"); err != nil {
				return err
			}
		}
	}
	l.begun = true
	if l.faults[TwoObjectsPerLine] && l.seen%everyJoin == 0 && !last {
		ending = ""
	}
	if _, err := l.out.Write(l.held); err != nil {
		return err
	}
	_, err := io.WriteString(l.out, ending)
	return err
}

// end writes what is held: all of it, or its first half.
func (l *liner) end() error {
	if l.seen <= badAfter {
		if err := l.putBad(); err != nil {
			return err
		}
	}
	if !l.holding {
		return nil
	}
	if l.faults[TruncatedLastLine] {
		l.holding = false
		_, err := l.out.Write(l.held[:len(l.held)/2])
		return err
	}
	return l.release(true)
}

func (l *liner) putBad() error {
	if len(l.bad) == 0 {
		return nil
	}
	if err := l.release(true); err != nil {
		return err
	}
	for _, b := range l.bad {
		if err := b(l.out); err != nil {
			return fmt.Errorf("write bad line: %w", err)
		}
	}
	l.bad = nil
	return nil
}

// badLine writes a line, with its newline, that does not belong in the file.
type badLine func(io.Writer) error

func textLine(text string) badLine {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text+"\n")
		return err
	}
}

// repeatLine writes before, then unit until size bytes are reached, then after.
func repeatLine(before, unit string, size int64, after string) badLine {
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, before); err != nil {
			return err
		}
		block := []byte(strings.Repeat(unit, max(1, min(chunk, int(size))/len(unit))))
		for left := size; left > 0; left -= int64(len(block)) {
			if int64(len(block)) > left {
				block = block[:left]
			}
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, after+"\n")
		return err
	}
}

const (
	encounterHead = `{"resourceType":"Encounter","id":"bad-`
	classAMB      = `"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}`
)

// badLines are the lines that the faults put into the first Encounter file.
func (s *Server) badLines() []badLine {
	var out []badLine
	add := func(f Fault, lines ...badLine) {
		if s.faults[f] {
			out = append(out, lines...)
		}
	}
	add(BadLine, textLine(encounterHead+`1","status":finished,]`))
	add(HugeLine, repeatLine(encounterHead+`2","status":"finished","text":{"status":"generated","div":"`,
		"x", s.config.HugeLine, `"}}`))
	add(DeepJSON, func(w io.Writer) error {
		_, err := io.WriteString(w, encounterHead+`3","extension":`+strings.Repeat("[", depth)+
			strings.Repeat("]", depth)+"}\n")
		return err
	})
	add(DuplicateKeys, textLine(encounterHead+`4","status":"cancelled","status":"finished",`+classAMB+`}`))
	add(OddText,
		textLine(encounterHead+`5","status":"finished","text":{"div":"\ud800"},`+classAMB+`}`),
		textLine(encounterHead+`6","status":"finished","text":{"div":"\u0000"},`+classAMB+`}`),
		textLine(encounterHead+`7","status":"finished","text":{"div":"`+"\xff"+`"},`+classAMB+`}`),
		textLine(encounterHead+`8","status":"finished","length":{"value":1e999999},`+classAMB+`}`))
	add(WrongVersion,
		textLine(encounterHead+`9","status":"completed","class":[{"coding":[{"code":"AMB"}]}],`+
			`"subject":{"reference":"Patient/none"},"actualPeriod":{"start":"2025-03-01","end":"2025-03-01"}}`),
		textLine(encounterHead+`10","status":"finished","class":{"code":"AMB"},"patient":{"reference":"Patient/none"},`+
			`"hospitalization":{"dischargeDisposition":"home"},"reason":[{"text":"check"}]}`))
	return out
}

// writeBomb writes a gzip of about size bytes that decode to one endless line. It repeats a
// compressed member, so that it costs next to nothing to write.
func writeBomb(ctx context.Context, w io.Writer, size int64) error {
	var member bytes.Buffer
	z, err := gzip.NewWriterLevel(&member, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("make bomb: %w", err)
	}
	block := bytes.Repeat([]byte("x"), chunk)
	if _, err := z.Write(block); err != nil {
		return fmt.Errorf("make bomb: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("make bomb: %w", err)
	}
	for sent := int64(0); sent < size; sent += chunk {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if _, err := w.Write(member.Bytes()); err != nil {
			return fmt.Errorf("send bomb: %w", err)
		}
	}
	return nil
}

package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Block is a run of whole lines of an NDJSON file.
type Block struct {
	// Data ends with the newline of its last line, except at the end of a file that has none.
	Data []byte
	// First is the number of its first line, counted from 1; Offset is where that line starts.
	First  int64
	Offset int64
	// Oversize is the length of a single line that was passed over because it is longer than the cap;
	// Data is then the beginning of it.
	Oversize int64

	lineCap int
}

// Line is one line of a file, without its line end.
type Line struct {
	Number int64
	Offset int64
	Bytes  []byte
	// TooLong marks a line over the cap; Bytes is then the beginning of it.
	TooLong bool
	// Length is the length of the line in the file.
	Length int64
}

// Blocks cuts a stream into blocks, holding no more in memory than one block or the cap of a line.
type Blocks struct {
	in     io.Reader
	size   int
	cap    int
	rest   []byte
	line   int64
	offset int64
	done   bool
}

const (
	// DefaultBlock is large enough that a worker is busy for milliseconds with it.
	DefaultBlock = 1 << 20
	// DefaultLineCap is sixteen times the longest Patient that we have seen with a photograph in it.
	DefaultLineCap = 16 << 20
	// keptOfOversize is how much of a line over the cap is kept to recognise it by.
	keptOfOversize = 4 << 10
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// NewBlocks reads blocks of about size bytes from in and passes over lines longer than lineCap.
func NewBlocks(in io.Reader, size, lineCap int) *Blocks {
	return &Blocks{in: in, size: size, cap: max(lineCap, 1), line: 1}
}

// Next returns the next block, or io.EOF. Its Data is the caller's to keep: it may be handed to
// another goroutine. buf, if large enough, is used for it.
func (b *Blocks) Next(buf []byte) (Block, error) {
	for {
		if b.done && len(b.rest) == 0 {
			return Block{}, io.EOF
		}
		data, err := b.fill(append(buf[:0], b.rest...))
		if err != nil {
			return Block{}, err
		}
		if b.offset == 0 && bytes.HasPrefix(data, byteOrderMark) {
			b.rest = append(b.rest[:0], data[len(byteOrderMark):]...)
			b.offset = int64(len(byteOrderMark))
			continue
		}
		end := bytes.LastIndexByte(data, '\n') + 1
		switch {
		case end == 0 && b.done:
			end = len(data)
		case end == 0:
			return b.skipLine(data)
		}
		b.rest = append(b.rest[:0], data[end:]...)
		if end == 0 {
			continue
		}
		return b.take(data[:end]), nil
	}
}

// fill reads until the data holds a line end and a block's worth, or more than a line may be.
func (b *Blocks) fill(data []byte) ([]byte, error) {
	want := b.size
	for !b.done {
		if len(data) >= want {
			if bytes.IndexByte(data, '\n') >= 0 || len(data) > b.cap {
				break
			}
			want = min(2*len(data), b.cap+1)
		}
		if cap(data) < want {
			data = append(make([]byte, 0, want), data...)
		}
		n, err := b.in.Read(data[len(data):want])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			b.done = true
		} else if err != nil {
			return nil, fmt.Errorf("read after line %d, byte %d: %w", b.line-1, b.offset, err)
		}
	}
	return data, nil
}

func (b *Blocks) take(data []byte) Block {
	block := Block{Data: data, First: b.line, Offset: b.offset, lineCap: b.cap}
	b.line += int64(bytes.Count(data, []byte{'\n'}))
	b.offset += int64(len(data))
	return block
}

// skipLine reads to the end of a line that is over the cap and keeps its beginning.
func (b *Blocks) skipLine(data []byte) (Block, error) {
	kept := bytes.Clone(data[:min(len(data), keptOfOversize)])
	length := int64(len(data))
	for !b.done {
		n, err := b.in.Read(data[:cap(data)])
		if errors.Is(err, io.EOF) {
			b.done = true
		} else if err != nil {
			return Block{}, fmt.Errorf("read line %d, byte %d: %w", b.line, b.offset+length, err)
		}
		if end := bytes.IndexByte(data[:n], '\n'); end >= 0 {
			length += int64(end) + 1
			b.rest = append(b.rest[:0], data[end+1:n]...)
			break
		}
		length += int64(n)
		b.rest = b.rest[:0]
	}
	block := Block{Data: kept, First: b.line, Offset: b.offset, Oversize: length}
	b.line++
	b.offset += length
	return block, nil
}

// Lines yields the lines of a block that hold anything but white space.
func (b Block) Lines() iter.Seq[Line] {
	return func(yield func(Line) bool) {
		if b.Oversize > 0 {
			yield(Line{Number: b.First, Offset: b.Offset, Bytes: b.Data, TooLong: true, Length: b.Oversize})
			return
		}
		rest, number, offset := b.Data, b.First, b.Offset
		for len(rest) > 0 {
			text, length := rest, len(rest)
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				text, length = rest[:end], end+1
			}
			trimmed := bytes.TrimSpace(text)
			line := Line{Number: number, Offset: offset, Bytes: trimmed, Length: int64(len(trimmed))}
			line.TooLong = len(trimmed) > b.lineCap
			if len(trimmed) > 0 && !yield(line) {
				return
			}
			rest, number, offset = rest[length:], number+1, offset+int64(length)
		}
	}
}

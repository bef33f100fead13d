package trail

import (
	"bytes"
	"errors"
	"io"
)

// blockSize is how much of a file is read at a time.
const blockSize = 64 << 10

// chunk is some whole lines of a file as they follow each other, each with its end, from an offset
// on. One without text is a single line that is longer than any of ours.
type chunk struct {
	at   int64
	text []byte
}

// chunks yields the whole lines of a file that end at or before offset, about size bytes at a time,
// the last ones first. What follows the last end of a line is no line: somebody is writing it, or was
// killed while writing. A chunk is good until yield returns.
func chunks(
	file io.ReaderAt, offset, size int64, yield func(chunk) (more bool, err error),
) error {
	var buffer []byte
	whole, room := false, size
	for offset > 0 {
		start := max(0, offset-room)
		text, err := read(file, buffer, start, offset)
		if err != nil {
			return err
		}
		buffer = text
		if !whole {
			i := bytes.LastIndexByte(text, '\n')
			whole = i >= 0
			text, offset = text[:i+1], start+int64(i)+1
		}
		if len(text) == 0 {
			continue
		}
		begin := 0
		if start > 0 { // The line that begins before is for the next chunk.
			begin = bytes.IndexByte(text, '\n') + 1
		}
		next := chunk{at: start + int64(begin), text: text[begin:]}
		if begin == len(text) {
			if len(text) <= maxLine+1 {
				room *= 2
				continue
			}
			if next.at, err = lineStart(file, start); err != nil {
				return err
			}
			next.text = nil
		}
		if more, err := yield(next); err != nil || !more {
			return err
		}
		offset, room = next.at, size
	}
	return nil
}

// read returns what is between two offsets, in buffer if there is room. What a writer took back
// meanwhile, because it could not write all of it, is zeros.
func read(file io.ReaderAt, buffer []byte, from, to int64) ([]byte, error) {
	if int64(cap(buffer)) < to-from {
		buffer = make([]byte, to-from)
	}
	buffer = buffer[:to-from]
	n, err := file.ReadAt(buffer, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	clear(buffer[n:])
	return buffer, nil
}

// lineStart is where the line begins that offset is in.
func lineStart(file io.ReaderAt, offset int64) (int64, error) {
	var buffer []byte
	for offset > 0 {
		start := max(0, offset-blockSize)
		text, err := read(file, buffer, start, offset)
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		buffer, offset = text, start
	}
	return 0, nil
}

// first is the first line of a chunk, without its end.
func (c chunk) first() []byte {
	line, _, _ := bytes.Cut(c.text, []byte("\n"))
	return line
}

// lines yields the lines of a chunk, the last one first, each without its end and with the offset at
// which it begins. One that is longer than any of ours is nil.
func (c chunk) lines(yield func(text []byte, at int64) (more bool, err error)) (bool, error) {
	rest := bytes.TrimSuffix(c.text, []byte("\n"))
	for {
		i := bytes.LastIndexByte(rest, '\n')
		text := rest[i+1:]
		if len(text) > maxLine {
			text = nil
		}
		if more, err := yield(text, c.at+int64(i)+1); err != nil || !more {
			return false, err
		}
		if i < 0 {
			return true, nil
		}
		rest = rest[:i]
	}
}

// backward yields the lines of all chunks.
func backward(
	file io.ReaderAt, offset int64, yield func(text []byte, at int64) (more bool, err error),
) error {
	return chunks(file, offset, blockSize, func(c chunk) (bool, error) { return c.lines(yield) })
}

package client

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// stallBody is a body whose silence is bounded while its length is not. Time that the reader spends
// elsewhere does not count.
type stallBody struct {
	op   string
	body io.ReadCloser
	// ctx is the request's own: it tells why the body broke off.
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
}

// newStallBody wraps body; cancel ends the request it belongs to.
func newStallBody(
	ctx context.Context, cancel context.CancelCauseFunc, op string, body io.ReadCloser,
	limit time.Duration,
) *stallBody {
	timer := time.AfterFunc(limit, func() { cancel(errStalled) })
	timer.Stop()
	return &stallBody{op: op, body: body, ctx: ctx, cancel: cancel, limit: limit, timer: timer}
}

// Read reads, and fails with a *TransportError if the body breaks off or falls silent.
func (b *stallBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.limit)
	n, err := b.body.Read(p)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = transportError(b.ctx, b.op, err)
	}
	return n, err
}

// Close ends the request, whether or not all was read.
func (b *stallBody) Close() error {
	b.timer.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}

// gzipMagic starts every gzip member (RFC 1952 2.3.1).
const gzipMagic = "\x1f\x8b"

// ReadDocument reads a whole body of at most limit bytes, unpacked, and closes it. Whether it is
// gzip is told by its first bytes.
func ReadDocument(answer *http.Response, limit int64) ([]byte, error) {
	defer func() { _ = answer.Body.Close() }()
	var source io.Reader = bufio.NewReader(answer.Body)
	if head, _ := source.(*bufio.Reader).Peek(len(gzipMagic)); string(head) == gzipMagic {
		unpacked, err := gzip.NewReader(source)
		if err != nil {
			return nil, fmt.Errorf("unpack answer: %w", err)
		}
		source = unpacked
	}
	var document bytes.Buffer
	n, err := io.Copy(&document, io.LimitReader(source, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if n > limit {
		return nil, fmt.Errorf("read answer: %w of %d bytes", errTooLarge, limit)
	}
	return document.Bytes(), nil
}

package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	cpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/codes_go_proto"
	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
)

// maxBatch bounds the requests of one batch.
const maxBatch = 50

// batch answers a Bundle of GETs in their order (http://hl7.org/fhir/R4/http.html#transaction).
// Each is a request of its own, with the token of the batch: what the token does not cover fails
// alone. Nothing here changes anything, so that a transaction would be no more than a batch; it is
// refused, because a client that asks for one expects to write.
func (s *Server) batch(r *http.Request) (proto.Message, error) {
	asked, err := readBundle(r)
	if err != nil {
		return nil, err
	}
	switch asked.GetType().GetValue() {
	case cpb.BundleTypeCode_BATCH:
	case cpb.BundleTypeCode_TRANSACTION:
		return nil, notSupported("Bundle.type", "nothing is written here; send a batch")
	default:
		return nil, badRequest(cpb.IssueTypeCode_VALUE, "Bundle.type", "the Bundle must be a batch")
	}
	if len(asked.Entry) > maxBatch {
		return nil, tooManyEntries()
	}
	out := &rpb.Bundle{Type: &rpb.Bundle_TypeCode{Value: cpb.BundleTypeCode_BATCH_RESPONSE}}
	for _, entry := range asked.Entry {
		if err := r.Context().Err(); err != nil {
			return nil, fmt.Errorf("answer a batch: %w", err)
		}
		answered, err := s.entry(r, entry.GetRequest())
		if err != nil {
			return nil, err
		}
		out.Entry = append(out.Entry, answered)
	}
	return out, nil
}

func readBundle(r *http.Request) (*rpb.Bundle, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != "application/fhir+json" && kind != "application/json") {
		return nil, errMedia
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read a batch: %w", err)
	}
	resource, err := r4.Unmarshal(text)
	if err != nil {
		return nil, fmt.Errorf("read a batch: %w", err)
	}
	if resource.GetBundle() == nil {
		return nil, badRequest(cpb.IssueTypeCode_STRUCTURE, "", "the body is not a Bundle")
	}
	return resource.GetBundle(), nil
}

// entry answers one request of a batch as if it had come alone.
func (s *Server) entry(
	r *http.Request, asked *rpb.Bundle_Entry_Request,
) (*rpb.Bundle_Entry, error) {
	answer := &memory{header: http.Header{}}
	e := &event{id: eventOf(r).id, route: noRoute}
	ctx := context.WithValue(r.Context(), eventKey{}, e)
	one, ok := s.request(ctx, asked.GetUrl().GetValue())
	switch {
	case asked.GetMethod().GetValue() != cpb.HTTPVerbCode_GET:
		s.fail(answer, r.Clone(ctx), errMethod)
	case !ok:
		s.fail(answer, r.Clone(ctx), errNoRoute)
	default:
		one.Header.Set("Authorization", r.Header.Get("Authorization"))
		one.RemoteAddr = r.RemoteAddr
		if from := r.Header.Values("X-Forwarded-For"); from != nil {
			one.Header["X-Forwarded-For"] = from
		}
		if tag := asked.GetIfNoneMatch().GetValue(); tag != "" {
			one.Header.Set("If-None-Match", tag)
		}
		s.inner.ServeHTTP(answer, one)
	}
	if e.err != nil {
		eventOf(r).err = e.err // What is our fault is in the log, though the batch as a whole is well.
	}
	return answer.entry()
}

// request makes the request of an entry, whose address is relative to our base, or below it.
func (s *Server) request(ctx context.Context, address string) (*http.Request, bool) {
	address = strings.TrimPrefix(address, s.cfg.BaseURL)
	at, err := url.Parse(fhirBase + "/" + strings.TrimPrefix(address, "/"))
	if err != nil || at.Host != "" {
		return nil, false
	}
	one, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	return one, err == nil
}

// memory is the http.ResponseWriter of an entry.
type memory struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (m *memory) Header() http.Header { return m.header }

// WriteHeader implements http.ResponseWriter.
func (m *memory) WriteHeader(status int) {
	if m.status == 0 {
		m.status = status
	}
}

// Write implements http.ResponseWriter.
func (m *memory) Write(p []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return m.body.Write(p) //nolint:wrapcheck // A bytes.Buffer has no errors.
}

// entry is the answer as a part of the batch-response. An outcome stands where R4 wants it.
func (m *memory) entry() (*rpb.Bundle_Entry, error) {
	out := &rpb.Bundle_Entry{Response: &rpb.Bundle_Entry_Response{
		Status: r4.Text(strconv.Itoa(m.status) + " " + http.StatusText(m.status)),
		Etag:   r4.Text(m.header.Get("ETag")),
	}}
	if m.body.Len() == 0 {
		return out, nil
	}
	resource, err := r4.Unmarshal(m.body.Bytes())
	if err != nil {
		return nil, fmt.Errorf("answer a batch: %w", err)
	}
	if m.status < http.StatusBadRequest {
		out.Resource = resource
		return out, nil
	}
	out.Response.Outcome = resource
	return out, nil
}

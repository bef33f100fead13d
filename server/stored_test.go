package server_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	rpb "github.com/google/fhir/go/proto/google/fhir/proto/r4/core/resources/bundle_and_contained_resource_go_proto"

	"github.com/equitylens/equitylens/fhir/r4"
	"github.com/equitylens/equitylens/measure/report/reporttest"
	"github.com/equitylens/equitylens/server"
)

// bundle asks for a searchset.
func (f *fixture) bundle(t *testing.T, target, scopes string) *rpb.Bundle {
	t.Helper()
	w := f.get(target, scopes)
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK || resource.GetBundle() == nil {
		t.Fatalf("GET %s = %d: %s", target, w.Code, w.Body)
	}
	return resource.GetBundle()
}

func ids(bundle *rpb.Bundle) []string {
	var all []string
	for _, entry := range bundle.GetEntry() {
		all = append(all, entry.GetResource().GetMeasureReport().GetId().GetValue())
	}
	return all
}

// link is the path of a link of a bundle; "" where there is none.
func link(bundle *rpb.Bundle, relation string) string {
	for _, one := range bundle.GetLink() {
		if one.GetRelation().GetValue() == relation {
			return strings.TrimPrefix(one.GetUrl().GetValue(), "https://quality.example.org")
		}
	}
	return ""
}

func TestStoredReportsAreSearched(t *testing.T) {
	t.Parallel()
	const (
		los2017 = "length-of-stay.20170101.20171231"
		los2018 = "length-of-stay.20180101.20181231"
		ratio   = "reporting-ratio.20180101.20181231"
		june    = "length-of-stay.20180601.20180630"
	)
	canonical := "https://equitylens.org/fhir/Measure/length-of-stay"
	tests := []struct {
		name, query, scopes string
		want                []string
	}{
		{"all that are public", "", reportScope, []string{los2017, los2018, ratio}},
		{"by id", "?_id=" + los2018, reportScope, []string{los2018}},
		{"by one of two ids", "?_id=nothing," + ratio, reportScope, []string{ratio}},
		{"by measure", "?measure=" + url.QueryEscape(canonical), reportScope, []string{los2017, los2018}},
		{"by measure and version", "?measure=" + url.QueryEscape(canonical+"|1.0.0"), reportScope,
			[]string{los2017, los2018}},
		{"by another version", "?measure=" + url.QueryEscape(canonical+"|2.0.0"), reportScope, nil},
		{"by the reference of a measure", "?measure=Measure/reporting-ratio", reportScope,
			[]string{ratio}},
		{"by a period that holds it", "?period=2018&_id=" + los2018, reportScope, []string{los2018}},
		{"by a period that it is longer than", "?period=2018-06", reportScope, nil},
		{"a month inside", "?period=2018-06", internalScope, []string{june}},
		{"that begins later", "?period=sa2017-12-31", reportScope, []string{los2018, ratio}},
		{"that ended before", "?period=eb2018-01-01", reportScope, []string{los2017}},
		{"from a day on", "?period=ge2018-12-01&measure=reporting-ratio", reportScope, []string{ratio}},
		{"up to a day", "?period=le2017", reportScope, []string{los2017}},
		{"two ends", "?period=ge2018-06-01&period=le2018-06-30&period=eq2018-06", internalScope,
			[]string{june}},
		{"by the day it was made", "?date=2019-01-02&measure=reporting-ratio", reportScope,
			[]string{ratio}},
		{"by the moment it was made", "?date=2019-01-02T03:04:05Z&measure=reporting-ratio", reportScope,
			[]string{ratio}},
		{"by a later day", "?date=gt2019-01-02", reportScope, nil},
		{"by status", "?status=error", reportScope, []string{ratio}},
		{"by type", "?type=summary&status=http://x%7Ccomplete", reportScope, []string{los2017, los2018}},
		{"of another type", "?type=individual", reportScope, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bundle := newFixture(t).bundle(t, "/fhir/MeasureReport"+tt.query, tt.scopes)
			if diff := cmp.Diff(tt.want, ids(bundle)); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
			if int(bundle.GetTotal().GetValue()) != len(tt.want) {
				t.Errorf("total is %d, want %d", bundle.GetTotal().GetValue(), len(tt.want))
			}
			for _, entry := range bundle.GetEntry() {
				if err := reporttest.Check(entry.GetResource().GetMeasureReport()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestPagesAreReadByTheirLinks goes forth and back and finds every report once.
func TestPagesAreReadByTheirLinks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	all := ids(f.bundle(t, "/fhir/MeasureReport", internalScope))
	if len(all) != 15 {
		t.Fatalf("there are %d reports, want 15", len(all))
	}
	var got, back []string
	var last string
	for at := "/fhir/MeasureReport?_count=4&audience=internal"; at != ""; {
		page := f.bundle(t, at, internalScope)
		self := link(page, "self")
		if page.GetTotal().GetValue() != 15 || !strings.Contains(self, "audience=internal") {
			t.Errorf("%s: total %d, self %s", at, page.GetTotal().GetValue(), self)
		}
		got = append(got, ids(page)...)
		last, at = at, link(page, "next")
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("forth (-want +got):\n%s", diff)
	}
	page := f.bundle(t, last, internalScope)
	if diff := cmp.Diff(ids(f.bundle(t, link(page, "last"), internalScope)), ids(page)); diff != "" {
		t.Errorf("the last page (-last +got):\n%s", diff)
	}
	for {
		back = slices.Concat(ids(page), back)
		if link(page, "previous") == "" {
			break
		}
		page = f.bundle(t, link(page, "previous"), internalScope)
	}
	if diff := cmp.Diff(all, back); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ids(f.bundle(t, link(page, "first"), internalScope)), ids(page)); diff != "" {
		t.Errorf("the first page (-first +got):\n%s", diff)
	}
	if page := f.bundle(t, "/fhir/MeasureReport?_count=0", internalScope); len(page.GetEntry()) > 0 ||
		page.GetTotal().GetValue() != 15 {
		t.Errorf("a count of 0 gives %d of %d", len(page.GetEntry()), page.GetTotal().GetValue())
	}
	if page := f.bundle(t, "/fhir/MeasureReport?_offset=99", internalScope); len(page.GetEntry()) > 0 {
		t.Errorf("beyond the end are %v", ids(page))
	}
}

func TestAStoredReportIsRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const target = "/fhir/MeasureReport/length-of-stay.20180101.20181231"
	w := f.get(target, reportScope)
	resource, err := r4.Unmarshal(w.Body.Bytes())
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	made := resource.GetMeasureReport()
	if err := reporttest.Check(made); err != nil {
		t.Error(err)
	}
	if made.GetId().GetValue() != "length-of-stay.20180101.20181231" {
		t.Errorf("the id is %s", made.GetId().GetValue())
	}
	if !strings.Contains(w.Body.String(), `"date":"2019-01-02T03:04:05Z"`) {
		t.Errorf("the date is not that of the figures: %s", w.Body)
	}
	asked := f.measures.times()
	if again := f.get(target, reportScope); again.Body.String() != w.Body.String() ||
		f.measures.times() != asked {
		t.Error("the report was made again")
	}
	const month = "/fhir/MeasureReport/length-of-stay.20180601.20180630"
	for name, other := range map[string]struct {
		target, scopes string
		want           int
	}{
		"a year that is not stored": {strings.ReplaceAll(target, "2018", "2016"), reportScope, 404},
		"a month, for the public":   {month, reportScope, 404},
		"a month, inside":           {month, internalScope, 200},
		"a report of no measure":    {"/fhir/MeasureReport/x", reportScope, 404},
		"another audience":          {target + "?audience=internal", reportScope, 403},
	} {
		if w := f.get(other.target, other.scopes); w.Code != other.want {
			t.Errorf("%s = %d, want %d: %s", name, w.Code, other.want, w.Body)
		}
	}
}

func TestSearchesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, query string
		status      int
		code        string
	}{
		{"a date that is none", "?period=yesterday", 400, "VALUE"},
		{"a prefix that is none", "?period=xx2018", 400, "VALUE"},
		{"a prefix alone", "?date=ge", 400, "VALUE"},
		{"a count that is none", "?_count=many", 400, "VALUE"},
		{"a negative offset", "?_offset=-1", 400, "VALUE"},
		{"two counts", "?_count=1&_count=2", 400, "INVALID"},
		{"an audience that the token does not cover", "?audience=internal", 403, "FORBIDDEN"},
		{"a malformed query", "?%zz", 400, "INVALID"},
	} {
		w := newFixture(t).get("/fhir/MeasureReport"+tt.query, reportScope)
		if code, _ := outcome(t, w.Body.Bytes()); w.Code != tt.status || code != tt.code {
			t.Errorf("%s = %d %s, want %d %s", tt.name, w.Code, code, tt.status, tt.code)
		}
	}
	f := newFixture(t, func(c *server.Config) { c.Reports = nil })
	for _, path := range []string{"/fhir/MeasureReport", "/fhir/MeasureReport/x"} {
		if w := f.get(path, reportScope); w.Code != http.StatusNotImplemented {
			t.Errorf("%s without stored reports = %d", path, w.Code)
		}
	}
}

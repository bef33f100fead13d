package bulk

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEncodingsAreToldByTheBytes serves plain and packed files under right and wrong headers.
func TestEncodingsAreToldByTheBytes(t *testing.T) {
	t.Parallel()
	want := lines("Patient", 50)
	for _, packed := range []bool{false, true} {
		for _, header := range []string{"", "gzip", "identity", "x-gzip, nonsense"} {
			t.Run(fmt.Sprintf("packed %t as %q", packed, header), func(t *testing.T) {
				t.Parallel()
				h := newHospital(t, want)
				h.onFile = func(w http.ResponseWriter, r *http.Request, f served) bool {
					if r.Header.Get("Accept") != "application/fhir+ndjson" {
						return refuse(w, http.StatusNotAcceptable, "")
					}
					if header != "" {
						w.Header().Set("Content-Encoding", header)
					}
					body := f.body
					if packed {
						body = pack(t, body)
					}
					_, _ = io.Copy(w, bytes.NewReader(body))
					return true
				}
				export, err := h.run()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]string{"Patient-00001": string(want.body)}, contents(t, export)); diff != "" {
					t.Errorf("contents (-want +got):\n%s", diff)
				}
				if strings.HasSuffix(export.Files[0].Path, ".gz") != packed || export.Files[0].Lines != 50 {
					t.Errorf("file = %+v", export.Files[0])
				}
			})
		}
	}
}

// TestGzipBombIsRefused serves a file that unpacks a thousandfold. It is not fetched twice.
func TestGzipBombIsRefused(t *testing.T) {
	t.Parallel()
	bomb := served{Output, "Patient", pack(t, make([]byte, 64<<20)), -1}
	h := newHospital(t, bomb, lines("Encounter", 1))
	export, err := h.run()
	if err != nil || !export.Partial || len(export.Files) != 1 || h.asked("GET /fhir/file/0") != 1 {
		t.Fatalf("Run = %+v, %v", export, err)
	}
	if !strings.Contains(export.Problems[0].Reason, ErrBomb.Error()) {
		t.Errorf("problem = %+v", export.Problems[0])
	}
}

package fhirtest

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzReadParameters(f *testing.F) {
	for _, seed := range []string{"", "{}", "[", `{"resourceType":"Parameters"}`,
		`{"resourceType":"Parameters","parameter":[{"name":"_type","valueString":"Patient"}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":1,"valueString":{}},{"value":"x"}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, err := readParameters(bytes.NewReader(body))
		if (values == nil) == (err == nil) {
			t.Errorf("readParameters(%q) = %v, %v", body, values, err)
		}
	})
}

func FuzzGranted(f *testing.F) {
	f.Add("system/*.rs", "system/Patient.rs")
	f.Add("system/Patient.read system/.x system/*", "system/*.* user/x.rs")
	f.Fuzz(func(t *testing.T, asked, registered string) {
		have := strings.Fields(registered)
		for _, scope := range granted(strings.Fields(asked), have) {
			resource, rights, ok := system(scope)
			covered := false
			for _, h := range have {
				covered = covered || covers(h, resource, rights)
			}
			if !ok || !covered {
				t.Errorf("granted(%q, %q) gives %q", asked, registered, scope)
			}
		}
	})
}

package dial

import (
	"errors"
	"net/url"
	"testing"
)

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPermit(t *testing.T) {
	t.Parallel()
	const always, onLoopback, never = "always", "where loopback is allowed", "never"
	for _, tt := range []struct{ in, want string }{
		{"https://ehr.example.org/fhir", always},
		{"HTTPS://ehr.example.org:8443", always},
		{"https://[2001:db8::1]/", always},
		{"http://127.0.0.1:8080/fhir", onLoopback},
		{"http://[::1]/", onLoopback},
		{"HTTP://LocalHost/", onLoopback},
		{"http://[::ffff:127.0.0.1]/", onLoopback},
		{"http://ehr.example.org/fhir", never},
		{"http://localhost.example.org/", never},
		{"http://127.0.0.1.example.org/", never},
		{"https://user@ehr.example.org/", never},
		{"http://user:word@127.0.0.1/", never},
		{"https:///fhir", never},
		{"https://:443/fhir", never},
		{"/fhir", never},
		{"", never},
		{"file:///etc/passwd", never},
		{"ftp://127.0.0.1/", never},
		{"javascript:alert(1)", never},
	} {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			for _, loopback := range []bool{false, true} {
				want := tt.want == always || tt.want == onLoopback && loopback
				if err := Permit(parse(t, tt.in), loopback); (err == nil) != want || err != nil && !errors.Is(err, ErrURL) {
					t.Errorf("with loopback %t: %v, want allowed %t", loopback, err, want)
				}
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"https://EHR.example.org/fhir?a=b#c", "https://ehr.example.org:443"},
		{"https://ehr.example.org.:443", "https://ehr.example.org:443"},
		{"http://ehr.example.org", "http://ehr.example.org:80"},
		{"HTTP://ehr.example.org:443", "http://ehr.example.org:443"},
		{"https://[2001:DB8::1]", "https://[2001:db8::1]:443"},
		{"https://a@ehr.example.org", "https://ehr.example.org:443"},
	} {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			if got := Origin(parse(t, tt.in)); got != tt.want {
				t.Errorf("Origin = %s, want %s", got, tt.want)
			}
		})
	}
}

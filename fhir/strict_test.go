package fhir_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/equitylens/equitylens/fhir"
)

// refusal decodes one line and returns why it was refused, or "".
func refusal(t *testing.T, line string) fhir.Reason {
	t.Helper()
	_, err := fhir.NewDecoder().Decode([]byte(line))
	if err == nil {
		return ""
	}
	var refused *fhir.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("Decode(%.60s) = %v, which is no RefusedError", line, err)
	}
	return refused.Reason
}

// TestDecodeRefuses is row 18 and the JSON half of row 15: what makes a text ambiguous or endless
// is refused, and nothing panics.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"resourceType":"Patient","id":"p"`
	nested := func(n int) string {
		return head + `,"x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}"
	}
	wide := func(n int, extra string) string {
		var b strings.Builder
		b.WriteString(head + `,"x":{`)
		for i := range n {
			b.WriteString(`"k` + strings.Repeat("a", i) + `":1,`)
		}
		return b.String() + `"last":1` + extra + `}}`
	}
	cases := []struct {
		name string
		in   string
		want fhir.Reason
	}{
		{"a patient", head + "}", ""},
		{"white space around", " \t" + head + "} \r", ""},
		{"not JSON at all", "hello", fhir.NotJSON},
		{"half a line", head, fhir.NotJSON},
		{"a bare word", head + `,"active":yes}`, fhir.NotJSON},
		{"a comma too many", head + `,}`, fhir.NotJSON},
		{"single quotes", `{'resourceType':'Patient'}`, fhir.NotJSON},
		{"two objects", head + "}" + head + "}", fhir.TwoValues},
		{"two objects with space", head + "} " + head + "}", fhir.TwoValues},
		{"an array", `[` + head + `}]`, fhir.NotAResource},
		{"a string", `"Patient"`, fhir.NotAResource},
		{"null", `null`, fhir.NotAResource},
		{"no resourceType", `{"id":"p"}`, fhir.NotAResource},
		{"resourceType that is no text", `{"resourceType":7,"id":"p"}`, fhir.NotAResource},
		{"no id", `{"resourceType":"Patient"}`, fhir.NoID},
		{"an id with a slash", `{"resourceType":"Patient","id":"a/b"}`, fhir.BadID},
		{"an id with a space", `{"resourceType":"Patient","id":"a b"}`, fhir.BadID},
		{"an id of 257 characters", `{"resourceType":"Patient","id":"` + strings.Repeat("a", 257) + `"}`,
			fhir.BadID},
		{"a key twice", head + `,"id":"q"}`, fhir.DuplicateKey},
		{"a key twice, once escaped", head + `,"\u0069d":"q"}`, fhir.DuplicateKey},
		{"a key twice deep within", head + `,"x":[{"y":{"z":1,"z":1}}]}`, fhir.DuplicateKey},
		{"a key twice among many", wide(40, `,"kaaa":2`), fhir.DuplicateKey},
		{"many keys", wide(40, ""), ""},
		{"thirty levels", nested(30), ""},
		{"a hundred levels", nested(100), fhir.TooDeep},
		{"a hundred thousand levels", nested(100_000), fhir.TooDeep},
		{"levels without end", head + `,"x":` + strings.Repeat(`{"a":`, 100_000), fhir.TooDeep},
		{"a lone high surrogate", head + `,"x":"\ud800"}`, fhir.NotUTF8},
		{"a lone low surrogate", head + `,"x":"\udc00"}`, fhir.NotUTF8},
		{"surrogates in the wrong order", head + `,"x":"\udc00\ud800"}`, fhir.NotUTF8},
		{"a high surrogate before another escape", head + `,"x":"\ud800\u0041"}`, fhir.NotUTF8},
		{"a pair of surrogates", head + `,"x":"\ud83d\ude00"}`, ""},
		{"an escaped backslash before u", head + `,"x":"\\ud800"}`, ""},
		{"a byte that is not UTF-8", head + ",\"x\":\"\xff\"}", fhir.NotUTF8},
		{"an overlong form", head + ",\"x\":\"\xc0\xaf\"}", fhir.NotUTF8},
		{"a surrogate in UTF-8", head + ",\"x\":\"\xed\xa0\x80\"}", fhir.NotUTF8},
		{"a raw NUL", head + ",\"x\":\"\x00\"}", fhir.NotJSON},
		{"a raw newline", head + ",\"x\":\"\n\"}", fhir.NotJSON},
		{"an escape that is none", head + `,"x":"\q"}`, fhir.NotJSON},
		{"an escape that is cut short", head + `,"x":"\u00"}`, fhir.NotJSON},
		{"a leading zero", head + `,"x":01}`, fhir.NotJSON},
		{"a leading plus", head + `,"x":+1}`, fhir.NotJSON},
		{"a trailing point", head + `,"x":1.}`, fhir.NotJSON},
		{"a leading point", head + `,"x":.5}`, fhir.NotJSON},
		{"NaN", head + `,"x":NaN}`, fhir.NotJSON},
		{"Infinity", head + `,"x":-Infinity}`, fhir.NotJSON},
		{"hexadecimal", head + `,"x":0x10}`, fhir.NotJSON},
		{"a minus alone", head + `,"x":-}`, fhir.NotJSON},
		{"an exponent", head + `,"x":-0.5e+10}`, ""},
		{"ten thousand digits", head + `,"x":` + strings.Repeat("9", 10_000) + `}`, fhir.NotJSON},
		{"an exponent beyond any number", head + `,"x":1e999999}`, fhir.NotJSON},
		{"an escaped NUL", head + `,"x":"\u0000"}`, fhir.NotUTF8},
		{"an element of another type", head + `,"gender":1}`, fhir.NotR4},
		{"an object where R4 has an array", head + `,"communication":{}}`, fhir.NotR4},
		{"an array of words where R4 has objects", head + `,"link":["x"]}`, fhir.NotR4},
		{"a class of R5", `{"resourceType":"Encounter","id":"e","class":[{"coding":[{"code":"AMB"}]}]}`,
			fhir.NotR4},
		{"null where there is nothing", head + `,"gender":null}`, ""},
		{"elements that nobody knows", head + `,"_gender":{"id":"x"},"frob":[1,{"a":null}]}`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := refusal(t, c.in); got != c.want {
				t.Errorf("Decode(%.80s) is refused as %q, want %q", c.in, got, c.want)
			}
		})
	}
}

// TestRefusalNamesTheElement and nothing of its value.
func TestRefusalNamesTheElement(t *testing.T) {
	t.Parallel()
	_, err := fhir.NewDecoder().Decode([]byte(`{"resourceType":"Patient","id":"secret","birthDate":["1990"]}`))
	if err == nil || err.Error() != "not-r4: Patient.birthDate" {
		t.Errorf("Decode = %v", err)
	}
}

// TestDecoderIsReused decodes good and bad lines in turn with one Decoder: none leaves a trace in
// the next.
func TestDecoderIsReused(t *testing.T) {
	t.Parallel()
	d := fhir.NewDecoder()
	const good = `{"resourceType":"Patient","id":"p","communication":[{"language":{"coding":[{"code":"es"}]},"preferred":true}]}`
	for _, bad := range []string{"", "{", `{"resourceType":"Patient"}`,
		`{"resourceType":"Patient","id":"x","link":[{"other":{"reference":"Patient/y"}},1]}`} {
		if _, err := d.Decode([]byte(bad)); err == nil {
			t.Errorf("Decode(%q) = nil", bad)
		}
		got, err := d.Decode([]byte(good))
		if err != nil {
			t.Fatal(err)
		}
		preferred := true
		want := fhir.Patient{ID: "p", Communication: []fhir.Communication{{
			Language: fhir.CodeableConcept{Coding: []fhir.Coding{{Code: "es"}}}, Preferred: &preferred,
		}}}
		if diff := cmp.Diff(want, *got.Patient, equateEmpty()); diff != "" {
			t.Errorf("after %q the patient differs (-want +got):\n%s", bad, diff)
		}
	}
}

func TestPeekType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"resourceType":"Patient","id":"p"}`:      "Patient",
		`{"id":"p", "resourceType" : "Encounter"}`: "Encounter",
		`{"resourceType":7}`:                       "",
		`{"resourceType":"Pat`:                     "",
		`{"id":"p"}`:                               "",
		``:                                         "",
		`{"resourceType"`:                          "",
	} {
		if got := fhir.PeekType([]byte(in)); got != want {
			t.Errorf("PeekType(%s) = %q, want %q", in, got, want)
		}
	}
}
